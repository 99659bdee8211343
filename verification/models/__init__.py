from verification.models.people import NewPerson
from verification.models.proofs import Proof
from verification.models.rounds import Plan, PlanAdjustment, Round, RoundForm, Target
from verification.models.sheets import Printing, Sheet, SheetLine
from verification.models.work import Correction, PassEvent, RollupMark, VerificationPass

__all__ = [
    "Correction",
    "NewPerson",
    "PassEvent",
    "Plan",
    "PlanAdjustment",
    "Printing",
    "Proof",
    "RollupMark",
    "Round",
    "RoundForm",
    "Sheet",
    "SheetLine",
    "Target",
    "VerificationPass",
]
