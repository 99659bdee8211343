from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class AdminSite(admin.AdminSite):
    """Accounts, postings and settings, for administrators. Persons and results are not edited here."""

    site_header = _("census_verify: administration")
    site_title = _("administration")
    index_title = _("accounts, units and rounds")

    def has_permission(self, request: HttpRequest) -> bool:
        """Posted as administrator today; or a superuser while nobody ever was, to post the first one."""
        from households.models import Posting
        from households.permissions import Role, scope_of

        if not super().has_permission(request):
            return False
        is_first = request.user.is_superuser and not Posting.objects.filter(role=Role.ADMINISTRATOR).exists()
        return is_first or Role.ADMINISTRATOR in scope_of(request.user).roles
