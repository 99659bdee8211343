"""The proof: recount everything from the facts and compare every stored figure.

Deliberately other SQL than the roll-up's: it counts from the passes themselves, not from the
standing results that `RoundForm` repeats, and sums a tree of its own making.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from django.db import connection, transaction

from households.models import AdministrativeUnit, TeamCommune
from reports.models import (
    BaseMovement,
    DailyTally,
    FaultMovement,
    Movement,
    OfficerTally,
    RefusalTally,
    SuspicionTally,
    Tally,
)
from reports.rollups import COUNTS, DENOMINATORS, roll_up
from verification.models import PassEvent, Plan, PlanAdjustment, Round
from verification.rules import approval_at_first, is_verified

# The district's last word on each pass; a pass that asks for one and has none is waiting.
DECIDED = """
    LEFT JOIN (
        SELECT DISTINCT ON (verification_pass_id) verification_pass_id, kind, at FROM verification_passevent
        WHERE kind IN ('approved', 'returned') ORDER BY verification_pass_id, id DESC
    ) decided ON decided.verification_pass_id = pass.id"""
APPROVAL = """
    coalesce(decided.kind, CASE WHEN pass.outcome = ANY(%(approval_outcomes)s) THEN 'pending' ELSE '' END)"""
STANDING = f"""
    SELECT form.hamlet_id, form.commune_id, pass.verified_on, pass.officer_id, pass.outcome, {APPROVAL}, count(*)
    FROM verification_verificationpass pass
    JOIN households_collectionform form ON form.id = pass.form_id {DECIDED}
    WHERE pass.round_id = %(round)s AND pass.is_standing GROUP BY 1, 2, 3, 4, 5, 6"""
FORMS = """
    SELECT form.hamlet_id, form.commune_id, form.qualification, form.refusal_reason, in_round.id IS NOT NULL, count(*)
    FROM households_collectionform form
    LEFT JOIN verification_roundform in_round ON in_round.form_id = form.id AND in_round.round_id = %s
    WHERE form.commune_id = ANY(%s) GROUP BY 1, 2, 3, 4, 5"""
# by the place of the form itself, which the record of who found her repeats
NEW_PEOPLE = """
    SELECT form.hamlet_id, form.commune_id, count(*) FROM households_collectionform form
    JOIN verification_newperson found ON found.form_id = form.id
    WHERE found.round_id = %s AND form.commune_id = ANY(%s) GROUP BY 1, 2"""
SUSPECTED = f"""
    SELECT form.commune_id, suspected.fault, in_round.id IS NOT NULL, pass.outcome, {APPROVAL},
        count(DISTINCT suspected.form_id)
    FROM households_suspectedfault suspected
    JOIN households_collectionform form ON form.id = suspected.form_id
    LEFT JOIN verification_roundform in_round ON in_round.form_id = form.id AND in_round.round_id = %(round)s
    LEFT JOIN verification_verificationpass pass
        ON pass.form_id = form.id AND pass.round_id = %(round)s AND pass.is_standing {DECIDED}
    WHERE form.commune_id = ANY(%(communes)s) GROUP BY 1, 2, 3, 4, 5"""
UNEQUAL_RESULTS = f"""
    SELECT in_round.form_id FROM verification_roundform in_round
    LEFT JOIN verification_verificationpass pass
        ON pass.form_id = in_round.form_id AND pass.round_id = in_round.round_id AND pass.is_standing {DECIDED}
    WHERE in_round.round_id = %(round)s AND (
        in_round.standing_pass_id, in_round.outcome, in_round.approval, in_round.counted_on, in_round.next_visit_on,
        in_round.waits_since
    ) IS DISTINCT FROM (
        pass.id, coalesce(pass.outcome, ''), CASE WHEN pass.id IS NULL THEN '' ELSE {APPROVAL} END,
        pass.verified_on, pass.next_visit_on,
        CASE {APPROVAL} WHEN 'pending' THEN pass.recorded_at WHEN 'returned' THEN decided.at END
    )"""


# What no event ever touched stands since it was recorded, and is counted in the lump.
RECORDED = """
    SELECT commune_id, (recorded_at AT TIME ZONE 'Asia/Ho_Chi_Minh' + make_interval(hours => 24 - %(hour)s))::date,
        verified_on, outcome, count(*)
    FROM verification_verificationpass pass WHERE round_id = %(round)s AND NOT EXISTS (
        SELECT 1 FROM verification_passevent WHERE verification_pass_id = pass.id) GROUP BY 1, 2, 3, 4"""
TOLD = """
    SELECT pass.id, pass.commune_id, pass.verified_on, pass.outcome, pass.recorded_at, event.kind, event.at
    FROM verification_verificationpass pass JOIN verification_passevent event ON event.verification_pass_id = pass.id
    WHERE pass.round_id = %(round)s ORDER BY pass.id, event.id"""


FOUND = """
    SELECT commune_id, (recorded_at AT TIME ZONE 'Asia/Ho_Chi_Minh' + make_interval(hours => 24 - %(hour)s))::date,
        fault, count(DISTINCT pass.id)
    FROM verification_correction correction
    JOIN verification_verificationpass pass ON pass.id = correction.verification_pass_id
    WHERE round_id = %(round)s GROUP BY 1, 2, 3"""
ENDED_OR_BEGAN_AGAIN = """
    SELECT pass.id, pass.commune_id, (SELECT array_agg(DISTINCT fault) FROM verification_correction
        WHERE verification_pass_id = pass.id), event.kind, event.at
    FROM verification_passevent event JOIN verification_verificationpass pass ON pass.id = event.verification_pass_id
    WHERE pass.round_id = %(round)s AND event.kind NOT IN ('approved', 'returned') AND EXISTS (
        SELECT 1 FROM verification_correction WHERE verification_pass_id = pass.id) ORDER BY pass.id, event.id"""


class MarksWait(Exception):
    """Some figures are known to be old: roll up first, then compare."""


def differences(round: Round) -> Iterator[str]:
    """Each stored figure that is not the recount, as a sentence naming unit, day and column.

    Reads one snapshot of the database. Raises MarksWait when a mark is in it.
    """
    alone = not connection.in_atomic_block  # inside a caller's transaction its snapshot is the one
    with transaction.atomic(), connection.cursor() as cursor:
        if alone:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT count(*) FROM verification_rollupmark WHERE round_id = %s", [round.pk])
        (waiting,) = cursor.fetchone()
        if waiting:
            raise MarksWait(f"{waiting} marks wait for a roll-up (the worker does one every two seconds)")
        cursor.execute(UNEQUAL_RESULTS, _params(round))
        if wrong := cursor.fetchone():
            yield f"form {wrong[0]}: its result in the round is not that of its standing pass"
        yield from _compare(_recount(cursor, round), _stored(round))


def first_difference(round: Round, *, tries: int = 20) -> str | None:
    """The first of `differences`, rolling up first as often as officers' new results make it necessary.

    Raises MarksWait when they came faster than that.
    """
    for left in reversed(range(tries)):
        roll_up()
        try:
            return next(differences(round), None)
        except MarksWait:
            if not left:
                raise
    return None


def _params(round: Round) -> dict:
    return {"round": round.pk, "approval_outcomes": list(round.approval_outcomes)}


def _recount(cursor, round: Round) -> Counter:
    """(table, owner, day or reason …, column) -> count, for every unit above a hamlet and every team."""
    figures: Counter = Counter()
    owners = _owners(round)
    communes = [pk for kind, pk in owners if kind == "commune"]

    def add(hamlet, commune, key, column, count):
        if hamlet and not key[1:]:
            figures[key[0], ("unit", hamlet), (), column] += count
        for owner in owners["commune", commune]:
            figures[key[0], owner, key[1:], column] += count

    def columns_of(outcome: str, approval: str) -> list[str]:
        verified = ["verified"] if is_verified(outcome, approval, round.counting_outcomes) else []
        return [outcome, *verified, *([approval] if approval in ("pending", "returned") else [])]

    for plan in Plan.objects.filter(round=round):
        add(None, plan.commune_id, ("tally",), "plan", plan.forms)
        add(None, plan.commune_id, ("tally",), "population", plan.population)
    for change in PlanAdjustment.objects.filter(plan__round=round).select_related("plan"):
        add(None, change.plan.commune_id, ("tally",), "plan", change.forms)
    cursor.execute(FORMS, [round.pk, communes])
    for hamlet, commune, qualification, reason, in_scope, count in cursor.fetchall():
        add(hamlet, commune, ("tally",), "collected", count)
        if qualification == "qualified":
            add(hamlet, commune, ("tally",), "qualified", count)
        if in_scope:
            add(hamlet, commune, ("tally",), "in_scope", count)
        if reason:
            add(None, commune, ("refusals", reason), "forms", count)
    cursor.execute(NEW_PEOPLE, [round.pk, communes])
    for hamlet, commune, count in cursor.fetchall():
        add(hamlet, commune, ("tally",), "new_people", count)
    cursor.execute(STANDING, _params(round))
    for hamlet, commune, day, officer, outcome, approval, count in cursor.fetchall():
        for column in columns_of(outcome, approval):
            add(hamlet, commune, ("tally",), column, count)
            add(None, commune, ("days", day), column, count)
            add(None, commune, ("officers", officer), column, count)
    for commune, known_on, day, outcome, approval, count in _changes(cursor, round):
        for column in columns_of(outcome, approval):
            add(None, commune, ("movements", known_on, day), column, count)
    for commune, known_on, fault, count in _fault_changes(cursor, round):
        add(None, commune, ("fault movements", known_on, fault), "forms", count)
    cursor.execute(SUSPECTED, _params(round) | {"communes": communes})
    for commune, fault, in_scope, outcome, approval, count in cursor.fetchall():
        add(None, commune, ("suspicions", fault), "forms", count)
        if in_scope and not (outcome and is_verified(outcome, approval, round.counting_outcomes)):
            add(None, commune, ("suspicions", fault), "open", count)
    above_hamlets = {owner for of_commune in owners.values() for owner in of_commune}
    for (table, owner, _key, column), count in list(figures.items()):
        if table == "tally" and column in DENOMINATORS and owner in above_hamlets:
            figures["bases", owner, (), column] = count
    return figures


def _changes(cursor, round: Round) -> Iterator[tuple]:
    """(commune, day known, day of verification, outcome, approval, +n or -n) for each change of what stands."""
    cursor.execute(RECORDED, {"round": round.pk, "hour": round.cut_off_hour})
    for commune, known_on, day, outcome, count in cursor.fetchall():
        yield commune, known_on, day, outcome, approval_at_first(outcome, round.approval_outcomes), count
    cursor.execute(TOLD, {"round": round.pk})
    for (_pk, commune, day, outcome, recorded_at), events in groupby(cursor.fetchall(), itemgetter(0, 1, 2, 3, 4)):
        stands, approval = True, approval_at_first(outcome, round.approval_outcomes)
        yield commune, round.known_on(recorded_at), day, outcome, approval, 1
        for *_same, kind, at in events:
            known_on = round.known_on(at)
            if stands:
                yield commune, known_on, day, outcome, approval, -1
            if kind in (PassEvent.Kind.APPROVED, PassEvent.Kind.RETURNED):
                approval = kind
            else:
                stands = kind == PassEvent.Kind.RESTORED
            if stands:
                yield commune, known_on, day, outcome, approval, 1


def _fault_changes(cursor, round: Round) -> Iterator[tuple]:
    """(commune, day known, fault, +n or -n): each pass adds its faults when it is recorded, and takes them away and
    gives them back as it ends and stands again."""
    cursor.execute(FOUND, {"round": round.pk, "hour": round.cut_off_hour})
    yield from cursor.fetchall()
    cursor.execute(ENDED_OR_BEGAN_AGAIN, {"round": round.pk})
    for _pk, events in groupby(cursor.fetchall(), itemgetter(0)):
        stands = True
        for _id, commune, faults, kind, at in events:
            if stands != (kind == PassEvent.Kind.RESTORED):
                stands = not stands
                for fault in faults:
                    yield commune, round.known_on(at), fault, 1 if stands else -1


def _owners(round: Round) -> dict:
    """("commune", id) -> every unit and team its figures belong to."""
    team_of = dict(TeamCommune.objects.filter(valid_to=None).values_list("commune_id", "team_id"))
    owners = defaultdict(list)
    communes = AdministrativeUnit.objects.filter(
        level=AdministrativeUnit.Level.COMMUNE, path__startswith=round.area.path
    )
    for pk, path in communes.values_list("pk", "path"):
        owners["commune", pk] = [("unit", int(part)) for part in path.strip("/").split("/")]
        if pk in team_of:
            owners["commune", pk].append(("team", team_of[pk]))
    return owners


def _stored(round: Round) -> Counter:
    figures: Counter = Counter()

    def read(table, model, keys, columns):
        for row in model.objects.filter(round=round).values_list("unit_id", "team_id", *keys, *columns).iterator():
            unit, team, *rest = row
            owner = ("unit", unit) if unit else ("team", team)
            key, counts = tuple(rest[: len(keys)]), rest[len(keys) :]
            for column, count in zip(columns, counts, strict=True):
                figures[table, owner, key, column] = count

    read("tally", Tally, (), ["population", "plan", "collected", "qualified", "in_scope", "new_people", *COUNTS])
    read("days", DailyTally, ("day",), COUNTS)
    read("officers", OfficerTally, ("officer_id",), COUNTS)
    read("movements", Movement, ("day", "counted_on"), COUNTS)
    read("fault movements", FaultMovement, ("day", "fault"), ["forms"])
    read("refusals", RefusalTally, ("reason",), ["forms"])
    read("suspicions", SuspicionTally, ("fault",), ["forms", "open"])
    for unit, team, *counts in BaseMovement.objects.filter(round=round).values_list("unit", "team", *DENOMINATORS):
        for column, count in zip(DENOMINATORS, counts, strict=True):
            figures["bases", ("unit", unit) if unit else ("team", team), (), column] += count
    return figures


def _compare(recounted: Counter, stored: Counter) -> Iterator[str]:
    for place in sorted(recounted.keys() | stored.keys(), key=str):
        if recounted[place] != stored[place]:
            table, (kind, pk), key, column = place
            owner = AdministrativeUnit.objects.get(pk=pk).full_name if kind == "unit" else f"team {pk}"
            when = " ".join(str(part) for part in key)
            yield f"{owner} {when} {table}.{column}: stored {stored[place]}, recount {recounted[place]}"
