"""The text of a report: sentences written from the figures. Every number in them is one of the `Reading`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as say
from django.utils.translation import ngettext

from households.models import AdministrativeUnit
from reports.alerts.rules import BEHIND_TO_DISTRICT, BEHIND_TO_PROVINCE, Finding
from reports.changes import Pair
from reports.forecast import Outlook
from reports.models import Alert, reached_from
from reports.official.annexes import target_words
from reports.official.periods import Period, day_words
from reports.official.reading import Reading
from reports.progress import by_outlook
from reports.targets import TargetState
from reports.templatetags.figures import count, percent
from reports.templatetags.figures import rate as rate_figure
from verification.terms import Outcome

Level = AdministrativeUnit.Level
NAMED = 3  # best and slowest units
LISTED = 10  # names in one sentence


@dataclass(frozen=True)
class Section:
    heading: str
    paragraphs: tuple[str, ...]


def sections_of(reading: Reading) -> tuple[Section, ...]:
    """Of what there is nothing to say, nothing is said; the proposals are for whoever signs."""
    parts = [
        (say("Results"), _results),
        (say("Units"), _units),
        (say("Difficulties"), _difficulties),
        (say("Forecast"), _forecast),
    ]
    told = [(heading, tuple(sentences(reading))) for heading, sentences in parts]
    told = [*((heading, lines) for heading, lines in told if lines), (say("Proposals"), ())]
    numerals = ("I", "II", "III", "IV", "V")
    return tuple(
        Section(f"{numeral}. {heading.upper()}", lines)
        for numeral, (heading, lines) in zip(numerals, told, strict=False)
    )


def forms(number: int) -> str:
    return ngettext("%(n)s form", "%(n)s forms", number) % {"n": count(number)}


def standing_of(pair_or_row) -> str:
    tally = pair_or_row.tally
    return f"{count(tally.verified)}/{count(tally.base)}"


def _results(reading: Reading) -> Iterator[str]:
    tally = reading.whole.tally
    values = {
        "day": day_words(reading.period.last),
        "unit": reading.unit.mid_sentence_name,
        "verified": count(tally.verified),
        "base": count(tally.base),
        "rate": percent(tally.rate),
        "left": forms(tally.left),
    }
    if not tally.base:
        yield say("To the end of %(day)s no forms were planned in %(unit)s.") % values
        return
    if tally.left > 0:
        yield (
            say(
                "To the end of %(day)s %(verified)s/%(base)s forms of %(unit)s were verified, %(rate)s of the plan; %(left)s left."
            )
            % values
        )
    else:
        yield (
            say(
                "To the end of %(day)s %(verified)s/%(base)s forms of %(unit)s were verified, %(rate)s of the plan; nothing is left."
            )
            % values
        )
    yield from _in_the_period(reading)
    yield from _since_the_last_report(reading)
    if reading.whole.reported:
        yield say("Of %(all)s with a result: %(parts)s.") % {
            "all": forms(reading.whole.reported),
            "parts": "; ".join(
                f"{_small(str(row.label))} {count(row.forms)} ({percent(row.rate)})"
                for row in reading.whole.outcome_rows
                if row.forms
            ),
        }
    counting = [
        _small(str(Outcome(value).label)) for value in Outcome.values if value in reading.round.counting_outcomes
    ]
    yield say("Counted as verified: %(outcomes)s; removals once they are approved. Rates are shares of the plan.") % {
        "outcomes": "; ".join(counting)
    }
    yield from (_target(state) for state in reading.targets)
    if tally.population:
        yield say(
            "Bases: registered population %(population)s; collected %(collected)s; good and scanned %(qualified)s; in the round %(in_scope)s; verified %(verified)s."
        ) % {
            name: count(getattr(tally, name))
            for name in ("population", "collected", "qualified", "in_scope", "verified")
        }


def _in_the_period(reading: Reading) -> Iterator[str]:
    period, gained, earlier = reading.period, reading.gained, reading.gained_before
    values = {"gained": forms(gained), "days": period.days, "a_day": count(round(gained / period.days))}
    if period.days == 1:
        sentence = say("On that day %(gained)s were verified.") % values
    else:
        sentence = say("In the %(days)s days of the report %(gained)s were verified, %(a_day)s a day.") % values
    if earlier is None:
        yield f"{sentence} {say('It is the first report of the round, so there is none to compare with.')}"
        return
    difference = gained - earlier
    values = {
        "more": forms(abs(difference)),
        "earlier": forms(earlier),
        "share": percent(Decimal(100 * abs(difference)) / earlier) if earlier > 0 else "",
        "before": _days_of(period.before),
    }
    yield f"{sentence} {_compared(difference, bool(values['share'])) % values}"


def _compared(difference: int, has_share: bool) -> str:
    if not difference:
        return say("As many as in the period before (%(before)s).")
    if not has_share:
        if difference > 0:
            return say("%(more)s more than in the period before (%(before)s: %(earlier)s).")
        return say("%(more)s fewer than in the period before (%(before)s: %(earlier)s).")
    if difference > 0:
        return say("%(more)s more (%(share)s) than in the period before (%(before)s: %(earlier)s).")
    return say("%(more)s fewer (%(share)s) than in the period before (%(before)s: %(earlier)s).")


def _days_of(period: Period) -> str:
    if period.first == period.last:
        return day_words(period.last)
    return f"{day_words(period.first)} - {day_words(period.last)}"


def _since_the_last_report(reading: Reading) -> Iterator[str]:
    before, now = reading.before.tally, reading.whole.tally
    if reading.gained_before is None or before.rate is None or now.rate is None:
        return
    points = now.rate - before.rate
    values = {
        "points": rate_figure(abs(points)),
        "rate": percent(before.rate),
        "standing": standing_of(reading.before),
        "day": day_words(reading.period.cut_off_before),
    }
    sentence = say("The rate is that of the last report (end of %(day)s: %(standing)s forms, %(rate)s).")
    if points > 0:
        sentence = say(
            "The rate rose by %(points)s points against the last report (end of %(day)s: %(standing)s forms, %(rate)s)."
        )
    elif points < 0:
        sentence = say(
            "The rate fell by %(points)s points against the last report (end of %(day)s: %(standing)s forms, %(rate)s)."
        )
    yield sentence % values


def _target(state: TargetState) -> str:
    values = {
        "target": target_words(state.target),
        "standing": str(state.standing.label),
        "missing": forms(state.missing),
        "per_day": count(state.per_day),
        "communes": ngettext("%(n)s commune", "%(n)s communes", len(state.breakers))
        % {"n": count(len(state.breakers))},
        "points": rate_figure(state.value) if state.value is not None else "",
    }
    sentence = say("Target “%(target)s”: %(standing)s.")
    if state.target.kind == state.target.Kind.SPREAD and state.value is not None:
        sentence = say("Target “%(target)s”: %(standing)s; now %(points)s points.")
    elif state.missing and state.breakers:
        sentence = say("Target “%(target)s”: %(standing)s; %(communes)s are short of %(missing)s.")
    elif state.missing and state.per_day is None:
        sentence = say("Target “%(target)s”: %(standing)s; %(missing)s short.")
    elif state.missing:
        sentence = say("Target “%(target)s”: %(standing)s; %(missing)s short, %(per_day)s a day are needed.")
    return sentence % values


def _units(reading: Reading) -> Iterator[str]:
    planned = [pair for pair in reading.units.pairs if pair.after.tally.plan]
    by_rate = sorted(planned, key=lambda pair: pair.after.tally.rate, reverse=True)
    some = min(NAMED, len(planned) // 2)
    if some:
        yield say("Highest rates: %(units)s.") % {"units": _named(by_rate[:some])}
        yield say("Lowest rates: %(units)s.") % {"units": _named(by_rate[-some:][::-1])}
        most = max(planned, key=lambda pair: pair.verified)
        if most.verified > 0:
            values = {"unit": most.owner.mid_sentence_name, "gained": forms(most.verified)}
            yield say("Most verified in the period: %(unit)s (%(gained)s).") % values
    if len(planned) > 1:
        outlooks = by_outlook([pair.after for pair in planned])
        parts = "; ".join(f"{outlook.label} {count(units)}" for outlook, units in outlooks)
        yield say("Of %(all)s units, by the forecast to the end of the round: %(parts)s.") % {
            "all": count(len(planned)),
            "parts": parts,
        }
    idle = [
        pair
        for pair in reading.communes.pairs
        if pair.after.tally.plan and pair.after.tally.left > 0 and pair.verified <= 0
    ]
    if idle:
        values = {"n": count(len(idle)), "all": count(len(reading.communes.pairs)), "names": _names(idle)}
        yield say("In %(n)s of %(all)s communes nothing was added in the period: %(names)s.") % values


def _named(pairs: list[Pair]) -> str:
    return "; ".join(
        f"{pair.owner.mid_sentence_name} {percent(pair.after.tally.rate)} ({standing_of(pair.after)})" for pair in pairs
    )


def _names(pairs: list[Pair]) -> str:
    names = ", ".join(pair.owner.mid_sentence_name for pair in pairs[:LISTED])
    rest = len(pairs) - LISTED
    return say("%(names)s and %(rest)s more") % {"names": names, "rest": count(rest)} if rest > 0 else names


def _difficulties(reading: Reading) -> Iterator[str]:
    tally = reading.whole.tally
    told: list[tuple[int, Callable[[], str]]] = [
        (tally.not_met, lambda: say("Absent and to be visited again: %(n)s.")),
        (tally.unverifiable, lambda: say("Could not be verified: %(n)s.")),
        (tally.pending, lambda: say("Corrections and removals that wait for approval: %(n)s.")),
        (tally.returned, lambda: say("Returned by the approving level and not done again yet: %(n)s.")),
        (reading.whole.unqualified, lambda: say("Collected, but not good or not scanned, so not in the round: %(n)s.")),
    ]
    yield from (sentence() % {"n": forms(number)} for number, sentence in told if number > 0)
    yield from _faults(reading)
    yield from _alerts(reading)
    if reading.late_in_all > 0:
        yield say("Of the results of the period %(n)s were verified before it and recorded late.") % {
            "n": forms(reading.late_in_all)
        }


def _alerts(reading: Reading) -> Iterator[str]:
    """Communes that are behind, idle or too quick, the worst first."""
    found = {kind: [each for each in reading.alerts if each[1].kind == kind] for kind in Alert.Kind}
    if behind := sorted(found[Alert.Kind.BEHIND], key=lambda each: (-each[1].facts["days"], -each[1].facts["left"])):
        days = {Level.PROVINCE: BEHIND_TO_PROVINCE, Level.DISTRICT: BEHIND_TO_DISTRICT}.get(
            reached_from(reading.unit.level), 1
        )
        values = {"n": count(len(behind)), "days": count(days), "named": _with_days(behind)}
        yield (
            ngettext(
                "Under the rate that the plan needs, for %(days)s days or longer: %(n)s commune; %(named)s.",
                "Under the rate that the plan needs, for %(days)s days or longer: %(n)s communes; the longest: %(named)s.",
                len(behind),
            )
            % values
        )
    if idle := sorted(found[Alert.Kind.IDLE], key=lambda each: -each[1].facts["days"]):
        yield ngettext(
            "Without a result for three working days or longer: %(n)s commune; %(named)s.",
            "Without a result for three working days or longer: %(n)s communes; the longest: %(named)s.",
            len(idle),
        ) % {"n": count(len(idle)), "named": _with_days(idle)}
    if jumps := sorted(found[Alert.Kind.JUMP], key=lambda each: -each[1].facts["forms"]):
        named = "; ".join(
            say("%(unit)s (%(forms)s on %(day)s, usually %(usual)s)")
            % {
                "unit": unit.mid_sentence_name,
                "forms": count(finding.facts["forms"]),
                "day": day_words(date.fromisoformat(finding.facts["day"])),
                "usual": count(finding.facts["usual"]),
            }
            for unit, finding in jumps[:NAMED]
        )
        yield ngettext(
            "A day far above the usual one, to be looked at: %(n)s commune; %(named)s.",
            "A day far above the usual one, to be looked at: %(n)s communes; the largest: %(named)s.",
            len(jumps),
        ) % {"n": count(len(jumps)), "named": named}


def _with_days(found: list[tuple[AdministrativeUnit, Finding]]) -> str:
    return "; ".join(
        ngettext("%(unit)s (%(days)s day)", "%(unit)s (%(days)s days)", finding.facts["days"])
        % {"unit": unit.mid_sentence_name, "days": count(finding.facts["days"])}
        for unit, finding in found[:NAMED]
    )


def _faults(reading: Reading) -> Iterator[str]:
    found = sorted(reading.faults, key=lambda fault: (-fault.after, fault.code))
    if not found:
        return
    named = "; ".join(f"{fault.code} {_small(fault.label)} ({count(fault.after)})" for fault in found[:NAMED])
    values = {"all": count(sum(fault.after for fault in found)), "kinds": count(len(found)), "named": named}
    yield say("Faults found to date: %(all)s findings of %(kinds)s kinds; the most frequent: %(named)s.") % values


def _forecast(reading: Reading) -> Iterator[str]:
    told, tally = reading.whole.forecast, reading.whole.tally
    if not tally.base:
        return
    values = {
        "unit": reading.unit.mid_sentence_name,
        "ends_on": day_words(told.ends_on),
        "earliest": day_words(told.earliest) if told.earliest else "",
        "latest": day_words(told.latest) if told.latest else "",
        "needed": forms(told.needed_per_day or 0),
        "recent": forms(reading.whole.recent_per_day),
    }
    if told.outlook == Outlook.FINISHED:
        if told.earliest:
            yield say("The plan was reached on %(earliest)s.") % values
        return
    yield _when(told.earliest is not None, told.latest is not None) % values
    if told.needed_per_day is None:
        yield say("The round ended on %(ends_on)s.") % values
    else:
        yield (
            say("To finish by %(ends_on)s %(needed)s a day are needed; in the last seven days it was %(recent)s a day.")
            % values
        )


def _when(has_earliest: bool, has_latest: bool) -> str:
    if not has_earliest:
        return say("From the pace of %(unit)s so far no end can be told.")
    if not has_latest:
        return say(
            "At the recent pace the plan is reached on %(earliest)s at the earliest; a latest day cannot be told."
        )
    return say("At the recent pace the plan is reached between %(earliest)s and %(latest)s (eight chances in ten).")


def _small(label: str) -> str:
    """A label inside a sentence."""
    return label[:1].lower() + label[1:]
