"""What the officers recorded: a walk through a commune, home after home, until its share of the work is done."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from random import Random

from households.models import CollectionForm, Household
from reports.demo.calendar import DAYS, LAST_DAY, Course, clock_text
from reports.demo.faults import Planted, mend
from reports.demo.figures import Figures
from reports.demo.forms import FAR_AWAY
from reports.demo.people import Home, Person
from reports.demo.tables import NULL, Lines
from verification.models import Correction, PassEvent, RoundForm, VerificationPass
from verification.terms import REMOVALS, Approval, Outcome, SourcePaper

NOT_MET_REASONS = (
    "Đi làm ăn xa, gia đình hẹn cuối tháng 6 về",
    "Không có nhà sau hai lần đến, đã để lại giấy hẹn",
    "Đi học xa, hẹn sau kỳ thi",
    "Đi biển chưa về",
    "Đang chữa bệnh ở tuyến trên, gia đình hẹn lại",
)
UNVERIFIABLE_REASONS = (
    "Đi khỏi địa phương nhiều năm, gia đình không liên lạc được",
    "Không còn người thân tại địa phương, không rõ nơi đến",
    "Đi lao động nước ngoài, không có giấy tờ để đối chiếu",
)
RETURN_REASONS = (
    "Chưa ghi rõ số giấy khai sinh, đề nghị kiểm tra lại",
    "Nội dung sửa chưa khớp với sổ hộ khẩu",
    "Đề nghị đối chiếu thêm tàng thư hồ sơ",
)
COLLECTED_UNTIL = date(2018, 12, 31)
# From this day on most proposals still wait at the district.
WAITING_SINCE = LAST_DAY - timedelta(days=3)
TYPED_NEXT_MORNING = 0.03  # share of the homes whose results are recorded on the day after
TRUE, FALSE = "t", "f"
TAB = "\t"
# outcome, approval, and the columns single outcomes ask for
Result = tuple[str, str, str]
# (by the books, in person)
METHODS = ((TRUE, TRUE),) * 5 + ((TRUE, FALSE),) * 3 + ((FALSE, TRUE),) * 2

TABLE_OF = {
    "household": Household,
    "form": CollectionForm,
    "round_form": RoundForm,
    "verification_pass": VerificationPass,
    "correction": Correction,
    "event": PassEvent,
}


@dataclass
class Ids:
    """The next id of each table, and the next number printed on paper; one object for the whole province."""

    household: count
    form: count
    round_form: count
    verification_pass: count
    correction: count
    event: count
    book: count = field(default_factory=lambda: count(1))
    barcode: count = field(default_factory=lambda: count(1))
    card: count = field(default_factory=lambda: count(1))
    pin: count = field(default_factory=lambda: count(1))

    @classmethod
    def starting_at(cls, first: dict[type, int]) -> "Ids":
        return cls(**{name: count(first[table]) for name, table in TABLE_OF.items()})

    def following(self) -> dict[type, int]:
        """The id that the next row of each table will have."""
        return {table: next(getattr(self, name)) for name, table in TABLE_OF.items()}


@dataclass(frozen=True)
class Staff:
    """Ids of who works in the commune, and of who approves at the district."""

    officer: int
    team: int
    team_member: int
    district_officer: int


class Walk:
    """The results of one commune. Exactly `figures.verified` of them count as verified.

    `slack` is how many qualified forms may stay unverified: met nobody, waiting for a removal's
    approval, or not reached yet. A complete commune has none.
    """

    def __init__(self, figures: Figures, staff: Staff, ids: Ids, prefix: str, round_id: int, random: Random):
        self.wanted, self.verified = figures.verified, 0
        self.slack = figures.qualified - figures.verified
        self.complete = not self.slack
        self.staff, self.ids, self.random, self.draw = staff, ids, random, random.random
        self.prefix = f"{prefix}\t{round_id}\tt\t{NULL}\t"
        self.course = Course(complete=self.complete, random=random)

    def visit(self, home: Home, planted: dict[int, Planted], prefix: str, lines: Lines) -> None:
        """Record the results of a home, or leave its forms open once the commune's share is done."""
        people = [person for person in home if not person.refused]
        if self.verified >= self.wanted:
            lines[RoundForm] += [
                f"{prefix}{next(self.ids.round_form)}\t{p.form_id}\t\t\t{NULL}\t{NULL}\t{NULL}\t{NULL}\n"
                for p in people
            ]
            return
        place, into_day = self.course.at((self.verified + len(people) * self.draw()) / self.wanted)
        day = DAYS[place]
        head = self._submission(day, into_day)
        everybody_out = len(people) <= self.slack and self.draw() < 0.012
        for person in people:
            pass_id = next(self.ids.verification_pass)
            if everybody_out or self._done_or_out():
                outcome, approval, details = self._not_met(day)
            else:
                outcome, approval, details = self._result(person, planted.get(person.form_id), day, pass_id, lines)
            lines[VerificationPass].append(f"{head}{pass_id}\t{person.form_id}\t{outcome}\t{details}\n")
            waits = NULL
            if approval == "pending":
                waits = head.split(TAB)[-2]  # since it was recorded
            elif approval == "returned":
                waits = lines[PassEvent][-1].rpartition(TAB)[2].strip()  # since the district's word, just written
            standing = f"{outcome}\t{approval}\t{day}\t{details.rpartition(TAB)[2]}\t{pass_id}\t{waits}"
            lines[RoundForm].append(f"{prefix}{next(self.ids.round_form)}\t{person.form_id}\t{standing}\n")
            if outcome == "not_met" or (approval == "pending" and outcome in REMOVALS):
                self.slack -= 1
            else:
                self.verified += 1

    def _submission(self, day: date, into_day: float) -> str:
        """What the passes of one home have in common."""
        draw, staff = self.draw, self.staff
        by_team = draw() < 0.3
        who = f"{staff.team}\t{staff.team_member}" if by_team else f"{NULL}\t{staff.officer}"
        by_books, in_person = METHODS[int(len(METHODS) * draw())]
        # a random UUID (version 4), as browsers make them
        number = self.random.getrandbits(128) & ~(0xF << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62
        recorded = f"{day} {clock_text(into_day, late=day < LAST_DAY, second=int(60 * draw()))}"
        if day < LAST_DAY and draw() < TYPED_NEXT_MORNING:  # before the district's day begins
            recorded = f"{day + timedelta(days=1)} 07:{30 + int(30 * draw())}:00+07"
        return f"{self.prefix}{who}\t{number:032x}\t{by_books}\t{in_person}\t{day}\t{recorded}\t"

    def _done_or_out(self) -> bool:
        return self.verified >= self.wanted or (self.slack > 0 and self.draw() < 0.008)

    def _not_met(self, day: date) -> Result:
        if self.draw() < 0.2:
            back = LAST_DAY + timedelta(days=int(2 * self.draw()))
        else:
            back = LAST_DAY + timedelta(days=2 + int(9 * self.draw()))
        if day == LAST_DAY and back == day:
            back += timedelta(days=1)
        return Outcome.NOT_MET.value, "", asked(reason=self._one_of(NOT_MET_REASONS), next_visit_on=back)

    def _result(self, person: Person, fault: Planted | None, day: date, pass_id: int, lines: Lines) -> Result:
        """What the form of somebody who was dealt with came to."""
        chance, age = self.draw(), person.age
        if fault:
            approval = self._approval(day)
            self._correct(pass_id, fault, approval, day, lines)
            if approval == Approval.APPROVED:
                mend(person, fault)
            return (Outcome.CORRECTED if fault.old else Outcome.SUPPLEMENTED).value, approval, NOTHING_ASKED
        if person.duplicate_of:
            return self._removal(Outcome.DUPLICATE, asked(duplicate_of=person.duplicate_of), day, pass_id, lines)
        if age >= 60 and chance < 0.025:
            died = asked(event_on=self._since_collection(day), paper=SourcePaper.CIVIL_STATUS_EXTRACT.value)
            return self._removal(Outcome.DECEASED, died, day, pass_id, lines)
        if 18 <= age < 45 and chance < 0.06:
            if chance < 0.03:
                return self._moved_away(day)
            if chance < 0.058:
                reason, attempts = self._one_of(UNVERIFIABLE_REASONS), 2 + int(3 * self.draw())
                return Outcome.UNVERIFIABLE.value, "", asked(reason=reason, attempts=attempts)
            settled = asked(paper=SourcePaper.OTHER.value, reason="Định cư ở nước ngoài, đã thôi quốc tịch")
            return self._removal(Outcome.EMIGRATED, settled, day, pass_id, lines)
        return self._moved_away(day) if chance < 0.004 else (Outcome.MATCHED.value, "", NOTHING_ASKED)

    def _moved_away(self, day: date) -> Result:
        where = asked(event_on=self._since_collection(day), destination=self._one_of(FAR_AWAY).text)
        return Outcome.MOVED_AWAY.value, "", where

    def _removal(self, outcome, asked_for: str, day: date, pass_id: int, lines: Lines) -> Result:
        if day >= WAITING_SINCE and not self.slack:
            return Outcome.MATCHED.value, "", NOTHING_ASKED
        approval = Approval.PENDING.value if day >= WAITING_SINCE else Approval.APPROVED.value
        self._decide(pass_id, approval, self._decided_at(day), lines)
        return outcome.value, approval, asked_for

    def _approval(self, day: date) -> str:
        """Where the district stands with corrections of that day."""
        if self.complete or day < date(2020, 5, 20):
            return Approval.APPROVED.value
        chance = self.draw()
        if day >= LAST_DAY or chance < (0.7 if day >= WAITING_SINCE else 0.02):
            return Approval.PENDING.value
        return Approval.RETURNED.value if chance > 0.985 else Approval.APPROVED.value

    def _correct(self, pass_id: int, fault: Planted, approval: str, day: date, lines: Lines) -> None:
        at = self._decided_at(day)
        decision = f"{NULL}\t{NULL}" if approval == "pending" else f"{self.staff.district_officer}\t{at}"
        lines[Correction].append(
            f"{next(self.ids.correction)}\t{pass_id}\t{fault.field}\t{fault.old}\t{fault.new}"
            f"\t{fault.fault}\t{fault.source}\t\t{approval}\t{decision}\n"
        )
        self._decide(pass_id, approval, at, lines)

    def _decide(self, pass_id: int, approval: str, at: str, lines: Lines) -> None:
        if approval == "pending":
            return
        reason = self._one_of(RETURN_REASONS) if approval == "returned" else ""
        lines[PassEvent].append(
            f"{next(self.ids.event)}\t{pass_id}\t{approval}\t{reason}\t{self.staff.district_officer}\t{at}\n"
        )

    def _decided_at(self, day: date) -> str:
        decided_on = min(day + timedelta(days=1 + int(3 * self.draw())), LAST_DAY)
        return f"{decided_on} {8 + int(9 * self.draw()):02d}:{int(60 * self.draw()):02d}:00+07"

    def _since_collection(self, day: date) -> date:
        return COLLECTED_UNTIL + timedelta(days=int(((day - COLLECTED_UNTIL).days + 1) * self.draw()))

    def _one_of(self, options):
        return options[int(len(options) * self.draw())]


def asked(
    event_on=NULL, destination="", paper="", duplicate_of=NULL, reason="", attempts=NULL, next_visit_on=NULL
) -> str:
    """The columns of a pass that single outcomes ask for."""
    return f"{event_on}\t{destination}\t{paper}\t{duplicate_of}\t{reason}\t{attempts}\t{next_visit_on}"


NOTHING_ASKED = asked()
