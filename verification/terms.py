"""The closed lists of the work: outcomes, faults, source papers (product.md section 3, domain.md section 6)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Outcome(TextChoices):
    MATCHED = "matched", _("Correct")
    CORRECTED = "corrected", _("Wrong, corrected")
    SUPPLEMENTED = "supplemented", _("Missing, supplemented")
    DECEASED = "deceased", _("Deceased")
    MOVED_AWAY = "moved_away", _("Moved away")
    DUPLICATE = "duplicate", _("Duplicate form")
    EMIGRATED = "emigrated", _("Gave up citizenship, settled abroad")
    NOT_MET = "not_met", _("Absent, to be visited again")
    UNVERIFIABLE = "unverifiable", _("Could not be verified")


# One letter an outcome, from the Vietnamese word: đúng, sửa, bổ sung, chết, chuyển (y), trùng, ngoài, vắng, không.
OUTCOME_KEYS = {
    Outcome.MATCHED: "d",
    Outcome.CORRECTED: "s",
    Outcome.SUPPLEMENTED: "b",
    Outcome.DECEASED: "c",
    Outcome.MOVED_AWAY: "y",
    Outcome.DUPLICATE: "t",
    Outcome.EMIGRATED: "n",
    Outcome.NOT_MET: "v",
    Outcome.UNVERIFIABLE: "k",
}
# The same where there is room for a word only, beside its key.
OUTCOME_WORDS = {
    Outcome.MATCHED: _("Correct"),
    Outcome.CORRECTED: _("Wrong"),
    Outcome.SUPPLEMENTED: _("Missing item"),
    Outcome.DECEASED: _("Deceased"),
    Outcome.MOVED_AWAY: _("Moved away"),
    Outcome.DUPLICATE: _("Duplicate"),
    Outcome.EMIGRATED: _("Abroad"),
    Outcome.NOT_MET: _("Absent"),
    Outcome.UNVERIFIABLE: _("Not verifiable"),
}
# Outcomes that propose to take the form out of the register: counted once the district approved.
REMOVALS = (Outcome.DECEASED, Outcome.DUPLICATE, Outcome.EMIGRATED)
# Outcomes that come with corrections.
WITH_CORRECTIONS = (Outcome.CORRECTED, Outcome.SUPPLEMENTED)
# What a round counts as verified unless it says otherwise (domain.md section 2).
COUNTING_BY_DEFAULT = tuple(outcome for outcome in Outcome if outcome != Outcome.NOT_MET)


class Approval(TextChoices):
    """Where the district's decision stands. Blank: none is needed."""

    PENDING = "pending", _("waiting for approval")
    APPROVED = "approved", _("approved")
    RETURNED = "returned", _("returned")


class SourcePaper(TextChoices):
    BIRTH_CERTIFICATE = "birth_certificate", _("Birth certificate")
    HOUSEHOLD_BOOK = "household_book", _("Household book")
    IDENTITY_CARD = "identity_card", _("Identity card (CMND, CCCD)")
    CIVIL_STATUS_EXTRACT = "civil_status_extract", _("Extract of civil status")
    ARCHIVE = "archive", _("Household archive (tàng thư)")
    IN_PERSON = "in_person", _("Seen in person, signed minutes")
    OTHER = "other", _("Other paper")
