"""The lines of the tables of figures. Not in templates: a page has up to two hundred of them, of ten figures each, and
as tags they took four times as long as everything else of the page."""

from collections.abc import Iterable
from decimal import Decimal

from django import template
from django.urls import reverse
from django.utils.html import escape, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as say

from households.faults import Fault
from reports.forecast import Forecast, Outlook
from reports.models import OfficerTally
from reports.progress import FaultRow, OutcomeRow, Progress, UnitRow
from reports.templatetags.figures import NOTHING, bar, count, day, rate, share, short_day
from reports.what_if import Ends

register = template.Library()

MINOR = ' class="minor"'


def address_of(name: str) -> tuple[str, str]:
    """An address that takes one number, as what stands before and behind it."""
    before, behind = reverse(name, args=[0]).split("/0/")
    return f"{before}/", f"/{behind}"


def linked(figure: str, address: str) -> str:
    return f'<a href="{escape(address)}">{figure}</a>' if address else figure


@register.simple_tag(takes_context=True)
def unit_lines(context, rows: Iterable[UnitRow]) -> SafeString:
    """A line for each district or commune."""
    goal, at, lists_persons = context["goal"], context.get("at", ""), context["can_list_rows"]
    page_before, page_behind = address_of("reports:unit_detail")
    list_before, list_behind = address_of("verification:form_list")

    def line(row: UnitRow) -> str:
        tally, pk = row.tally, row.owner.pk
        page = f"{page_before}{pk}{page_behind}{at}"
        # without persons a figure leads to the unit's own page
        of_state = f"{list_before}{pk}{list_behind}?state=" if lists_persons else ""
        base = count(tally.base) + _new_people(tally, f"{of_state}new_people" if of_state else page)
        return (
            f'\n<tr><th scope="row"><a href="{page}">{escape(row.owner.full_name)}</a></th>'
            f'<td class="num wide">{base}</td><td class="num wide">{count(row.today)}</td>'
            f'<td class="num">{linked(count(tally.verified), f"{of_state}verified" if of_state else page)}</td>'
            f"{_rate(row, goal)}"
            f'<td class="num">{linked(count(tally.left), f"{of_state}left" if of_state else page)}</td>'
            f"{forecast_cells(row)}</tr>"
        )

    return mark_safe("".join(map(line, rows)))


@register.simple_tag(takes_context=True)
def total_line(context, total: UnitRow) -> SafeString:
    """The foot of the same table."""
    tally = total.tally
    return mark_safe(
        f'<tr><th scope="row">{escape(say("Total"))}</th><td class="num wide">{count(tally.base)}{_new_people(tally)}</td>'
        f'<td class="num wide">{count(total.today)}</td><td class="num">{count(tally.verified)}</td>'
        f"{_rate(total, context['goal'])}"
        f'<td class="num">{count(tally.left)}</td>{forecast_cells(total)}</tr>'
    )


@register.simple_tag(takes_context=True)
def hamlet_lines(context, rows: Iterable[UnitRow]) -> SafeString:
    """A line for each hamlet, which has no plan and no days of its own."""
    goal, at, lists_persons, can_work = (
        context["goal"],
        context.get("at", ""),
        context["can_list_rows"],
        context["can_work"],
    )
    page_before, page_behind = address_of("reports:unit_detail")
    list_before, list_behind = address_of("verification:form_list")
    work_before, work_behind = address_of("verification:unit_work")
    verify = escape(say("Verify"))

    def line(row: UnitRow) -> str:
        tally, pk = row.tally, row.owner.pk
        page = f"{page_before}{pk}{page_behind}{at}"
        of_state = f"{list_before}{pk}{list_behind}?state=" if lists_persons else ""
        base = linked(count(tally.collected), f"{of_state}all" if of_state else "")
        base += _new_people(tally, f"{of_state}new_people" if of_state else page, among=True)
        pending = linked(count(tally.pending), f"{of_state}pending" if of_state else page) if tally.pending else NOTHING
        work = ""
        if can_work:
            link = f'<a class="open" href="{work_before}{pk}{work_behind}">{verify}</a>' if tally.left > 0 else ""
            work = f'<td class="wide no-print">{link}</td>'
        return (
            f'\n<tr><th scope="row"><a href="{page}">{escape(row.owner.full_name)}</a></th>'
            f'<td class="num wide">{base}</td><td class="num wide">{count(tally.qualified)}</td>'
            f'<td class="num">{linked(count(tally.verified), f"{of_state}verified" if of_state else page)}</td>'
            f"{_rate(row, goal)}"
            f'<td class="num">{linked(count(tally.left), f"{of_state}left" if of_state else page)}</td>'
            f'<td class="num wide">{pending}</td>{work}</tr>'
        )

    return mark_safe("".join(map(line, rows)))


@register.simple_tag(takes_context=True)
def hamlet_total(context, total: UnitRow) -> SafeString:
    """The foot of the same table."""
    tally = total.tally
    work = '<td class="wide no-print"></td>' if context["can_work"] else ""
    return mark_safe(
        f'<tr><th scope="row">{escape(say("Total"))}</th>'
        f'<td class="num wide">{count(tally.collected)}{_new_people(tally, among=True)}</td>'
        f'<td class="num wide">{count(tally.qualified)}</td><td class="num">{count(tally.verified)}</td>'
        f"{_rate(total, context['goal'])}"
        f'<td class="num">{count(tally.left)}</td><td class="num wide">{count(tally.pending)}</td>{work}</tr>'
    )


def forecast_cells(row: UnitRow) -> str:
    """What is needed a day and what was made, when it will be done, and how that stands to the deadline."""
    told = row.forecast
    slow = told.needed_per_day is not None and row.recent_per_day < told.needed_per_day
    made = f"<b>{count(row.recent_per_day)}</b>" if slow else count(row.recent_per_day)
    return (
        f'<td class="num wide">{count(told.needed_per_day)}</td><td class="num wide">{made}</td>'
        f'<td class="num wide">{range_of(told)}</td><td class="num wide">{slack_of(told)}</td>'
        f"<td>{outlook_sign(told.outlook)}</td>"
    )


@register.filter
def range_of(told: Forecast | Ends) -> str:
    """27/6–2/7; one day where both ends are one; "from 27/6" where the worse end is beyond a year. With its year where
    that is not the deadline's."""
    ends = [
        short_day(end) if end.year == told.ends_on.year else day(end) for end in (told.earliest, told.latest) if end
    ]
    if not ends:
        return NOTHING
    if told.latest is None:
        return escape(say("from %(day)s") % {"day": ends[0]})
    return "–".join(dict.fromkeys(ends))


def slack_of(told: Forecast) -> str:
    """Days before the deadline, from the worse end to the better one: −4…+1."""
    ends = [end for end in (told.least_slack, told.most_slack) if end is not None]
    if not ends:
        return NOTHING
    worse_unknown = "" if told.least_slack is not None else "…"
    return worse_unknown + "…".join(
        dict.fromkeys(f"{'+' if end > 0 else '−' if end < 0 else ''}{abs(end)}" for end in ends)
    )


SIGNS = {
    Outlook.FINISHED: "ok",
    Outlook.ON_THE_WAY: "ok",
    Outlook.TIGHT: "wait",
    Outlook.LATE: "late",
    Outlook.NOT_STARTED: "off",
    Outlook.NO_PACE: "off",
}


@register.simple_tag
def outlook_sign(outlook: Outlook) -> SafeString:
    """A word with its sign; red only when even the better end misses."""
    return mark_safe(f'<span class="state {SIGNS[outlook]}">{escape(outlook.label)}</span>')


def _new_people(tally, address: str = "", *, among: bool = False) -> str:
    """People found on the spot, beside the plan and never in it; a hamlet, which has no plan, counts them among its
    forms."""
    if not tally.new_people:
        return ""
    said = say("of these new:") if among else say("and new:")
    return f'<span class="apart">{escape(said)} {linked(count(tally.new_people), address)}</span>'


def _rate(row: UnitRow, goal: Decimal | None) -> str:
    drawn = bar(row.tally.verified, row.tally.base, goal, row.forecast.outlook == Outlook.LATE)
    return f'<td class="rate">{drawn}<span class="v">{rate(row.tally.rate)}</span></td>'


@register.simple_tag
def officer_lines(rows: Iterable[OfficerTally], posted: dict) -> SafeString:
    """A line for each officer; `posted` says where she is posted today."""

    def line(row: OfficerTally) -> str:
        posting = posted.get(row.officer_id)
        place = (posting.team or posting.unit) if posting else NOTHING
        numbers = (row.not_met, row.unverifiable, row.pending, row.returned)
        return (
            f'\n<tr><th scope="row">{escape(row.officer)}</th><td class="wide">{escape(place)}</td>'
            f'<td class="num">{count(row.results)}</td><td class="num">{count(row.verified)}</td>'
            f'<td class="num wide">{count(row.matched)}</td><td class="num">{count(row.found)}</td>'
            f'<td class="num wide">{rate(row.found_rate)}</td>'
            + "".join(f'<td class="num wide">{count(number) if number else NOTHING}</td>' for number in numbers)
            + "</tr>"
        )

    return mark_safe("".join(map(line, rows)))


@register.simple_tag
def outcome_lines(rows: Iterable[OutcomeRow], reported: int, forms: str = "") -> SafeString:
    """A line for each outcome; `forms` is the address of the list behind it, where she may see it."""
    no, yes, approved = say("no"), say("yes"), say("once approved")

    def line(row: OutcomeRow) -> str:
        address = f"{forms}?state={row.value}" if forms and row.forms else ""
        counts = no if not row.counts else approved if row.waits_for_approval else yes
        return (
            f'\n<tr><th scope="row">{linked(escape(row.label), address)}</th><td class="num">{linked(count(row.forms), address)}</td>'
            f'<td class="rate">{bar(row.forms, reported)}<span class="v">{rate(row.rate)}</span></td><td class="wide">{escape(counts)}</td></tr>'
        )

    return mark_safe("".join(map(line, rows)))


@register.simple_tag
def fault_lines(rows: Iterable[FaultRow], forms: str = "", suspected: bool = True) -> SafeString:
    """A line for each fault: what the passes found, and what the program suspects where that is told."""
    labels = dict(Fault.choices)  # get_fault_display makes this for every row

    def line(row: FaultRow) -> str:
        cells = f'<td class="num">{count(row.found) if row.found else NOTHING}</td>'
        if suspected:
            all_of_it = f"{forms}?state=all&fault={row.fault}" if forms and row.suspected else ""
            open_ones = (
                f"{forms}?state=open&fault={row.fault}" if forms and row.suspected and row.suspected.open else ""
            )
            of_all, still = (row.suspected.forms, row.suspected.open) if row.suspected else (None, None)
            cells += f'<td class="num wide">{linked(count(of_all), all_of_it)}</td><td class="num">{linked(count(still), open_ones)}</td>'
        return (
            f'\n<tr><th scope="row"><span class="quiet">{row.fault}</span> {escape(labels[row.fault])}</th>{cells}</tr>'
        )

    return mark_safe("".join(map(line, rows)))


@register.simple_tag
def day_lines(shown: Progress) -> SafeString:
    """The last days beside the burn-up, each with its bar and the mark of what is needed."""
    most, per_day = shown.most_in_a_day, shown.per_day
    mark = f'<path class="goal" d="M{share(per_day, most)} -3V11"/>' if per_day else ""
    return format_html_join(
        "",
        '\n<tr><th scope="row">{}</th><td class="num">{}</td><td><svg class="bar" viewBox="0 0 100 8" '
        'preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="8"/>'
        '<rect class="fill" width="{}" height="8"/>{}</svg></td><td class="num">{}</td></tr>',
        (
            (short_day(day), count(made), share(made, most), mark_safe(mark), count(to_date))
            for day, made, to_date in shown.recent_days
        ),
    )


@register.simple_tag
def chart_axes(chart) -> SafeString:
    """The grid of round numbers and the months under it."""
    last, forms = len(chart.grid) - 1, say("forms")
    grid = (
        f'<path class="grid" d="M0 {line.y}H{chart.right}"/><text x="0" y="{line.above}"{"" if number == last else MINOR}>'
        f"{count(line.text)}{f' {escape(forms)}' if number == last else ''}</text>"
        for number, line in enumerate(chart.grid)
    )
    months = (
        f'<path class="axis" d="M{month.x} {chart.bottom}v4"/><text x="{month.x}" y="{month.y}"{MINOR if number % 2 else ""}>'
        f"{short_day(month.text)}</text>"
        for number, month in enumerate(chart.months)
    )
    axis = f'<path class="axis" d="M0 {chart.bottom}H{chart.right}"/>'
    end = f'<text x="{chart.last.x}" y="{chart.last.y}">{short_day(chart.last.text)}</text>'
    return mark_safe("".join([*grid, axis, *months, end]))


@register.simple_tag
def reason_figures(parts: Iterable, forms: str = "", state: str = "") -> SafeString:
    """What fell away and why: “absent 53; not checked yet 466”, each figure a link to its list. A part is
    (label, forms), all of one `state`, or (state, label, forms)."""
    found = []
    for *own_state, label, number in parts:
        part_state = own_state[0] if own_state else state
        address = f"{forms}?state={part_state}" if forms and part_state else ""
        text = str(label).lower() if own_state else str(label)
        found.append(f"{escape(text)} {linked(count(number), address)}")
    return mark_safe("; ".join(found))
