"""A map, its legend and the lines beside it. By hand, as the other tables of figures: two hundred units a page."""

from collections.abc import Iterable

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as say

from reports.map import (
    CLASSES,
    NO_DATA,
    WORST,
    Measure,
    Place,
)
from reports.map_drawing import HATCH, Drawing, short_name
from reports.map_words import told
from reports.templatetags.figures import NOTHING, bar, count, day, percent, rate
from reports.templatetags.lines import MINOR, address_of, outlook_sign, range_of, slack_of

register = template.Library()

# of the columns behind the one the map is coloured by
CSS = {
    Measure.RATE: ("num", "num wide", "num"),
    Measure.SLACK: ("num", "", "num wide"),
    Measure.FAULTS: ("num", "num"),
    Measure.IDLE: ("num", "num"),
}


# The worst class is hatched, so that it stands out in grey as well; dots where there is nothing to tell.
PATTERNS = {WORST: "hatch", NO_DATA: "dots"}


def _fill(of_class: int) -> str:
    pattern = PATTERNS.get(of_class)
    return f'fill="url(#{pattern})"' if pattern else f'class="c{of_class}"'


def _patterns(scale: float) -> str:
    step, half, dot = (f"{HATCH / scale / part:.1f}" for part in (1, 2, 7))
    turned = 'patternUnits="userSpaceOnUse" patternTransform="rotate(45)"'
    return (
        f'<defs><pattern id="hatch" width="{step}" height="{step}" {turned}>'
        f'<rect class="c1" width="{step}" height="{step}"/><rect class="on-c1" width="{half}" height="{step}"/></pattern>'
        f'<pattern id="dots" width="{step}" height="{step}" {turned}>'
        f'<rect class="c0" width="{step}" height="{step}"/><circle class="on-c0" cx="{half}" cy="{half}" r="{dot}"/></pattern></defs>'
    )


def _names(drawing: Drawing) -> str:
    return "".join(
        f'<text x="{label.x}" y="{label.y}"{MINOR if label.is_minor else ""}>{escape(label.text)}</text>'
        for label in drawing.labels
    )


@register.simple_tag(takes_context=True)
def map_svg(context, drawing: Drawing, measure: Measure, title: str, chosen: int | None = None) -> SafeString:
    """Every unit a link to its page, in administrative order; of units of other classes than the chosen only the
    outline."""
    before, behind = address_of("reports:unit_detail")
    at, districts = context.get("at", ""), context.get("districts") or {}

    def shape(each) -> str:
        unit = each.place.unit
        if chosen is not None and each.of_class != chosen:
            return f'<path class="out" d="{each.path}"/>'
        name = unit.full_name
        if unit.parent_id in districts:
            name = f"{name} ({districts[unit.parent_id].mid_sentence_name})"
        said = escape(f"{name}: {told(each.place, measure)}")
        return (
            f'\n<a href="{before}{unit.pk}{behind}{at}" aria-label="{said}" data-unit="{unit.pk}">'
            f'<path {_fill(each.of_class)} d="{each.path}"><title>{said}</title></path></a>'
        )

    return mark_safe(
        f'<svg class="map" viewBox="0 0 {drawing.width} {drawing.height}" role="group" aria-label="{escape(title)}">'
        f"{_patterns(drawing.scale)}"
        f'<g transform="{drawing.transform}">{"".join(map(shape, drawing.shapes))}'
        f'<path class="border" d="{"".join(drawing.borders)}"/><path class="ring under"/><path class="ring"/></g>'
        f'<g class="names" aria-hidden="true">{_names(drawing)}</g></svg>'
    )


@register.simple_tag
def small_map_svg(drawing: Drawing) -> SafeString:
    """One picture: no links of its own."""
    shapes = "".join(f'<path {_fill(each.of_class)} d="{each.path}"/>' for each in drawing.shapes)
    return mark_safe(
        f'<svg class="map" viewBox="0 0 {drawing.width} {drawing.height}">'
        f"{_patterns(drawing.scale)}"
        f'<g transform="{drawing.transform}">{shapes}<path class="border" d="{"".join(drawing.borders)}"/></g>'
        f'<g class="names">{_names(drawing)}</g></svg>'
    )


@register.simple_tag
def key(of_class: int, drawing: Drawing | None) -> SafeString:
    """The colour of a class, as large as a letter. Drawn on the grid of the map, so that the hatching is as wide."""
    unit = HATCH / drawing.scale if drawing else HATCH
    width, height = f"{unit * 3:.1f}", f"{unit * 1.8:.1f}"
    fill = _fill(of_class) if drawing else f'class="c{of_class}"'
    return mark_safe(
        f'<svg class="key" viewBox="0 0 {width} {height}" preserveAspectRatio="xMidYMid slice" aria-hidden="true"><rect width="{width}" height="{height}" {fill}/></svg>'
    )


@register.simple_tag
def main_head(measure: Measure) -> str:
    """The head of the column the map is coloured by."""
    return {
        Measure.RATE: say("Percent of plan"),
        Measure.SLACK: say("Days to spare"),
        Measure.FAULTS: say("Per 100 verified"),
        Measure.IDLE: say("Working days without entries"),
    }[measure]


@register.simple_tag
def short_figure(place: Place, measure: Measure) -> str:
    """The figure alone, behind a name."""
    if measure == Measure.RATE:
        return percent(place.row.tally.rate)
    if measure == Measure.SLACK:
        return slack_of(place.row.forecast)
    return rate(place.found_per_100) if measure == Measure.FAULTS else count(place.idle)


@register.simple_tag
def other_heads(measure: Measure) -> SafeString:
    """The heads of the columns behind the one the map is coloured by."""
    heads = {
        Measure.RATE: (say("To date"), say("Plan, forms"), say("Left")),
        Measure.SLACK: (say("Done on"), say("Outlook"), say("Left")),
        Measure.FAULTS: (say("Faults found"), say("Verified")),
        Measure.IDLE: (say("Last entry"), say("Left")),
    }[measure]
    return mark_safe(
        "".join(
            f'<th scope="col" class="{css}">{escape(head)}</th>' for head, css in zip(heads, CSS[measure], strict=True)
        )
    )


@register.simple_tag(takes_context=True)
def map_lines(context, places: Iterable[Place], measure: Measure, drawing: Drawing | None) -> SafeString:
    """A line for each unit, with the colour it has on the map."""
    before, behind = address_of("reports:unit_detail")
    at, districts = context.get("at", ""), context.get("districts")
    keys = {of_class: key(of_class, drawing) for of_class in (*CLASSES, NO_DATA)}

    def line(place: Place) -> str:
        unit = place.unit
        above = districts.get(unit.parent_id) if districts else None
        district = f'<td class="wide">{escape(short_name(above)) if above else NOTHING}</td>' if districts else ""
        return (
            f'\n<tr data-unit="{unit.pk}"><th scope="row">{keys[place.class_by(measure)]}'
            f'<a href="{before}{unit.pk}{behind}{at}">{escape(unit.full_name)}</a></th>{district}{_cells(place, measure)}</tr>'
        )

    return mark_safe("".join(map(line, places)))


@register.simple_tag
def map_total(total: Place, measure: Measure, districts: bool) -> SafeString:
    """The whole unit, in the same columns."""
    skipped = '<td class="wide"></td>' if districts else ""
    return mark_safe(f'<tr><th scope="row">{escape(say("Total"))}</th>{skipped}{_cells(total, measure)}</tr>')


def _cells(place: Place, measure: Measure) -> str:
    tally, told = place.row.tally, place.row.forecast
    if measure == Measure.RATE:
        drawn = bar(tally.verified, tally.base, place.goal)
        cells = (
            f'{drawn}<span class="v">{rate(tally.rate)}</span>',
            count(tally.verified),
            count(tally.base),
            count(tally.left),
        )
        return f'<td class="rate">{cells[0]}</td>' + _numbers(cells[1:], measure)
    if measure == Measure.SLACK:
        return f'<td class="num">{slack_of(told)}</td>' + _numbers(
            (range_of(told), outlook_sign(told.outlook), count(tally.left)), measure
        )
    if measure == Measure.FAULTS:
        return f'<td class="num">{rate(place.found_per_100)}</td>' + _numbers(
            (count(place.found), count(tally.verified)), measure
        )
    idle = escape(say("finished")) if place.is_finished else count(place.idle) if place.has_plan else NOTHING
    return f'<td class="num">{idle}</td>' + _numbers((day(place.last_entry), count(tally.left)), measure)


def _numbers(cells: Iterable[str], measure: Measure) -> str:
    return "".join(f'<td class="{css}">{cell}</td>' for cell, css in zip(cells, CSS[measure], strict=True))
