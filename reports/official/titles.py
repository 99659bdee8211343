"""What the annex tables are called, in their order; those of units by what lies right below."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from households.models import AdministrativeUnit

Level = AdministrativeUnit.Level
TITLES: dict[str, Promise] = {
    "units": _("Progress by district"),
    "communes": _("Progress by commune"),
    "hamlets": _("Progress by hamlet"),
    "outcomes": _("Results by kind"),
    "faults": _("Faults found on the forms"),
    "teams": _("Progress by work team"),
    "officers": _("Results by officer"),
    "missed": _("Units that miss a target"),
    "late": _("Late entries"),
    "denominators": _("From the population to the verified forms"),
}
OF_UNITS = {Level.COUNTRY: _("Progress by province"), Level.DISTRICT: _("Progress by commune")}


def title_of(key: str, unit: AdministrativeUnit) -> str:
    return str(OF_UNITS.get(unit.level, TITLES[key]) if key == "units" else TITLES[key])
