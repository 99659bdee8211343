from datetime import date
from uuid import uuid4

from census_verify import clock
from households.models import AdministrativeUnit, Household
from verification import approvals, rounds, services
from verification.models import Round, RoundForm, VerificationPass
from verification.rules import Entry
from verification.services import Recorded
from verification.terms import Approval

Level = AdministrativeUnit.Level


def make_round(area: AdministrativeUnit, **fields) -> Round:
    return Round.objects.create(
        **{
            "name": "Phúc tra 2020",
            "area": area,
            "starts_on": date(2020, 1, 1),
            "ends_on": date(2020, 6, 30),
            "collected_until": date(2018, 12, 31),
        }
        | fields
    )


def open_round(area: AdministrativeUnit, by, **fields) -> Round:
    """A round opened on whatever forms there are; each commune's population is its forms and ten more."""
    communes = AdministrativeUnit.objects.under(area).filter(level=Level.COMMUNE)
    populations = {c.pk: Household.objects.filter(commune=c).count() * 4 + 10 for c in communes}
    return rounds.open_round(round=make_round(area, **fields), populations=populations, by=by)


def record(household: Household, by, outcome: str = "matched", *, round: Round | None = None, **fields) -> Recorded:
    """One submission with the same outcome for everybody of the household in the round."""
    round = round or Round.objects.current()
    rows = RoundForm.objects.in_round(round).filter(household=household).order_by("form__line")
    only = fields.pop("only", None)
    head = {
        "by_books": True,
        "in_person": True,
        "verified_on": clock.today(),
        "submission": uuid4(),
    }
    head |= {name: fields.pop(name) for name in list(fields) if name in head}
    entries = [
        Entry(form_id=row.form_id, outcome=outcome, expected_pass=row.standing_pass_id, **fields)
        for row in rows
        if only is None or row.form_id in only
    ]
    return services.record_results(round=round, household_id=household.pk, entries=entries, by=by, **head)


def decide(
    form_ids, by, approval: str = "approved", reason: str = "", *, round: Round | None = None
) -> list[RoundForm]:
    """A decision on the results that stand of these forms."""
    round = round or Round.objects.current()
    standing = VerificationPass.objects.standing().filter(round=round, form__in=list(form_ids))
    return approvals.decide(
        round=round, pass_ids=list(standing.values_list("pk", flat=True)), approval=Approval(approval), by=by,
        reason=reason,
    )  # fmt: skip
