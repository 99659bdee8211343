"""Which unit became which."""

from datetime import date

from households.faults.words import FormerUnit, commune_key
from households.models import AdministrativeUnit, UnitChange


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


def former_units(day: date) -> dict[str, FormerUnit]:
    """The communes that stood no more on `day`, by commune and district as a place names them (`commune_key`).

    A name that another commune of the district carries on is no former one.
    """
    communes = AdministrativeUnit.objects.filter(level=AdministrativeUnit.Level.COMMUNE)
    standing = {_written(unit) for unit in communes.valid_on(day).select_related("parent")}
    changes = UnitChange.objects.filter(
        effective_on__lte=day, old_unit__level=AdministrativeUnit.Level.COMMUNE
    ).select_related("old_unit__parent", "new_unit__parent")
    return {
        commune_key(name): FormerUnit(change.old_unit_id, change.old_unit.mid_sentence_name, _written(change.new_unit))
        for change in changes.order_by("effective_on", "pk")
        if (name := _written(change.old_unit)) not in standing
    }


def _written(commune: AdministrativeUnit) -> str:
    return f"{commune.mid_sentence_name}, {commune.parent.mid_sentence_name}"
