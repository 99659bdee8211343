from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.utils.translation import gettext_lazy as _

from households.models import (
    AdministrativeUnit,
    Commune,
    District,
    Posting,
    Province,
    TeamCommune,
    UnitChange,
    User,
    WorkTeam,
)


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("username", "full_name")


class PostingInline(admin.TabularInline):
    model = Posting
    extra = 0
    autocomplete_fields = ["unit", "team"]


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    add_form = UserCreationForm
    inlines = [PostingInline]
    list_display = ["username", "full_name", "is_active", "is_staff"]
    search_fields = ["username", "full_name"]

    def has_delete_permission(self, request, obj=None):
        """An officer's results stay hers: accounts are deactivated, postings ended."""
        return False

    fieldsets = [
        (None, {"fields": ["username", "password", "full_name", "email"]}),
        (_("Access"), {"fields": ["is_active", "is_staff", "is_superuser"]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "full_name", "usable_password", "password1", "password2"]})]


class FrozenAdmin(admin.ModelAdmin):
    """To be looked at: what is not edited by hand."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class UnitAdmin(FrozenAdmin):
    """Units come from the official lists."""

    list_display = ["code", "full_name", "parent", "valid_from", "valid_to"]
    list_filter = ["type"]
    list_select_related = ["parent"]
    search_fields = ["code", "name"]
    ordering = ["code", "valid_from"]
    show_full_result_count = False


for model in (AdministrativeUnit, Province, District, Commune):
    admin.site.register(model, UnitAdmin)


@admin.register(UnitChange)
class UnitChangeAdmin(FrozenAdmin):
    list_display = ["effective_on", "kind", "old_unit", "new_unit", "resolution"]
    list_filter = ["kind", "effective_on"]
    list_select_related = ["old_unit", "new_unit"]
    search_fields = ["old_unit__name", "new_unit__name", "old_unit__code", "new_unit__code"]
    ordering = ["effective_on", "old_unit__code"]


@admin.register(WorkTeam)
class WorkTeamAdmin(admin.ModelAdmin):
    list_display = ["code", "name", "district"]
    list_select_related = ["district"]
    search_fields = ["code", "name"]
    autocomplete_fields = ["district"]


@admin.register(TeamCommune)
class TeamCommuneAdmin(FrozenAdmin):
    """Changed by `verification.rounds.assign_commune`, which has the figures recounted."""

    list_display = ["commune", "team", "valid_from", "valid_to"]
    list_filter = ["team__district"]
    list_select_related = ["commune", "team"]
    search_fields = ["commune__name", "team__name"]
    ordering = ["team__code", "commune__code"]
