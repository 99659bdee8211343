"""The error catalogue (domain.md section 6), and the faults a program can suspect without a visit.

Rules of one form, of one household, of the whole register. Adding one: write it, add it to its list
(`FORM_RULES`, `PLACE_RULES`, `HOUSEHOLD_RULES`, `REGISTER_RULES`), test it. Some of the catalogue only a
visit shows: L11-L14, L25, L26; and L27 is about people who have no form, so no form can be suspected of it.
"""

from households.faults.catalogue import Fault, Suspicion
from households.faults.form_rules import (
    AGE_OF_IDENTITY_CARD,
    FORM_RULES,
    PLACE_RULES,
    suspected,
    suspicions,
)
from households.faults.household_rules import HOUSEHOLD_RULES, suspicions_in_household
from households.faults.register_rules import REGISTER_FAULTS, REGISTER_RULES, reason_of
from households.faults.words import FormerUnit, pin_provinces

__all__ = [
    "AGE_OF_IDENTITY_CARD",
    "FORM_RULES",
    "HOUSEHOLD_RULES",
    "PLACE_RULES",
    "REGISTER_FAULTS",
    "REGISTER_RULES",
    "Fault",
    "FormerUnit",
    "Suspicion",
    "pin_provinces",
    "reason_of",
    "suspected",
    "suspicions",
    "suspicions_in_household",
]
