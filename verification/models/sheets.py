from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from households.models import AdministrativeUnit, CollectionForm, User
from households.models.register import ScopedQuerySet
from verification.models.rounds import Round
from verification.sheets import codes


class Printing(models.Model):
    """Somebody asked for the checklists of a hamlet or commune: one PDF, and the sheets in it once it is made."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("being made")
        DONE = "done", _("ready")
        CLEARED = "cleared", _("cleared away after seven days")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    round = models.ForeignKey(Round, models.PROTECT, related_name="+", db_index=False)
    unit = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    # made by the page that asks; sending it again asks for nothing new
    request = models.UUIDField(unique=True)
    asked_at = models.DateTimeField()
    language = models.CharField(max_length=5)
    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    finished_at = models.DateTimeField(null=True, blank=True)
    pages = models.IntegerField(null=True, blank=True)
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("printing of checklists")
        verbose_name_plural = _("printings of checklists")
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="done") | Q(finished_at__isnull=False, pages__isnull=False),
                name="printing_done_whole",
            )
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.asked_at}"


class SheetQuerySet(ScopedQuerySet):
    def out(self):
        """On the way with somebody: neither entered whole nor withdrawn."""
        return self.filter(entered_at=None, withdrawn_at=None)


class Sheet(models.Model):
    """A printed, numbered checklist (phiếu kiểm): consecutive whole households of a hamlet, a leaf of paper."""

    printing = models.ForeignKey(Printing, models.PROTECT, related_name="sheets")
    round = models.ForeignKey(Round, models.PROTECT, related_name="+", db_index=False)
    province = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    commune = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    hamlet = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    part = models.SmallIntegerField(_("part"), help_text=_("of the hamlet's sheets of one printing"))
    parts = models.SmallIntegerField(_("parts"))
    printed_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    printed_at = models.DateTimeField(_("printed at"))
    # when nothing of it was left; an undo empties them again
    entered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    entered_at = models.DateTimeField(_("entered at"), null=True, blank=True)
    # lost, or printed anew
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)

    objects = SheetQuerySet.as_manager()

    class Meta:
        verbose_name = _("checklist")
        verbose_name_plural = _("checklists")
        constraints = [
            models.CheckConstraint(
                condition=Q(entered_at=None, entered_by=None) | Q(entered_at__isnull=False, entered_by__isnull=False),
                name="sheet_entered_whole",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False, entered_at=None),
                name="sheet_withdrawn_whole",
            ),
            models.CheckConstraint(condition=Q(part__gte=1, part__lte=F("parts")), name="sheet_part_of_parts"),
        ]
        # those that are out have no `entered_at`, those entered last have the latest
        indexes = [models.Index(fields=["commune", "entered_at"], name="sheet_of_commune")]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """As printed and typed, the last digit a check: "00012-5"."""
        return codes.number_of(self.pk)


class SheetLine(models.Model):
    """A numbered line of a sheet. The person has been given a result since it was printed when another pass
    than `seen_pass` stands."""

    sheet = models.ForeignKey(Sheet, models.CASCADE, related_name="lines", db_index=False)
    number = models.SmallIntegerField()
    form = models.ForeignKey(CollectionForm, models.PROTECT, related_name="+", db_index=False)
    seen_pass = models.ForeignKey(
        "verification.VerificationPass", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = _("line of a checklist")
        verbose_name_plural = _("lines of checklists")
        constraints = [
            models.UniqueConstraint(fields=["sheet", "number"], name="sheet_line_number"),
            models.UniqueConstraint(fields=["sheet", "form"], name="sheet_form_once"),
        ]

    def __str__(self) -> str:
        return f"{self.sheet_id}/{self.number}"
