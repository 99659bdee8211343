"""Which sheets a hamlet or commune is printed as, and what each says."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as say

from census_verify import clock
from households.models import AdministrativeUnit, User
from verification import permissions
from verification.models import PassEvent, Printing, Round, RoundForm, Sheet, SheetLine
from verification.records import masked
from verification.rules import Conflict, InvalidEntry, NotAllowed
from verification.sheets import codes
from verification.terms import OUTCOME_KEYS, SHORT_LABELS, Approval, Outcome

# What fits on both sides of a leaf: whole households, as long as together they have no more people than this.
MOST_PEOPLE = 50
WALKING_ORDER = ("hamlet__code", "household__sequence", "form__line", "form_id")


@dataclass
class Planned:
    """One sheet: its people, household by household."""

    hamlet: AdministrativeUnit
    households: list[list[RoundForm]] = field(default_factory=list)
    sheet: Sheet | None = None

    @property
    def people(self) -> list[RoundForm]:
        return [row for household in self.households for row in household]


def request(*, unit: AdministrativeUnit, round: Round, request: UUID, by: User) -> Printing:
    """Put down what is to be printed; `request` is made by the page, so that pressing twice prints once.

    Raises NotAllowed, Conflict when the round is not open, InvalidEntry when nobody is due.
    """
    commune_id = unit.parent_id if unit.level == AdministrativeUnit.Level.HAMLET else unit.pk
    if not permissions.can_record_in(by, commune_id):
        raise NotAllowed(say("Sheets are printed by those who record results in the commune."))
    if round.status != Round.Status.OPEN:
        raise Conflict(say("The round “%(round)s” is not open.") % {"round": round.name})
    if not due(round, unit).exists():
        raise InvalidEntry(say("Nobody here is due: there is nothing to print."))
    values = {"round": round, "unit": unit, "by": by, "asked_at": clock.now(), "language": get_language()}
    printing, _ = Printing.objects.get_or_create(request=request, defaults=values)
    if (printing.by_id, printing.unit_id) != (by.pk, unit.pk):
        raise Conflict(say("This was already sent for something else. Open the page again."))
    return printing


def due(round: Round, unit: AdministrativeUnit) -> QuerySet[RoundForm]:
    """Whose turn it is in a hamlet or commune."""
    rows = RoundForm.objects.due(round, clock.today())
    if unit.level == AdministrativeUnit.Level.HAMLET:
        return rows.filter(commune=unit.parent_id, hamlet=unit)
    return rows.filter(commune=unit)


def plan(round: Round, unit: AdministrativeUnit) -> list[Planned]:
    """The sheets of everybody due, in walking order: whole households, each hamlet begins a new sheet."""
    rows = due(round, unit).select_related("form", "household", "hamlet").order_by(*WALKING_ORDER)
    planned = []
    for hamlet, of_hamlet in groupby(rows, key=lambda row: row.hamlet):
        for _, household in groupby(of_hamlet, key=lambda row: row.household_id):
            household = list(household)
            last = planned[-1] if planned else None
            if last is None or last.hamlet != hamlet or len(last.people) + len(household) > MOST_PEOPLE:
                last = Planned(hamlet)
                planned.append(last)
            last.households.append(household)
    return planned


@transaction.atomic
def store(printing: Printing, planned: list[Planned]) -> None:
    """Number the sheets and keep which person stands on which line."""
    parts = {hamlet: len(list(sheets)) for hamlet, sheets in groupby(planned, key=lambda p: p.hamlet.pk)}
    part = 0
    for before, one in zip([None, *planned], planned, strict=False):
        part = part + 1 if before and before.hamlet == one.hamlet else 1
        first = one.people[0]
        one.sheet = Sheet(
            printing=printing,
            round_id=printing.round_id,
            province_id=first.province_id,
            commune_id=first.commune_id,
            hamlet=one.hamlet,
            part=part,
            parts=parts[one.hamlet.pk],
            printed_by=printing.by,
            printed_at=clock.now(),
        )
    Sheet.objects.bulk_create(one.sheet for one in planned)
    SheetLine.objects.bulk_create(
        (
            SheetLine(sheet=one.sheet, number=number, form_id=row.form_id, seen_pass_id=row.standing_pass_id)
            for one in planned
            for number, row in enumerate(one.people, start=1)
        ),
        batch_size=2000,
    )


class Paper:
    """What the sheets of one printing say, as `typesetting` wants it."""

    def __init__(self, printing: Printing, planned: Iterable[Planned]):
        self.printing, self.round = printing, printing.round
        self.commune = (
            printing.unit if printing.unit.level == AdministrativeUnit.Level.COMMUNE else printing.unit.parent
        )
        returned = [row.standing_pass_id for one in planned for row in one.people if row.approval == Approval.RETURNED]
        events = PassEvent.objects.filter(verification_pass__in=returned, kind=PassEvent.Kind.RETURNED)
        self.reasons = dict(events.order_by("pk").values_list("verification_pass", "reason")) if returned else {}

    def data(self, planned: Iterable[Planned]) -> dict:
        return {"language": self.printing.language, "words": self._words(), "sheets": list(map(self._sheet, planned))}

    def _words(self) -> dict:
        at = self.printing.asked_at.astimezone(clock.now().tzinfo)
        return {
            # the head of an official paper is in Vietnamese, whatever language the officer reads
            "country": "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
            "motto": "Độc lập - Tự do - Hạnh phúc",
            "title": say("CHECKLIST OF RE-VERIFICATION"),
            "sheet": say("Sheet"),
            "heads": [
                *("", say("No."), say("Full name"), say("Birth date"), say("Sex"), say("Relation")),
                *(say("Number"), say("What was found")),
            ],
            "how": say("All correct: leave the box empty. Otherwise write the letter and what is right:"),
            "keys": [
                [OUTCOME_KEYS[outcome].upper(), str(SHORT_LABELS[outcome])]
                for outcome in Outcome
                if outcome != Outcome.MATCHED
            ],
            "printed": say("Printed at %(time)s on %(day)s by %(officer)s. Personal data: hand back after entry.")
            % {"time": f"{at:%H:%M}", "day": _day(at), "officer": self.printing.by},
        }

    def _sheet(self, one: Planned) -> dict:
        commune, sheet = self.commune, one.sheet
        above = (commune, commune.parent, commune.parent.parent)
        at = self.printing.asked_at.astimezone(clock.now().tzinfo)
        numbers = iter(range(1, len(one.people) + 1))
        return {
            "number": sheet.number,
            "code": codes.code_of(codes.SHEET, sheet.pk),
            "superior": f"CÔNG AN {commune.parent.full_name.upper()}",
            "office": f"CÔNG AN {commune.full_name.upper()}",
            "place": ", ".join([one.hamlet.full_name, *(unit.mid_sentence_name for unit in above)]),
            "running": f"{one.hamlet.full_name}, {commune.mid_sentence_name}",
            "facts": [
                [say("Round"), self.round.name],
                [say("Part"), f"{sheet.part}/{sheet.parts}"],
                [
                    say("Content"),
                    say("%(households)d households, %(people)d people due on %(day)s")
                    % {"households": len(one.households), "people": len(one.people), "day": _day(at)},
                ],
            ],
            "households": [
                self._household(number, rows, numbers) for number, rows in enumerate(one.households, start=1)
            ],
        }

    def _household(self, number: int, rows: list[RoundForm], numbers: Iterable[int]) -> dict:
        household = rows[0].household
        address = household.address if household.address != rows[0].hamlet.full_name else ""
        return {
            "code": codes.code_of(codes.HOUSEHOLD, household.pk),
            "head": f"{number}. {household.head_name or say('no head named')}",
            "book": say("household book %(book)s") % {"book": household.book_number or "–"},
            "address": address,
            "people": [self._person(next(numbers), row) for row in rows],
        }

    def _person(self, number: int, row: RoundForm) -> dict:
        form = row.form
        return {
            "line": number,
            "name": form.full_name,
            "born": form.birth_date_text,
            "sex": capfirst(form.get_sex_display()),
            "relation": form.relation,
            "number": self._number(form.pin or form.cmnd),
            "note": self._note(row),
        }

    def _number(self, number: str) -> str:
        """As much of it as the round lets be printed; that there is none is always said."""
        if not number:
            return "–"
        shown = {Round.NumbersOnSheets.WHOLE: number, Round.NumbersOnSheets.NONE: ""}
        return shown.get(self.round.numbers_on_sheets, masked(number))

    def _note(self, row: RoundForm) -> str:
        if row.approval == Approval.RETURNED:
            return say("returned: %(reason)s") % {"reason": self.reasons.get(row.standing_pass_id, "")}
        if row.outcome == Outcome.NOT_MET:
            return say("absent before, next visit %(day)s") % {"day": _day(row.next_visit_on)}
        return ""


def _day(day) -> str:
    return f"{day.day}/{day.month}/{day.year}"
