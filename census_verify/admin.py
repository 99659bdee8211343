from django.contrib import admin
from django.utils.translation import gettext_lazy as _


class AdminSite(admin.AdminSite):
    """Accounts, postings and settings, for administrators. Persons and results are not edited here."""

    site_header = _("census_verify: administration")
    site_title = _("administration")
    index_title = _("accounts, units and rounds")
