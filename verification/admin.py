from django.contrib import admin

from households.admin import FrozenAdmin
from verification.models import Plan, PlanAdjustment, Round, Target


class TargetInline(admin.TabularInline):
    model = Target
    extra = 0


@admin.register(Round)
class RoundAdmin(admin.ModelAdmin):
    """Name, dates, targets. Once a round is open, what its figures stand on is fixed."""

    list_display = ["name", "area", "starts_on", "ends_on", "status"]
    list_select_related = ["area"]
    inlines = [TargetInline]
    autocomplete_fields = ["area"]
    readonly_fields = ["status", "opened_at", "opened_by"]

    def get_readonly_fields(self, request, obj=None):
        fixed = [
            "area",
            "starts_on",
            "collected_until",
            "counting_outcomes",
            "approval_outcomes",
            "approving_level",
            "cut_off_hour",
        ]
        return [*self.readonly_fields, *(fixed if obj and obj.status != Round.Status.PLANNED else [])]

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Plan)
class PlanAdmin(FrozenAdmin):
    """Frozen when the round opened; changed by `verification.rounds.adjust_plan` alone."""

    list_display = ["commune", "forms", "population", "frozen_on", "round"]
    list_select_related = ["commune", "round"]
    search_fields = ["commune__name", "commune__code"]
    ordering = ["commune__code"]


@admin.register(PlanAdjustment)
class PlanAdjustmentAdmin(FrozenAdmin):
    list_display = ["plan", "forms", "reason", "by", "at"]
    list_select_related = ["plan__commune", "by"]
