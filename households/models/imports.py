from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households.models.officers import User
from households.models.units import AdministrativeUnit


class ImportQuerySet(models.QuerySet):
    def visible_to(self, officer):
        """Imports into the provinces where the officer is administrator."""
        from households.permissions import import_areas_of

        return self.filter(area__in=import_areas_of(officer))

    def waiting(self):
        """Whose next stage a worker should take up."""
        return self.filter(status__in=[Import.Status.CHECKING, Import.Status.LOADING])


class Import(models.Model):
    """A file on its way into the register: uploaded → checked → loaded, or given up on the way.

    What a stage finds out is written in the transaction of that stage, so a stage that breaks leaves
    the status before it and is simply run again.
    """

    class Kind(models.TextChoices):
        FORMS = "forms", _("collection forms")
        SCANS = "scans", _("results of a scan batch")
        RESULTS = "results", _("existing verification results")

    class Status(models.TextChoices):
        UPLOADED = "uploaded", _("uploaded, columns to be confirmed")
        CHECKING = "checking", _("being checked")
        CHECKED = "checked", _("checked, waits for your decision")
        LOADING = "loading", _("being loaded")
        LOADED = "loaded", _("loaded")
        CANCELLED = "cancelled", _("cancelled")
        REFUSED = "refused", _("refused")
        FAILED = "failed", _("broke off")

    class Existing(models.TextChoices):
        SKIP = "skip", _("leave as they are")
        UPDATE = "update", _("take the file's values")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    area = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", verbose_name=_("province"))
    by = models.ForeignKey(User, models.PROTECT, related_name="imports")
    file_name = models.CharField(_("file"), max_length=200)
    size = models.BigIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    # how the file is read (`files.Layout`), and which of our fields each of its columns is
    layout = models.JSONField(default=dict)
    headings = models.JSONField(default=list)
    columns = models.JSONField(default=dict, help_text="field name -> number of the column, from 0")
    # the day of collection of rows that give none
    collected_on = models.DateField(_("day of collection"), null=True, blank=True)
    existing = models.CharField(_("forms already there"), max_length=6, choices=Existing, default=Existing.SKIP)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.UPLOADED)
    cancel_asked = models.BooleanField(default=False)
    uploaded_at = models.DateTimeField(_("uploaded at"))
    checked_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    rows = models.IntegerField(_("rows"), null=True, blank=True)
    good = models.IntegerField(_("good"), null=True, blank=True)
    doubtful = models.IntegerField(_("doubtful"), null=True, blank=True)
    refused = models.IntegerField(_("refused"), null=True, blank=True)
    # what loading would change, or has changed: {"new_forms": 12, …}, as the kind names it
    changes = models.JSONField(default=dict)
    # why the whole file was refused: a code of `problems.SENTENCES` and its values
    refusal = models.CharField(max_length=40, blank=True)
    refusal_values = models.JSONField(default=dict)

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-uploaded_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=["checked", "loading", "loaded"]) | Q(rows__isnull=False, good__isnull=False),
                name="import_checked_whole",
            ),
            models.CheckConstraint(condition=~Q(status="refused") ^ ~Q(refusal=""), name="import_refused_with_reason"),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def staging_table(self) -> str:
        """Where its checked rows wait; made by the check, dropped with the decision."""
        return f"staged_import_{self.pk}"


class ImportProblem(models.Model):
    """What is wrong with one cell of one row, as a code and its values: each reader gets it in her language."""

    of_import = models.ForeignKey(Import, models.CASCADE, related_name="problems", db_index=False)
    row = models.IntegerField(_("row"), help_text=_("as the spreadsheet numbers it; the heading is row 1"))
    column = models.CharField(_("column"), max_length=100, blank=True)
    value = models.CharField(_("value"), max_length=100, blank=True)
    code = models.CharField(max_length=40)
    values = models.JSONField(default=dict)
    is_refusal = models.BooleanField()

    class Meta:
        verbose_name = _("problem of an import")
        verbose_name_plural = _("problems of imports")
        indexes = [models.Index(fields=["of_import", "is_refusal", "row"], name="import_problem_row")]

    def __str__(self) -> str:
        return f"{self.row}: {self.code}"

    @property
    def sentence(self) -> str:
        from households.imports.problems import sentence

        return sentence(self.code, self.values)


class RememberedHeading(models.Model):
    """Which field a heading meant the last time somebody said so."""

    kind = models.CharField(max_length=8, choices=Import.Kind)
    heading = models.CharField(max_length=100, help_text="folded: search_key of the heading")
    field = models.CharField(max_length=40, blank=True, help_text="blank: the column is not read")

    class Meta:
        verbose_name = _("remembered heading")
        verbose_name_plural = _("remembered headings")
        constraints = [models.UniqueConstraint(fields=["kind", "heading"], name="heading_once_a_kind")]

    def __str__(self) -> str:
        return f"{self.heading}: {self.field}"
