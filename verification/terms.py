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
# Where many of them stand in one sentence or on paper: "55 đúng, 2 sai, 1 vắng".
SHORT_LABELS = {
    Outcome.MATCHED: _("correct"),
    Outcome.CORRECTED: _("wrong"),
    Outcome.SUPPLEMENTED: _("missing"),
    Outcome.DECEASED: _("deceased"),
    Outcome.MOVED_AWAY: _("moved away"),
    Outcome.DUPLICATE: _("duplicate"),
    Outcome.EMIGRATED: _("settled abroad"),
    Outcome.NOT_MET: _("absent"),
    Outcome.UNVERIFIABLE: _("not verifiable"),
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


class NewPersonReason(TextChoices):
    """Why a person has no form of the collection (nhân khẩu mới phát sinh)."""

    BORN = "born", _("Born since")
    MOVED_IN = "moved_in", _("Moved in")
    MISSED = "missed", _("Missed at the collection")
