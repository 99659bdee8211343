"""Which unit became which."""

from datetime import date

from households.models import AdministrativeUnit


def unit_on(unit: AdministrativeUnit, day: date) -> AdministrativeUnit:
    """The unit that `unit` has become by `day`; itself while it stands.

    Raises UnitChange.MultipleObjectsReturned where a unit was split: people of a split unit cannot be
    moved by code alone.
    """
    while unit.valid_to and unit.valid_to <= day:
        unit = unit.changes_out.filter(effective_on__lte=day).select_related("new_unit").get().new_unit
    return unit


def predecessors_of(unit: AdministrativeUnit):
    """The units that were made or taken into `unit`, one step back, in administrative order."""
    return AdministrativeUnit.objects.filter(changes_out__new_unit=unit).distinct().in_order()
