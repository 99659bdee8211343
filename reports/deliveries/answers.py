"""What the receiver answered: a file read whole, told row by row where it is wrong, written only when all of it is right."""

from collections.abc import Iterator, Mapping

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as say

from census_verify import clock
from households.models import User
from reports.deliveries.making import locked
from reports.deliveries.models import Delivery, DeliveryLine
from verification.rules import Conflict

Answer = DeliveryLine.Answer
Answers = Mapping[int, tuple[str, str]]  # number of the row -> (answer, the receiver's reason)


class AnswersRefused(Conflict):
    """The file contradicts what is stored; `problems` are (number of the row, sentence)."""

    def __init__(self, sentence: str, problems: list[tuple[int, str]]):
        super().__init__(sentence)
        self.problems = problems


@transaction.atomic
def load(*, delivery: Delivery, answers: Answers, by: User) -> int:
    """Store the answers: all of them, or none. Returns how many rows had none before; 0 where the file was loaded
    already. Raises NotAllowed, or Conflict of a withdrawn delivery, of unknown rows, of another answer than before."""
    delivery = locked(delivery, by)
    if delivery.withdrawn_at:
        raise Conflict(say("This delivery was withdrawn: answers to it count no more."))
    stored = dict(delivery.lines.values_list("number", "answer"))
    if problems := list(_contradictions(answers, stored, delivery)):
        raise AnswersRefused(say("Nothing was taken over."), problems)
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


def _contradictions(answers: Answers, stored: dict[int, str], delivery: Delivery) -> Iterator[tuple[int, str]]:
    labels = dict(Answer.choices)
    for number, (answer, _reason) in answers.items():
        if number not in stored:
            yield (
                number,
                say("Delivery %(code)s has rows 1 to %(rows)d; there is no row %(number)d.")
                % {"code": delivery.code, "rows": delivery.rows, "number": number},
            )
        elif stored[number] not in ("", answer):
            yield (
                number,
                say("Row %(number)d was answered “%(before)s” before; the file says “%(now)s”.")
                % {"number": number, "before": labels[stored[number]], "now": labels[answer]},
            )
