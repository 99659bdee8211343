"""What the page of a delivery tells: its rows by kind and item, and a page of them in walking order."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.translation import gettext as say

from reports.deliveries.models import Delivery, DeliveryLine
from verification.items import ITEMS
from verification.terms import Outcome

PAGE = 50
Answer, Kind = DeliveryLine.Answer, DeliveryLine.Kind
RANK = {"": -1} | {item: rank for rank, item in enumerate(ITEMS)}


@dataclass(frozen=True)
class Sum:
    """Rows of one kind and item, and how they were answered."""

    kind: str
    item: str
    rows: int
    accepted: int = 0
    refused: int = 0

    @property
    def unanswered(self) -> int:
        return self.rows - self.accepted - self.refused

    @property
    def label(self) -> str:
        return item_label(self.kind, self.item)


def item_label(kind: str, item: str) -> str:
    """ "Birth date", or of rows about the whole form what is done with it."""
    if item:
        label = str(ITEMS[item].label)
        return say("Recall: %(item)s") % {"item": label} if kind == Kind.RECALL else label
    return say("Recall of a removal") if kind == Kind.RECALL else say("Removal of the form")


def in_order(sums: Iterable[Sum]) -> list[Sum]:
    kinds = list(Kind.values)
    return sorted(sums, key=lambda each: (kinds.index(each.kind), RANK[each.item]))


def sums_of(delivery: Delivery) -> list[Sum]:
    """The order of rows is another than the models' own."""
    counted = (
        DeliveryLine.objects.filter(delivery=delivery)
        .values_list("kind", "item")
        .annotate(
            rows=Count("pk"),
            accepted=Count("pk", filter=Q(answer=Answer.ACCEPTED)),
            refused=Count("pk", filter=Q(answer=Answer.REFUSED)),
        )
    )
    return in_order(Sum(*row) for row in counted)


def page_after(delivery: Delivery, after: int, answer: str | None) -> tuple[list[DeliveryLine], int]:
    """One page of the rows behind number `after`, and the number to go on from (0 on the last page). By number, not by
    offset, so page fifty costs what the first one costs."""
    lines = DeliveryLine.objects.filter(delivery=delivery, number__gt=after)
    if answer is not None:
        lines = lines.filter(answer=answer)
    lines = lines.select_related(
        "form__commune",
        "correction",
        "verification_pass__duplicate_of",
        "replaces__delivery__area",
        "sent_again_by",
    )
    found = list(lines.order_by("number")[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].number if len(found) > PAGE else 0


def change_of(line: DeliveryLine) -> tuple[str, str]:
    """(old, new) as the row says them: a recall says the new value is gone and the old one holds again."""
    old, new = line.correction.old, line.correction.new
    return (new, old) if line.kind == Kind.RECALL else (old, new)


def removal_label(line: DeliveryLine) -> str:
    return str(Outcome(line.verification_pass.outcome).label)
