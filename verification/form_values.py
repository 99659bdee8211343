"""Where a correction becomes the form's value: the only place that writes the items of a form after it was collected.

What was collected remains: it is the `old` of the first correction in force (`history.chain_of`).
"""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from celery import current_app
from django.db import connection, transaction
from django.utils.translation import gettext as say

from households import suspicions
from households.models import CollectionForm
from verification import items, outbox
from verification.models import Correction
from verification.rules import Conflict

logger = logging.getLogger(__name__)

FORMS_A_TASK = 500
# `history.CorrectionState.IN_FORCE` of a `correction` and its `pass`.
IN_FORCE = """(correction.approval = 'approved' OR (correction.approval = '' AND
        NOT EXISTS (SELECT FROM verification_passevent event WHERE event.verification_pass_id = pass.id AND event.kind = 'undone')))"""
# Of each item of a form that corrections in force changed: what was collected, what stands, and since when. The same
# rule as `history.chain_of`, for an import's thousands of rows.
CHANGED_ITEMS = f"""
    SELECT pass.form_id, correction.field AS item,
        (array_agg(correction.old ORDER BY correction.id))[1] AS collected,
        (array_agg(correction.new ORDER BY correction.id DESC))[1] AS value,
        max(coalesce(correction.decided_at, pass.recorded_at)) AS since
    FROM verification_correction correction
    JOIN verification_verificationpass pass ON pass.id = correction.verification_pass_id
    WHERE pass.province_id = %(province)s AND {IN_FORCE}
    GROUP BY pass.form_id, correction.field"""


class Change(NamedTuple):
    """An item of a form that said `before` and is to say `after`."""

    form_id: int
    item: str
    before: str
    after: str


def take_over(corrections: Iterable[Correction]) -> list[tuple[CollectionForm, Change]]:
    """Write the new values of these corrections into their forms: all of them, or none.

    Returns, with nothing written, those whose form no longer says what the correction calls old.
    """
    return _write([Change(c.verification_pass.form_id, c.field, c.old, c.new) for c in corrections])


def put_in_force(corrections: Iterable[Correction]) -> None:
    """The same for corrections just recorded that the round asks no approval of. Raises Conflict."""
    _require_none(take_over(corrections))


def give_back(corrections: Iterable[Correction]) -> None:
    """The values from before corrections that were in force at once and are undone. Raises Conflict where a form
    says something else by now."""
    _require_none(_write([Change(c.verification_pass.form_id, c.field, c.new, c.old) for c in corrections]))


def _require_none(stale: list[tuple[CollectionForm, Change]]) -> None:
    for form, change in stale:
        raise Conflict(sentence_of_stale(form, change), form_id=form.pk)


def sentence_of_stale(form: CollectionForm, change: Change) -> str:
    return say("%(name)s: “%(item)s” says “%(now)s” by now, not “%(before)s” any more.") % {
        "name": form.full_name,
        "item": items.ITEMS[change.item].label,
        "now": items.readable(change.item, items.value_of(form, change.item)),
        "before": items.readable(change.item, change.before),
    }


def _write(changes: list[Change]) -> list[tuple[CollectionForm, Change]]:
    if not changes:
        return []
    wanted = {change.form_id for change in changes}
    forms = CollectionForm.objects.filter(pk__in=wanted).order_by("pk").select_for_update(of=("self",))
    form_of = {form.pk: form for form in forms}
    stale = [(form_of[c.form_id], c) for c in changes if items.value_of(form_of[c.form_id], c.item) != c.before]
    if stale:
        return stale
    values: dict[int, dict[str, str]] = defaultdict(dict)
    for change in changes:
        values[change.form_id][change.item] = change.after
    columns = sorted({column for change in changes for column in items.columns_of(change.item)})
    rows = []
    for pk, new_values in values.items():
        form = items.corrected(form_of[pk], new_values)
        # the form is locked: a column that another form of the lot changes is written as it is
        rows.append({"id": pk} | {column: getattr(form, column) for column in columns})
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE households_collectionform form SET {", ".join(f"{name} = new.{name}" for name in columns)}
            FROM jsonb_populate_recordset(NULL::households_collectionform, %s) new WHERE form.id = new.id
            """,
            [json.dumps(rows)],
        )
    transaction.on_commit(lambda: _ask_to_judge(sorted(values)))
    return []


def judge_again(form_ids: Iterable[int]) -> None:
    """What the rules suspect of forms whose values changed, and of whoever shared a number with them."""
    with transaction.atomic():
        changed = suspicions.refresh(form_ids).communes
        outbox.mark_in_every_round(changed)


def _ask_to_judge(form_ids: list[int]) -> None:
    """By a task: the rules want a lock of their own, for which a decision should not wait. With the broker down
    the nightly sweep does it."""
    for first in range(0, len(form_ids), FORMS_A_TASK):
        try:
            lot = form_ids[first : first + FORMS_A_TASK]
            current_app.send_task("verification.tasks.judge_again", [lot], retry=False, ignore_result=True)
        except Exception as gone:  # kombu and redis-py each raise their own
            logger.warning("the broker is away, suspicions wait for the nightly sweep: %s", type(gone).__name__)
            return
