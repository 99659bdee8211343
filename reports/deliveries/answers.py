"""What the receiver answered: a file read whole, told row by row where it is wrong, stored only when all of it is right."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as say

from census_verify import clock
from households import text
from households.imports import files, headings
from households.imports.fields import Field
from households.imports.problems import FileRefused, sentence
from households.models import User
from reports.deliveries import values
from reports.deliveries.files import unmarked
from reports.deliveries.making import locked
from reports.deliveries.models import Delivery, DeliveryLine
from verification.rules import Conflict, InvalidEntry

Answer = DeliveryLine.Answer
Answers = dict[int, tuple[str, str]]  # number of the row -> (answer, the receiver's reason)
Problem = tuple[int, str]  # (row of the file, or of the delivery where the file is fit to be read; sentence)

BYTES_AT_MOST = 64 * 2**20
REASON_AT_MOST = 200
FIELDS = (
    Field("MaLanGiao", "MaLanGiao", frozenset({"ma lan giao", "lan giao", "delivery"})),
    Field("Dong", "Dong", frozenset({"dong so", "so dong", "row", "line"}), is_required=True),
    Field("TraLoi", "TraLoi", frozenset({"tra loi", "ket qua", "answer", "result"}), is_required=True),
    Field("LyDo", "LyDo", frozenset({"ly do", "ly do tu choi", "reason"})),
)
WORDS = {
    Answer.ACCEPTED: {values.ANSWERS["accepted"], "chap nhan", "tiep nhan", "dat", "accepted"},
    Answer.REFUSED: {values.ANSWERS["refused"], "tu choi", "khong dat", "refused"},
}


class AnswersRefused(InvalidEntry):
    """Nothing of the file was stored; `problems` say why, row by row."""

    def __init__(self, sentence: str, problems: Iterable[Problem] = ()):
        super().__init__(sentence)
        self.problems = list(problems)


def too_large() -> AnswersRefused:
    return AnswersRefused(say("The file is larger than %(limit)d MB.") % {"limit": BYTES_AT_MOST // 2**20})


# Reading


def read(path: Path, name: str, delivery: Delivery) -> Answers:
    """The answers of a file called `name`: JSON, or a list in any shape that imports are read in.

    A row without an answer has none yet and is passed over. Raises AnswersRefused.
    """
    is_json = Path(name).suffix.lower() == ".json"
    rows = _rows_of_json(path, delivery) if is_json else _rows_of_list(path, name)
    answers: Answers = {}
    problems: list[Problem] = []
    for row, cells in rows:
        try:
            number, *answer = _read_row(cells, delivery)
        except ValueError as wrong:
            problems.append((row, str(wrong)))
            continue
        if not answer[0]:
            continue
        if answers.setdefault(number, tuple(answer))[0] != answer[0]:
            problems.append((row, say("Row %(number)d is answered twice, differently.") % {"number": number}))
    if problems:
        raise AnswersRefused(say("Nothing was taken over: the file cannot be right."), problems)
    if not answers:
        raise AnswersRefused(say("No row of the file has an answer."))
    return answers


def _read_row(cells: dict[str, str], delivery: Delivery) -> tuple[int, str, str]:
    """(number, answer, reason). Raises ValueError with the sentence that says what is wrong."""
    code, number, answer, reason = (text.clean(unmarked(cells.get(field.name, ""))) for field in FIELDS)
    if code and code != delivery.code:
        raise ValueError(
            say("This row answers delivery %(other)s; this page is of %(code)s.")
            % {"other": code[:40], "code": delivery.code}
        )
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise ValueError(say("“%(number)s” is no row number.") % {"number": number[:40]})
    if not answer:
        return int(number), "", ""
    word = text.search_key(answer)
    read = next((each for each, words in WORDS.items() if word in words), None)
    if read is None:
        raise ValueError(say("“%(answer)s” is no answer: write chap_nhan or tu_choi.") % {"answer": answer[:40]})
    if read == Answer.REFUSED and not reason:
        raise ValueError(say("A refused row needs the receiver's reason."))
    if len(reason) > REASON_AT_MOST:
        raise ValueError(say("A reason has at most %(limit)d characters.") % {"limit": REASON_AT_MOST})
    return int(number), read.value, reason


def _rows_of_list(path: Path, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        look = files.look_at(path, name, known=headings.known_keys(FIELDS))
        columns = headings.guess_columns(look.headings, FIELDS)
        if missing := headings.missing_required(columns, FIELDS):
            names = ", ".join(field.heading for field in missing)
            raise AnswersRefused(say("The file has no column %(columns)s.") % {"columns": names})
        for number, cells in files.read_rows(path, look.layout):
            _sheet, row = files.place_of(look.layout, number)
            yield row, {field: cells[column] for field, column in columns.items()}
    except FileRefused as refused:
        raise AnswersRefused(sentence(refused.code, refused.values)) from refused


def _rows_of_json(path: Path, delivery: Delivery) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise AnswersRefused(say("The file is no JSON. Have the receiver export it again.")) from None
    rows = document.get("rows") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise AnswersRefused(say("The file has no list “rows”, as the published layout asks."))
    head = document.get("delivery")
    code = head.get("MaLanGiao") if isinstance(head, dict) else None
    if code != delivery.code:
        raise AnswersRefused(
            say("The file answers delivery %(other)s; this page is of %(code)s.")
            % {"other": str(code or "–")[:40], "code": delivery.code}
        )
    for place, row in enumerate(rows, start=1):
        cells = row if isinstance(row, dict) else {}
        yield place, {name: str(cells[name]) for name in ("Dong", "TraLoi", "LyDo") if cells.get(name) is not None}


# Storing


@transaction.atomic
def load(*, delivery: Delivery, answers: Answers, by: User) -> int:
    """Store the answers: all of them, or none. Returns how many rows had none before; 0 where the file was loaded
    already. Raises NotAllowed, Conflict of a withdrawn delivery, AnswersRefused of unknown rows and of another answer
    than before."""
    delivery = locked(delivery, by)
    if delivery.withdrawn_at:
        raise Conflict(say("This delivery was withdrawn: answers to it count no more."))
    stored = dict(delivery.lines.values_list("number", "answer"))
    if problems := list(_contradictions(answers, stored, delivery)):
        raise AnswersRefused(say("Nothing was taken over: the file contradicts the delivery."), problems)
    new = [(number, *answer) for number, answer in answers.items() if not stored[number]]
    if new:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE reports_deliveryline line
                SET answer = given.answer, answer_reason = given.reason, answered_at = %s
                FROM unnest(%s::int[], %s::text[], %s::text[]) given (number, answer, reason)
                WHERE line.delivery_id = %s AND line.number = given.number""",
                [clock.now(), *(list(column) for column in zip(*new, strict=True)), delivery.pk],
            )
        counted = delivery.lines.aggregate(
            accepted=Count("pk", filter=Q(answer=Answer.ACCEPTED)), refused=Count("pk", filter=Q(answer=Answer.REFUSED))
        )
        Delivery.objects.filter(pk=delivery.pk).update(**counted)
    return len(new)


def _contradictions(answers: Answers, stored: dict[int, str], delivery: Delivery) -> Iterator[Problem]:
    labels = dict(Answer.choices)
    for number, (answer, _reason) in answers.items():
        if number not in stored:
            told = {"code": delivery.code, "rows": delivery.rows, "number": number}
            yield number, say("Delivery %(code)s has rows 1 to %(rows)d; there is no row %(number)d.") % told
        elif stored[number] not in ("", answer):
            told = {"number": number, "before": labels[stored[number]], "now": labels[answer]}
            yield number, say("Row %(number)d was answered “%(before)s” before; the file says “%(now)s”.") % told
