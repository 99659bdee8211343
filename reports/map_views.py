"""The map of a province or district: its units coloured by one of four figures, and the same figures as a table."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as say
from django.views.decorators.http import require_GET

from households.models import AdministrativeUnit
from households.permissions import scope_of
from reports import map_drawing, outlines, progress
from reports.map import CLASSES, NO_DATA, WORST, Measure, Place, goal_of, in_class, worst_of
from reports.map_words import class_label, legend
from reports.progress import Progress, Source, UnitRow
from reports.views import cut_off_of, kept, lineage_of, source_of, unit_of_figures

Level = AdministrativeUnit.Level
MAPPED = (Level.PROVINCE, Level.DISTRICT)
NAMED_AT_MOST = 5  # of the worst, in the first sentence
UNITS = {"communes": Level.COMMUNE, "districts": Level.DISTRICT}
SORTS = ("figure", "name")


class NoSuchMap(BadRequest):
    """What was asked for is no map of ours, with a sentence for whoever asked."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Asked:
    """What the address says."""

    measure: Measure
    units: str  # "communes" or "districts"; of a district always its communes
    of_class: int | None
    sort: str
    as_of: str

    def address(self, **changes) -> str:
        """The same map with something else; nothing that says what goes without saying."""
        said = {
            "as_of": self.as_of,
            "by": self.measure if self.measure != Measure.RATE else "",
            "units": self.units if self.units != "communes" else "",
            "class": self.of_class,
            "sort": self.sort,
        } | changes
        return "?" + urlencode({name: value for name, value in said.items() if value not in ("", None)})


@require_GET
def map_home(request: HttpRequest) -> HttpResponse:
    """The map of the highest unit the officer is posted to that has one."""
    mapped = [unit for unit in scope_of(request.user).figure_units if unit.level in MAPPED]
    if not mapped:
        raise Http404("no map of hers")
    return _to_the_map_of(request, min(mapped, key=lambda unit: (unit.level, unit.code)))


@require_GET
def unit_map(request: HttpRequest, pk: int) -> HttpResponse:
    """A commune, which has no map of its own, stands on its district's."""
    unit = unit_of_figures(request, pk)
    if unit.level > Level.DISTRICT:
        district = unit
        while district.level > Level.DISTRICT:
            district = district.parent
        return _to_the_map_of(request, unit_of_figures(request, district.pk))
    if unit.level not in MAPPED:
        raise Http404("too many units for one map")
    source = source_of(request)
    asked = _asked(request, unit, source)
    shown = source.of_unit(unit)
    context = {
        "unit": unit,
        "shown": shown,
        "asked": asked,
        "lineage": lineage_of(request.user, unit),
        **cut_off_of(source),
        "carry": asked.address(as_of="")[1:],
        "carried": [(name, request.GET[name]) for name in ("by", "units", "class", "sort") if request.GET.get(name)],
    }
    context["map"] = mark_safe(kept((shown.version, "map", asked), lambda: _map(shown, asked, context)))
    return render(request, "reports/unit_map.html", context)


def _to_the_map_of(request: HttpRequest, unit: AdministrativeUnit) -> HttpResponse:
    """With all that was asked for."""
    asked = request.GET.urlencode()
    return redirect(reverse("reports:unit_map", args=[unit.pk]) + (f"?{asked}" if asked else ""))


def _asked(request: HttpRequest, unit: AdministrativeUnit, source: Source) -> Asked:
    by, units = request.GET.get("by", "") or Measure.RATE, request.GET.get("units", "") or "communes"
    of_class, sort = request.GET.get("class", ""), request.GET.get("sort", "")
    if by not in Measure.values:
        known = ", ".join(f"{measure.value} ({measure.label})" for measure in Measure)
        raise NoSuchMap(
            say("There is no map by “%(asked)s”. Choose one of: %(known)s.") % {"asked": by[:40], "known": known}
        )
    if units not in UNITS:
        raise NoSuchMap(say("There is no map of “%(asked)s”. Choose communes or districts.") % {"asked": units[:40]})
    if of_class and of_class not in {str(each) for each in (*CLASSES, NO_DATA)}:
        raise NoSuchMap(
            say("There is no class “%(asked)s”. Choose one of the legend: 1 (the worst) to 5, or 0 (no figures).")
            % {"asked": of_class[:40]}
        )
    return Asked(
        measure=Measure(by),
        units=units if unit.level == Level.PROVINCE else "communes",
        of_class=int(of_class) if of_class else None,
        sort=sort if sort.removeprefix("-") in SORTS else "",
        as_of=source.as_of.isoformat() if source.as_of else "",
    )


def _map(shown: Progress, asked: Asked, context: dict) -> str:
    measure, goal = asked.measure, goal_of(shown.round)
    places = _places(shown, asked, goal)
    districts = _districts_above(places) if shown.owner.level == Level.PROVINCE and asked.units == "communes" else {}
    drawn_above = list(districts.values()) or ([place.unit for place in places] if asked.units == "districts" else [])
    drawing = map_drawing.draw(
        places,
        outlines.packaged(),
        measure,
        bordered=drawn_above or [shown.owner],
        named=drawn_above or [place.unit for place in places],
    )
    worst = worst_of(places, measure)
    return render_to_string(
        "reports/_map.html",
        {
            **context,
            "measure": measure,
            "measures": [
                (
                    each.label,
                    asked.address(by=each if each != Measure.RATE else "", **{"class": None}, sort=""),
                    each == measure,
                )
                for each in Measure
            ],
            "unit_choices": _unit_choices(shown, asked),
            "places": _shown(places, asked),
            "count": len(places),
            "total": _total(shown, places, goal),
            "drawing": drawing,
            "missing": map_drawing.without_outline(places, outlines.packaged()),
            "districts": districts,
            "legend": [
                (line, asked.address(**{"class": line.of_class}), line.of_class == asked.of_class)
                for line in legend(places, measure, goal)
            ],
            "all_address": asked.address(**{"class": None}),
            "in_order": asked.address(sort="") if asked.sort else "",
            "worst": worst[:NAMED_AT_MOST],
            "worst_count": len(worst),
            "reached": sum((place.row.tally.rate or 0) >= goal for place in places if place.has_plan),
            "goal": goal,
            "low": class_label(measure, WORST, goal),
            "kept": f"{asked.address(sort='')[1:]}&" if asked.address(sort="") != "?" else "",
        },
    )


def _places(shown: Progress, asked: Asked, goal: Decimal) -> list[Place]:
    """With what the measure asks for, and nothing else: of 216 communes each statement counts."""
    source, measure = shown.source, asked.measure
    if shown.owner.level == Level.PROVINCE and asked.units == "communes":
        rows = source.communes_under(shown.owner)
        rows = source.with_days(rows) if measure == Measure.SLACK else rows
    else:
        rows = source.children_of(shown.owner)
    found = source.found_in(rows) if measure == Measure.FAULTS else {}
    last = source.last_entries_of(rows) if measure == Measure.IDLE else {}
    starts_on = shown.round.starts_on
    return [Place(row, goal, starts_on, found.get(row.owner.pk, 0), last.get(row.owner.pk)) for row in rows]


def _total(shown: Progress, places: list[Place], goal: Decimal) -> Place:
    """The whole unit as the last line; its days are those of its parts, where these were read."""
    days = progress.total_of([place.row for place in places], shown.round).days
    row = UnitRow(shown.owner, shown.tally, shown.day, days, day_is_over=shown.as_of is not None)
    last = max((place.last_entry for place in places if place.last_entry), default=None)
    return Place(row, goal, shown.round.starts_on, sum(place.found for place in places), last)


def _districts_above(places: Iterable[Place]) -> dict[int, AdministrativeUnit]:
    units = AdministrativeUnit.objects.filter(pk__in={place.unit.parent_id for place in places})
    return {unit.pk: unit for unit in units.in_order()}


def _shown(places: list[Place], asked: Asked) -> list[Place]:
    """The lines of the table: of one class where it was chosen, in administrative order unless sorted."""
    lines = in_class(places, asked.measure, asked.of_class)
    column = asked.sort.removeprefix("-")
    if not column:
        return lines

    def value(place: Place):
        return place.unit.sort_key if column == "name" else place.sort_value(asked.measure)

    return sorted(lines, key=value, reverse=asked.sort.startswith("-"))


def _unit_choices(shown: Progress, asked: Asked) -> list[tuple[str, str, bool]]:
    if shown.owner.level != Level.PROVINCE:
        return []
    named = (("communes", say("communes")), ("districts", say("districts")))
    return [
        (label, asked.address(units=units if units != "communes" else "", **{"class": None}), units == asked.units)
        for units, label in named
    ]
