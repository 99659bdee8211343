from verification.models.people import NewPerson
from verification.models.rounds import Plan, PlanAdjustment, Round, RoundForm, Target
from verification.models.work import Correction, PassEvent, RollupMark, VerificationPass

__all__ = [
    "Correction",
    "NewPerson",
    "PassEvent",
    "Plan",
    "PlanAdjustment",
    "RollupMark",
    "Round",
    "RoundForm",
    "Target",
    "VerificationPass",
]
