from verification.models.rounds import Plan, PlanAdjustment, Round, RoundForm, Target
from verification.models.work import Correction, PassEvent, RollupMark, VerificationPass

__all__ = [
    "Correction",
    "PassEvent",
    "Plan",
    "PlanAdjustment",
    "RollupMark",
    "Round",
    "RoundForm",
    "Target",
    "VerificationPass",
]
