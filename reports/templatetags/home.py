"""The sentence and the lines of a commune's home and of a team's. Not in the templates, as those of `lines`."""

from collections.abc import Iterable

from django import template
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as say
from django.utils.translation import ngettext

from households.models import AdministrativeUnit
from reports.forecast import Forecast, Outlook
from reports.templatetags.figures import NOTHING, bar, count, short_day
from reports.templatetags.lines import address_of, linked, outlook_sign, range_of
from verification.commune_work import CommuneWork, Standing
from verification.waiting import Returned

register = template.Library()


def _bold(text: object) -> SafeString:
    return format_html("<strong>{}</strong>", text)


def _said(sentence: str, **values) -> SafeString:
    return mark_safe(escape(sentence) % {name: conditional_escape(value) for name, value in values.items()})


@register.simple_tag
def day_sentence(work: CommuneWork, told: Forecast) -> SafeString:
    """What is needed today, what is done, when it will be finished; then what is left."""
    done, ends_on = _bold(count(work.standing.done_today)), short_day(work.round.ends_on)
    if not work.plan:
        return _said(say("No forms are planned here. Done today: %(done)s."), done=done)
    left, plan = count(max(work.left, 0)), count(work.plan)
    if work.left <= 0:
        return _said(say("The plan of %(plan)s forms is finished. Done today: %(done)s."), plan=plan, done=done)
    if work.needed_today is None:
        over = say("The time was over on %(day)s; forms left: %(left)s. Done today: %(done)s.")
        return _said(over, day=ends_on, left=_bold(left), done=done)
    needed = _bold(count(work.needed_today))
    if told.earliest is None:
        first = say("Needed today: %(needed)s, done: %(done)s; there is no pace yet to tell the end by.")
        first = _said(first, needed=needed, done=done)
    else:
        first = say("Needed today: %(needed)s, done: %(done)s, expected to finish %(finish)s.")
        first = _said(first, needed=needed, done=done, finish=_bold(range_of(told)))
    rest = _said(say("Left: %(left)s of %(plan)s, by %(day)s."), left=left, plan=plan, day=ends_on)
    return mark_safe(f"{first} {_warning(told)}{rest}")


def _warning(told: Forecast) -> str:
    """Only where the end may miss the deadline."""
    return f"{outlook_sign(told.outlook)}. " if told.outlook in (Outlook.TIGHT, Outlook.LATE) else ""


@register.simple_tag
def team_sentence(communes: list, standing: Standing, left: int, needed_today: int) -> SafeString:
    """The same of all the communes a team works in."""
    if left <= 0:
        return _said(say("The plans of the team's communes are finished. Done today: %(done)s."), done=_bold(count(standing.done_today)))  # fmt: skip
    return _said(
        say("Needed today in the team's communes: %(needed)s, done: %(done)s, left: %(left)s."),
        needed=_bold(count(needed_today)),
        done=_bold(count(standing.done_today)),
        left=_bold(count(left)),
    )


def _figure(forms: int, address: str) -> str:
    return linked(count(forms), address) if forms else NOTHING


@register.simple_tag
def hamlet_lines(work: CommuneWork) -> SafeString:
    """A line for each hamlet, the one with the most left first; one that is finished says so."""
    page_before, page_behind = address_of("reports:unit_detail")
    list_before, list_behind = address_of("verification:form_list")
    work_before, work_behind = address_of("verification:unit_work")
    verify, finished = escape(say("Verify")), escape(say("finished"))

    def line(unit: AdministrativeUnit, standing: Standing) -> str:
        forms, name = f"{list_before}{unit.pk}{list_behind}?state=", escape(unit.full_name)
        begin = f'<a class="open" href="{work_before}{unit.pk}{work_behind}">{verify}<span class="visually-hidden"> {name}</span></a>'
        if not standing.turn:
            begin = "" if standing.open_forms else f'<span class="state ok">{finished}</span>'
        return (
            f'\n<tr><th scope="row"><a href="{page_before}{unit.pk}{page_behind}">{name}</a></th>'
            f'<td class="num">{count(standing.open_households) if standing.open_households else NOTHING}</td>'
            f'<td class="num wide">{_figure(standing.untouched, forms + "untouched")}</td>'
            f'<td class="num wide">{_figure(standing.not_met, forms + "not_met")}</td>'
            f'<td class="num wide">{_figure(standing.returned, forms + "returned")}</td>'
            f'<td class="rate">{bar(standing.verified, standing.in_round)}<span class="v">{_figure(standing.verified, forms + "verified")}</span></td>'
            f'<td class="no-print">{begin}</td></tr>'
        )

    return mark_safe("".join(line(hamlet.unit, hamlet.standing) for hamlet in work.by_what_is_left))


@register.simple_tag
def commune_lines(communes: Iterable[tuple[AdministrativeUnit, CommuneWork, Forecast]]) -> SafeString:
    """A line for each commune of a team."""
    page_before, page_behind = address_of("reports:unit_detail")
    list_before, list_behind = address_of("verification:form_list")
    work_before, work_behind = address_of("verification:unit_work")
    heads = {
        name: escape(head)
        for name, head in {
            "needed": say("Needed today"),
            "done": say("Done today"),
            "finish": say("Expected to finish"),
            "untouched": say("Not verified yet"),
            "not_met": say("To be visited again"),
            "due": say("of these due"),
            "returned": say("Returned"),
            "verified": say("All done"),
        }.items()
    }
    verify = escape(say("Verify"))

    def line(unit: AdministrativeUnit, work: CommuneWork, told: Forecast) -> str:
        standing, forms, name = work.standing, f"{list_before}{unit.pk}{list_behind}?state=", escape(unit.full_name)
        until = range_of(told) if work.left > 0 else NOTHING
        begin = f'<a class="open" href="{work_before}{unit.pk}{work_behind}">{verify}<span class="visually-hidden"> {name}</span></a>'
        figures = "".join(
            f'<td data-label="{heads[state]}" class="num">{_figure(getattr(standing, state), forms + state)}</td>'
            for state in ("untouched", "not_met", "due", "returned", "verified")
        )
        return (
            f'\n<tr><th scope="row"><a href="{page_before}{unit.pk}{page_behind}">{name}</a></th>'
            f'<td data-label="{heads["needed"]}" class="num">{count(work.needed_today)}</td>'
            f'<td data-label="{heads["done"]}" class="num">{count(standing.done_today)}</td>'
            f'<td data-label="{heads["finish"]}">{until} {_warning(told).rstrip(". ")}</td>'
            f'{figures}<td class="no-print">{begin if standing.turn else ""}</td></tr>'
        )

    return mark_safe("".join(line(*commune) for commune in communes))


@register.simple_tag
def returned_lines(returned: Iterable[Returned], reader: int, unit=None) -> SafeString:
    """A line for each form that came back: whose, where (a team's page has no `unit`, so with the commune), why, how
    long it waits, and whose result it was."""
    before, behind = address_of("verification:household_verify")

    def line(back: Returned) -> SafeString:
        row, days, officer = back.row, back.days, back.row.standing_pass.officer
        place = row.hamlet.full_name if unit else f"{row.hamlet.full_name}, {row.commune.mid_sentence_name}"
        waits = ngettext("waits %(n)d day", "waits %(n)d days", days) % {"n": days} if days else say("came back today")
        whose = "" if officer.pk == reader else say("recorded by %(officer)s") % {"officer": officer.full_name}
        return format_html(
            '<li><a href="{}{}{}?person={}">{}</a>, {}: “{}” <span class="state bad">{}</span>{}</li>',
            *(before, row.household_id, behind, row.form_id, row.form.full_name, place),
            *(back.event.reason, waits, format_html(' <span class="quiet">{}</span>', whose) if whose else ""),
        )

    return mark_safe("".join(map(line, returned)))
