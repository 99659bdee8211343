from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from households.models import AdministrativeUnit, CollectionForm, User
from verification.models import Correction, Round, VerificationPass


class Delivery(models.Model):
    """What a province told the national population database at one time: corrections and removals that had come into
    force, and recalls of those that ceased to be (docs/decisions/0035). Never changed, only withdrawn as a whole."""

    area = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    round = models.ForeignKey(Round, models.PROTECT, related_name="+", db_index=False)
    year = models.SmallIntegerField(_("year"))
    number = models.IntegerField(_("number in the year"))
    first = models.DateField(_("first day"))
    last = models.DateField(_("last day"))
    # made by the page that asks; sending it again makes nothing new
    request = models.UUIDField(unique=True)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField(_("made at"))
    rows = models.IntegerField(_("rows"))
    sha256 = models.CharField(max_length=64)  # of the content of the rows, whatever the format of the file
    # of its rows: how many were answered so, and how many of the refused ones were given free to be sent again
    accepted = models.IntegerField(_("accepted"), default=0, db_default=0)
    refused = models.IntegerField(_("refused"), default=0, db_default=0)
    sent_again = models.IntegerField(_("sent again"), default=0, db_default=0)
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)
    withdrawn_because = models.CharField(_("why withdrawn"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-year", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["area", "year", "number"], name="delivery_number_once"),
            models.CheckConstraint(condition=Q(last__gte=F("first")), name="delivery_days"),
            models.CheckConstraint(condition=Q(rows__gt=0, number__gt=0), name="delivery_not_empty"),
            models.CheckConstraint(
                condition=Q(
                    accepted__gte=0, sent_again__range=(0, F("refused")), rows__gte=F("accepted") + F("refused")
                ),
                name="delivery_answers_of_its_rows",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None, withdrawn_because="")
                | (Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~Q(withdrawn_because="")),
                name="delivery_withdrawn_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def unanswered(self) -> int:
        return self.rows - self.accepted - self.refused

    @property
    def code(self) -> str:
        """As the file names itself and the receiver answers it: "42-2020-003"."""
        return f"{self.area.code}-{self.year}-{self.number:03d}"


class DeliveryLine(models.Model):
    """A row of a delivery. It `stands` as long as it is the last word on its correction, or on its removal's pass:
    until the delivery is withdrawn, the row is given free to be sent again, or a later row takes its place."""

    class Kind(models.TextChoices):
        CORRECTION = "correction", _("correction")
        REMOVAL = "removal", _("removal")
        RECALL = "recall", _("recall")  # of a row delivered before, which is not in force any more

    class Answer(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")

    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="lines", db_index=False)
    number = models.IntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    form = models.ForeignKey(CollectionForm, models.PROTECT, related_name="+", db_index=False)
    item = models.CharField(_("item"), max_length=32, blank=True)  # blank: the form as a whole
    correction = models.ForeignKey(
        Correction, models.PROTECT, null=True, blank=True, related_name="delivery_lines", db_index=False
    )
    verification_pass = models.ForeignKey(
        VerificationPass, models.PROTECT, null=True, blank=True, related_name="delivery_lines", db_index=False
    )
    # the row whose place it took: what a recall recalls
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by", db_index=False
    )
    # as the register had them when the delivery was made, so that the file stays as it is
    pin = models.CharField(max_length=20, blank=True)
    cmnd = models.CharField(max_length=20, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=150)
    decided_at = models.DateTimeField(_("decided at"))
    stands = models.BooleanField(default=True)
    answer = models.CharField(_("answer"), max_length=8, choices=Answer, blank=True)
    answer_reason = models.CharField(_("the receiver's reason"), max_length=200, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    sent_again_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    sent_again_at = models.DateTimeField(_("to be sent again since"), null=True, blank=True)

    class Meta:
        verbose_name = _("row of a delivery")
        verbose_name_plural = _("rows of deliveries")
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="delivery_line_number"),
            # the promise of it all: nothing is in two standing deliveries
            models.UniqueConstraint(
                fields=["correction"], condition=Q(stands=True, correction__isnull=False), name="correction_told_once"
            ),
            models.UniqueConstraint(
                fields=["verification_pass"],
                condition=Q(stands=True, verification_pass__isnull=False),
                name="removal_told_once",
            ),
            models.CheckConstraint(
                condition=Q(correction=None) ^ Q(verification_pass=None), name="delivery_line_of_one_thing"
            ),
            models.CheckConstraint(
                condition=Q(item="", correction=None) | (~Q(item="") & Q(correction__isnull=False)),
                name="delivery_line_item",
            ),
            models.CheckConstraint(
                condition=Q(kind="correction", correction__isnull=False)
                | Q(kind="removal", verification_pass__isnull=False)
                | Q(kind="recall", replaces__isnull=False),
                name="delivery_line_kind",
            ),
            models.CheckConstraint(
                condition=Q(answer="", answer_reason="", answered_at=None)
                | (Q(answer="accepted", answered_at__isnull=False))
                | (Q(answer="refused", answered_at__isnull=False) & ~Q(answer_reason="")),
                name="delivery_line_answer_whole",
            ),
            models.CheckConstraint(
                condition=Q(sent_again_at=None, sent_again_by=None)
                | Q(sent_again_at__isnull=False, sent_again_by__isnull=False, answer="refused", stands=False),
                name="delivery_line_sent_again_whole",
            ),
        ]
        indexes = [
            # what was said later of the same item of a form; whether anything was said of a form
            models.Index(fields=["form", "item"], name="delivery_line_form_item"),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id}/{self.number}"
