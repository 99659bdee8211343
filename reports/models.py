from datetime import date
from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from households.faults import Fault
from households.models import AdministrativeUnit, CollectionForm, Posting, User, WorkTeam
from households.permissions import scope_of
from reports.deliveries.models import Delivery, DeliveryLine  # noqa: F401 - where Django looks for models
from reports.official.periods import Kind as PeriodKind
from reports.official.periods import Period
from reports.official.titles import TITLES, title_of
from reports.schedules.areas import areas_of
from verification.models import Round
from verification.records import State
from verification.terms import Outcome


def rate(part: int, base: int) -> Decimal | None:
    """Percent, unrounded; None where there is nothing to divide by."""
    return Decimal(100 * part) / base if base else None


class Counts(models.Model):
    """Standing results by outcome, and what of them counts. Counts only; ratios are made on display."""

    verified = models.IntegerField(_("verified"), default=0)
    pending = models.IntegerField(_("waiting for approval"), default=0)
    returned = models.IntegerField(_("returned"), default=0)
    matched = models.IntegerField(default=0)
    corrected = models.IntegerField(default=0)
    supplemented = models.IntegerField(default=0)
    deceased = models.IntegerField(default=0)
    moved_away = models.IntegerField(default=0)
    duplicate = models.IntegerField(default=0)
    emigrated = models.IntegerField(default=0)
    not_met = models.IntegerField(default=0)
    unverifiable = models.IntegerField(default=0)

    class Meta:
        abstract = True


class Owned(models.Model):
    """A figure belongs to one unit or to one team: two hierarchies over the same communes."""

    round = models.ForeignKey(Round, models.CASCADE, related_name="+", db_index=False)
    unit = models.ForeignKey(AdministrativeUnit, models.PROTECT, null=True, related_name="+", db_index=False)
    team = models.ForeignKey(WorkTeam, models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name}: {self.unit or self.team}"


def once_an_owner(name: str, *fields: str) -> list[models.BaseConstraint]:
    return [
        models.UniqueConstraint(fields=["round", "unit", "team", *fields], nulls_distinct=False, name=f"one_{name}"),
        models.CheckConstraint(condition=Q(unit=None) ^ Q(team=None), name=f"{name}_of_unit_or_team"),
    ]


class Denominators(models.Model):
    """From the population down to the forms of the round, each part of the one before it."""

    population = models.IntegerField(_("population"), default=0)
    plan = models.IntegerField(_("plan"), default=0)
    collected = models.IntegerField(_("collected"), default=0)
    qualified = models.IntegerField(_("qualified"), default=0)
    in_scope = models.IntegerField(_("in scope"), default=0)
    new_people = models.IntegerField(_("new people, outside the plan"), default=0)

    class Meta:
        abstract = True


class Tally(Owned, Denominators, Counts):
    """The figures of a unit or team to date: the denominators, and the standing results."""

    rolled_up_at = models.DateTimeField()

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = once_an_owner("tally")

    @property
    def base(self) -> int:
        """What the rate is a share of: the plan; a hamlet has none, so its collected forms but those of new people."""
        return self.plan or self.collected - self.new_people

    @property
    def left(self) -> int:
        return self.base - self.verified

    @property
    def rate(self) -> Decimal | None:
        return rate(self.verified, self.base)


class DailyTally(Owned, Counts):
    """The standing results recorded as of one day of verification."""

    day = models.DateField()

    class Meta:
        verbose_name = _("daily tally")
        verbose_name_plural = _("daily tallies")
        constraints = once_an_owner("daily_tally", "day")


class Movement(Owned, Counts):
    """By how much the standing results of a day of verification changed through what became known on one day.

    Summed up to a cut-off they are the figures as they were known then (decision 0027). What became known on a day
    that is over never changes, because passes and their events are only appended."""

    day = models.DateField(_("known on"))
    counted_on = models.DateField(_("verified on"))

    class Meta:
        verbose_name = _("movement")
        verbose_name_plural = _("movements")
        constraints = once_an_owner("movement", "day", "counted_on")


class FaultMovement(Owned):
    """By how many the forms on which a fault was found changed through what became known on one day."""

    day = models.DateField(_("known on"))
    fault = models.CharField(max_length=3, choices=Fault)
    forms = models.IntegerField()

    class Meta:
        verbose_name = _("movement of faults")
        verbose_name_plural = _("movements of faults")
        constraints = once_an_owner("fault_movement", "day", "fault")


class BaseMovement(Owned, Denominators):
    """By how much the denominators changed on one day."""

    day = models.DateField(_("known on"))

    class Meta:
        verbose_name = _("movement of denominators")
        verbose_name_plural = _("movements of denominators")
        constraints = once_an_owner("base_movement", "day")


class OfficerTally(Owned, Counts):
    """The standing results of one officer in a unit, or in the communes of a team: what she found."""

    officer = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("officer's tally")
        verbose_name_plural = _("officers' tallies")
        constraints = once_an_owner("officer_tally", "officer")

    @property
    def results(self) -> int:
        return sum(getattr(self, outcome) for outcome in Outcome.values)

    @property
    def found(self) -> int:
        """Forms on which something was wrong or missing."""
        return self.corrected + self.supplemented

    @property
    def found_rate(self) -> Decimal | None:
        """Of all her results, in percent."""
        return rate(self.found, self.results)


class RefusalTally(Owned):
    """Forms refused at scanning, by reason: what lies between collected and qualified."""

    reason = models.CharField(max_length=16, choices=CollectionForm.RefusalReason)
    forms = models.IntegerField()

    class Meta:
        verbose_name = _("refusal tally")
        verbose_name_plural = _("refusal tallies")
        constraints = once_an_owner("refusal_tally", "reason")


class SuspicionTally(Owned):
    """Forms the program suspects of a fault, and how many of them are still to be verified in the round."""

    fault = models.CharField(max_length=3, choices=Fault)
    forms = models.IntegerField()
    open = models.IntegerField()

    class Meta:
        verbose_name = _("suspicion tally")
        verbose_name_plural = _("suspicion tallies")
        constraints = once_an_owner("suspicion_tally", "fault")


class AlertQuerySet(models.QuerySet):
    def open(self):
        return self.filter(ended_at=None)

    def visible_to(self, officer):
        """Those that reach where she is posted: a commune's own all, the district's once they came that far."""
        told = Q(pk__in=[])
        for _role, unit in scope_of(officer).postings:
            told |= Q(unit__path__startswith=unit.path, reach__lte=reached_from(unit.level))
        return self.filter(told)

    def with_readings_of(self, officer):
        """Each with `is_read`: she opened it since it was last told to somebody."""
        readings = AlertReading.objects.filter(alert=OuterRef("pk"), officer=officer, read_at__gte=OuterRef("told_at"))
        return self.annotate(is_read=Exists(readings))


def reached_from(level: int) -> int:
    """The highest reach that somebody posted at this level is told of; whoever is above the provinces hears what
    these hear."""
    return max(level, AdministrativeUnit.Level.PROVINCE)


class Alert(models.Model):
    """Something in a commune that wants looking at, from the day it began until it is over (decision 0030)."""

    class Kind(models.TextChoices):
        BEHIND = "behind", _("under the required rate")
        IDLE = "idle", _("no entry")
        RETURNED = "returned", _("returned results wait")
        JUMP = "jump", _("sudden jump")

    round = models.ForeignKey(Round, models.CASCADE, related_name="+", db_index=False)
    unit = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    since = models.DateField(_("since"))
    reach = models.SmallIntegerField(_("told to"), choices=AdministrativeUnit.Level)  # this level and those below
    told_at = models.DateTimeField(_("told at"))  # when somebody was last told of it who had not been
    ended_at = models.DateTimeField(_("over since"), null=True, blank=True)
    facts = models.JSONField(_("figures of its sentence"))  # as `alerts.rules` found them last

    objects = AlertQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "kind"], condition=Q(ended_at=None), name="one_open_alert_of_a_kind"
            ),
            models.CheckConstraint(condition=Q(reach__range=(1, 3)), name="alert_reach"),
        ]
        indexes = [models.Index(fields=["unit", "round", "kind", "ended_at"], name="alert_of_unit")]

    def __str__(self) -> str:
        return f"{self.unit}: {self.get_kind_display()}"


class AlertReading(models.Model):
    """An officer has opened an alert."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="readings", db_index=False)
    officer = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    read_at = models.DateTimeField(_("read at"))

    class Meta:
        verbose_name = _("reading of an alert")
        verbose_name_plural = _("readings of alerts")
        constraints = [models.UniqueConstraint(fields=["alert", "officer"], name="one_reading_an_officer")]

    def __str__(self) -> str:
        return f"{self.officer}: {self.alert}"


class Mailing(models.Model):
    """An e-mail. The row is written before it is sent, so that nobody gets two (`reports.mailing`)."""

    officer = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    tries = models.SmallIntegerField(_("tries"))
    tried_at = models.DateTimeField(_("tried at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    failure = models.CharField(_("failure"), max_length=200, blank=True)

    class Meta:
        abstract = True


class AlertDigest(Mailing):
    """The e-mail of one day to one officer."""

    day = models.DateField(_("day"))
    alerts = models.IntegerField(_("alerts in it"))

    class Meta:
        verbose_name = _("e-mail of alerts")
        verbose_name_plural = _("e-mails of alerts")
        constraints = [models.UniqueConstraint(fields=["officer", "day"], name="one_digest_a_day")]

    def __str__(self) -> str:
        return f"{self.officer}: {self.day}"


class ReportTemplateQuerySet(models.QuerySet):
    def standing(self):
        return self.filter(withdrawn_at=None).defer("content")

    def for_unit(self, unit: AdministrativeUnit):
        """Those in which a report of the unit may be written: its province's."""
        above = [int(pk) for pk in unit.path.strip("/").split("/")]
        return self.standing().filter(area__in=above)


class ReportTemplate(models.Model):
    """A Word file of a province's own, in which its reports are written. Never changed: another one is another row.

    Kept in the database: half a megabyte at most, at hand for every process, and backed up with everything else."""

    area = models.ForeignKey(
        AdministrativeUnit, models.PROTECT, related_name="+", db_index=False, verbose_name=_("province")
    )
    name = models.CharField(_("name"), max_length=80)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    uploaded_at = models.DateTimeField()
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = ReportTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("report template")
        verbose_name_plural = _("report templates")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["area", "name"], condition=Q(withdrawn_at=None), name="one_standing_template_of_a_name"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="template_withdrawn_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExportQuerySet(models.QuerySet):
    def visible_to(self, officer):
        return self.filter(owner=officer)

    def to_tell(self):
        """Finished, and not opened by their owners since."""
        return self.filter(status__in=Export.TOLD, seen_at=None)


class Export(models.Model):
    """A file somebody asked for: what, of which unit, in which format, and where it stands."""

    class Kind(models.TextChoices):
        UNITS = "units", _("table of units")
        DAYS = "days", _("table of days")
        TEAMS = "teams", _("table of teams")
        FORMS = "forms", _("list of persons")
        REGISTER = "register", _("register in the layout of DC01")
        REPORT = "report", _("report")
        ANNEXES = "annexes", _("annex tables")
        DELIVERY = "delivery", _("corrections file")

    class Format(models.TextChoices):
        XLSX = "xlsx", "XLSX"
        CSV = "csv", "CSV"
        PDF = "pdf", "PDF"
        DOCX = "docx", "Word"
        ZIP = "zip", _("PDF in a ZIP file")
        JSON = "json", "JSON"

    class Status(models.TextChoices):
        QUEUED = "queued", _("being made")
        DONE = "done", _("ready")
        CLEARED = "cleared", _("cleared away after seven days")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    # Tables as they are on a page; reports and their annexes are of a period (`reports.official`).
    TABLES = (Kind.UNITS, Kind.DAYS, Kind.TEAMS)
    REPORTS = (Kind.REPORT, Kind.ANNEXES)
    # What its owner is told of, and what may be asked for once more.
    TOLD = (Status.DONE, Status.FAILED)
    AGAIN = (Status.FAILED, Status.CANCELLED, Status.CLEARED)
    # Files that name persons: a right of their own, a reason, a line in `Disclosure` each time.
    PERSONS = (Kind.FORMS, Kind.REGISTER, Kind.DELIVERY)

    owner = models.ForeignKey(User, models.PROTECT, related_name="exports")
    round = models.ForeignKey(Round, models.CASCADE, related_name="+")
    unit = models.ForeignKey(AdministrativeUnit, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind)
    format = models.CharField(max_length=4, choices=Format)
    options = models.JSONField(default=dict, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)  # what files of persons are wanted for
    language = models.CharField(max_length=5)
    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    rows = models.IntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    failure = models.CharField(max_length=200, blank=True)
    run = models.ForeignKey(
        "reports.ScheduleRun", models.PROTECT, null=True, blank=True, related_name="exports", db_index=False
    )
    tries = models.SmallIntegerField(default=0, db_default=0)  # begun so often since it was asked for
    seen_at = models.DateTimeField(null=True, blank=True)  # since it is finished
    fetched_at = models.DateTimeField(null=True, blank=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="done") | Q(finished_at__isnull=False, rows__isnull=False), name="export_done_whole"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["forms", "register", "delivery"]) | ~Q(reason=""),
                name="persons_with_a_reason",
            ),
            models.UniqueConstraint(
                fields=["run", "owner", "kind", "format"], condition=Q(run__isnull=False), name="one_file_a_run"
            ),
        ]
        indexes = [
            models.Index(
                fields=["owner", "status"],
                condition=Q(seen_at=None, status__in=["done", "failed"]),
                name="export_to_tell",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.unit or ''}"

    @property
    def may_be_asked_again(self) -> bool:
        """With one press. The reason for a file of persons holds until it was made."""
        return self.status in self.AGAIN and not (self.status == self.Status.CLEARED and self.kind in self.PERSONS)

    @property
    def period_label(self) -> str:
        """Of which days a report is, and which of its annexes; nothing of other files."""
        if self.kind not in self.REPORTS:
            return ""
        starts_on = date.fromisoformat(self.options["first"])
        period = Period(
            PeriodKind(self.options["period"]), starts_on, date.fromisoformat(self.options["last"]), starts_on
        )
        return period.words

    @property
    def annex_label(self) -> str:
        """The one annex table a file is of, where it is not of all."""
        annex = self.options.get("annex", "")
        return title_of(annex, self.unit) if annex in TITLES and self.unit else ""

    @property
    def state_label(self) -> str:
        """Which forms a list of forms holds."""
        state = self.options.get("state") or State.OPEN
        return dict([*State.choices, *Outcome.choices]).get(state, "")


class DisclosureQuerySet(models.QuerySet):
    def visible_to(self, officer):
        """Those of the units that she supervises, for whoever looks after this: PC06 and administrators."""
        told = Q(pk__in=[])
        for unit in scope_of(officer).units_as(*Disclosure.READERS):
            told |= Q(unit__path__startswith=unit.path)
        return self.filter(told)


class Disclosure(models.Model):
    """A file with persons was made, or taken: by whom, of whom, what for. A trigger keeps these lines as they are,
    and they stay when the file is cleared away (domain.md section 11)."""

    READERS = (Posting.Role.PC06_OFFICER, Posting.Role.ADMINISTRATOR)

    class Act(models.TextChoices):
        MADE = "made", _("made")
        FETCHED = "fetched", _("taken along")

    export = models.ForeignKey(Export, models.PROTECT, related_name="disclosures", db_index=False)
    act = models.CharField(_("what happened"), max_length=7, choices=Act)
    officer = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    unit = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(_("at"))
    # as the export had them at that moment
    kind = models.CharField(max_length=16)
    format = models.CharField(max_length=4)
    options = models.JSONField()
    reason = models.CharField(_("reason"), max_length=200)
    rows = models.IntegerField(_("rows"))
    sha256 = models.CharField(max_length=64)

    objects = DisclosureQuerySet.as_manager()

    class Meta:
        verbose_name = _("disclosure")
        verbose_name_plural = _("disclosures")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.officer}: {self.get_act_display()}, {self.at:%Y-%m-%d %H:%M}"

    @property
    def has_whole_numbers(self) -> bool:
        return self.kind == Export.Kind.REGISTER or self.options.get("numbers") == Posting.PersonFiles.WHOLE


class ExportMail(Mailing):
    """The e-mail about one export that was asked for, or about all files of one run to one officer."""

    export = models.ForeignKey(Export, models.CASCADE, null=True, related_name="+", db_index=False)
    run = models.ForeignKey("reports.ScheduleRun", models.CASCADE, null=True, related_name="+", db_index=False)

    class Meta:
        verbose_name = _("e-mail of files")
        verbose_name_plural = _("e-mails of files")
        constraints = [
            models.UniqueConstraint(
                fields=["run", "export", "officer"], nulls_distinct=False, name="one_mail_a_file_or_run"
            ),
            models.CheckConstraint(condition=Q(export=None) ^ Q(run=None), name="mail_of_file_or_run"),
        ]

    def __str__(self) -> str:
        return f"{self.officer}: {self.export or self.run}"


class ScheduleQuerySet(models.QuerySet):
    def visible_to(self, officer):
        """Those of the units for which she keeps schedules, and of the units below."""
        hers = Q(pk__in=[])
        for unit in areas_of(officer):
            hers |= Q(unit__path__startswith=unit.path)
        return self.filter(hers)


class Schedule(models.Model):
    """Files that are made by the clock: of which unit, what, when, for whom (decision 0034)."""

    class File(models.TextChoices):
        """Kind and format of an export."""

        REPORT_PDF = "report.pdf", _("report, PDF")
        REPORT_WORD = "report.docx", _("report, Word")
        ANNEXES_XLSX = "annexes.xlsx", _("annex tables, XLSX")
        ANNEXES_PDF = "annexes.pdf", _("annex tables, PDF")
        ANNEX_CSV = "annexes.csv", _("one annex table, CSV")

    class Rhythm(models.TextChoices):
        DAILY = "daily", _("every day")
        WEEKLY = "weekly", _("on these weekdays")
        MONTHLY = "monthly", _("once a month")

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        ENDED = "ended", _("ended")

    PERIODS = (PeriodKind.DAY, PeriodKind.WEEK, PeriodKind.MONTH)

    name = models.CharField(_("name"), max_length=80)
    unit = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    period = models.CharField(_("report"), max_length=5, choices=[(each.value, each.label) for each in PERIODS])
    files = ArrayField(models.CharField(max_length=12, choices=File), verbose_name=_("files"))
    annex = models.CharField(_("annex table"), max_length=16, blank=True)  # one of `official.titles`, or all
    signs = models.CharField(_("signed by"), max_length=8)
    template = models.ForeignKey(
        ReportTemplate,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("template"),
    )
    of_today = models.BooleanField(default=False)  # the day itself so far, not the last that was cut off
    rhythm = models.CharField(_("how often"), max_length=7, choices=Rhythm)
    weekdays = ArrayField(models.SmallIntegerField(), default=list, blank=True)  # Monday is 1
    day_of_month = models.SmallIntegerField(_("day of the month"), null=True, blank=True)
    at = models.TimeField(_("at"))
    recipients = models.ManyToManyField(User, related_name="+", verbose_name=_("recipients"))
    status = models.CharField(_("status"), max_length=6, choices=Status, default=Status.ACTIVE)
    counts_from = models.DateTimeField()  # what fell due later is still to be run
    request = models.UUIDField(unique=True)  # made by the page that asks; sending it again makes nothing new
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField()
    changed_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    changed_at = models.DateTimeField()

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")
        ordering = ["unit__code", "name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(rhythm="daily", weekdays=[], day_of_month=None)
                | (Q(rhythm="weekly", day_of_month=None) & ~Q(weekdays=[]))
                | Q(rhythm="monthly", weekdays=[], day_of_month__range=(1, 31)),
                name="schedule_rhythm",
            ),
            models.CheckConstraint(condition=~Q(files=[]), name="schedule_has_files"),
        ]

    def __str__(self) -> str:
        return self.name


class ScheduleRun(models.Model):
    """One time that a schedule was due, or was asked for by hand, and what came of it."""

    class Outcome(models.TextChoices):
        FILES = "files", _("files asked for")
        MADE_UP = "made_up", _("missed; made up by a later run")
        NO_ROUND = "no_round", _("no round is open")
        NOT_BEGUN = "not_begun", _("no day of the round was over yet")
        NOBODY = "nobody", _("none of the recipients may see the unit")

    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="runs", db_index=False)
    due_at = models.DateTimeField(_("due at"))
    started_at = models.DateTimeField(_("run at"))
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    outcome = models.CharField(_("outcome"), max_length=9, choices=Outcome)
    until = models.DateField(_("figures to the end of"), null=True, blank=True)
    left_out = models.ManyToManyField(User, related_name="+")  # recipients who may not see the unit any more

    class Meta:
        verbose_name = _("run of a schedule")
        verbose_name_plural = _("runs of schedules")
        ordering = ["-due_at"]
        constraints = [models.UniqueConstraint(fields=["schedule", "due_at"], name="one_run_a_due_time")]

    def __str__(self) -> str:
        return f"{self.schedule}: {self.due_at}"
