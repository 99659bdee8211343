from datetime import date, datetime, time, timedelta
from functools import cached_property

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from households.models import AdministrativeUnit, CollectionForm, Household, User
from households.models.register import ScopedQuerySet
from households.statements import Statement
from verification.terms import COUNTING_BY_DEFAULT, REMOVALS, WITH_CORRECTIONS, Approval, Outcome


def counting_by_default() -> list[str]:
    return [outcome.value for outcome in COUNTING_BY_DEFAULT]


def approved_by_default() -> list[str]:
    return [outcome.value for outcome in (*WITH_CORRECTIONS, *REMOVALS)]


class RoundQuerySet(models.QuerySet):
    def open(self):
        return self.filter(status=Round.Status.OPEN)

    def current(self) -> "Round | None":
        """The open round, or the last one there was."""
        row = CURRENT_ROUND.row()
        return Round.from_db("default", ROUND_COLUMNS, row) if row else None


class Round(models.Model):
    """One verification campaign (đợt phúc tra) in one area, with its dates and rules."""

    class Status(models.TextChoices):
        PLANNED = "planned", _("planned")
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    class ApprovingLevel(models.IntegerChoices):
        """As AdministrativeUnit.Level."""

        PROVINCE = 1, _("the province (PC06)")
        DISTRICT = 2, _("the district")

    class NumbersOnSheets(models.TextChoices):
        LAST_DIGITS = "last", _("the last three digits")
        WHOLE = "whole", _("whole")
        NONE = "none", _("none")

    name = models.CharField(_("name"), max_length=100)
    area = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="rounds", verbose_name=_("area"))
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"))
    collected_until = models.DateField(_("forms collected until"), help_text=_("later forms are not in the plan"))
    counting_outcomes = ArrayField(
        models.CharField(max_length=16, choices=Outcome),
        default=counting_by_default,
        verbose_name=_("outcomes that count as verified"),
    )
    approval_outcomes = ArrayField(
        models.CharField(max_length=16, choices=Outcome),
        default=approved_by_default,
        verbose_name=_("outcomes the district must approve"),
    )
    approving_level = models.SmallIntegerField(
        _("who approves"), choices=ApprovingLevel, default=ApprovingLevel.DISTRICT, db_default=ApprovingLevel.DISTRICT
    )
    cut_off_hour = models.SmallIntegerField(
        _("cut-off of a day, hour"),
        default=24,
        db_default=24,
        help_text=_("what is recorded later belongs to the figures of the next day; 24 is the end of the day"),
    )
    undo_minutes = models.SmallIntegerField(_("minutes in which a result may be undone"), default=10)
    numbers_on_sheets = models.CharField(
        _("numbers of persons on printed checklists"),
        max_length=5,
        choices=NumbersOnSheets,
        default=NumbersOnSheets.LAST_DIGITS,
    )
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.PLANNED)
    opened_at = models.DateTimeField(_("opened at"), null=True, blank=True)
    opened_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = RoundQuerySet.as_manager()

    class Meta:
        verbose_name = _("round")
        verbose_name_plural = _("rounds")
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="round_dates"),
            models.CheckConstraint(condition=Q(cut_off_hour__range=(1, 24)), name="round_cut_off_hour"),
            models.UniqueConstraint(fields=["area"], condition=Q(status="open"), name="one_open_round_in_an_area"),
            models.CheckConstraint(condition=Q(status="planned") ^ Q(opened_at__isnull=False), name="round_opened"),
        ]

    def __str__(self) -> str:
        return self.name

    def known_on(self, moment: datetime) -> date:
        """The day to whose figures something recorded at that moment belongs: each day ends at the cut-off hour."""
        return (timezone.localtime(moment) + timedelta(hours=24 - self.cut_off_hour)).date()

    def known_from(self, day: date) -> datetime:
        """The first moment that belongs to the figures of that day."""
        midnight = datetime.combine(day, time(), timezone.get_default_timezone())
        return midnight - timedelta(hours=24 - self.cut_off_hour)

    def verified_q(self, prefix: str = "") -> Q:
        """Results that count as verified in this round, as `rules.is_verified`; `prefix` leads to the RoundForm."""
        counts = Q(**{f"{prefix}outcome__in": self.counting_outcomes})
        removal = Q(**{f"{prefix}outcome__in": REMOVALS})
        return counts & (~removal | Q(**{f"{prefix}approval__in": ["", Approval.APPROVED]}))

    @cached_property
    def stored_targets(self) -> "list[Target]":
        """The next due first; read once."""
        return Target.objects.of_round(self.pk)

    def unfinished_outcomes(self) -> list[str]:
        """Nothing recorded, and what was recorded but does not count."""
        return ["", *(outcome for outcome in Outcome.values if outcome not in self.counting_outcomes)]


ROUND_COLUMNS = [field.attname for field in Round._meta.concrete_fields]
# Asked by every page. "open" sorts behind "closed", so first when turned round.
CURRENT_ROUND = Statement(
    "current_round",
    "",
    f"""
    SELECT {", ".join(ROUND_COLUMNS)} FROM verification_round
    WHERE status <> 'planned' ORDER BY status DESC, starts_on DESC LIMIT 1""",
)


class TargetQuerySet(models.QuerySet):
    def of_round(self, round_id: int) -> "list[Target]":
        """By one statement that is planned once a connection: every page of figures asks it."""
        return [Target.from_db("default", TARGET_COLUMNS, row) for row in TARGETS_OF_ROUND.rows(round_id)]


class Target(models.Model):
    """What should hold by when: of the whole, of every commune, or between the communes (product.md section 4)."""

    class Kind(models.TextChoices):
        OVERALL = "overall", _("the whole, percent of the plan")
        EACH_COMMUNE = "floor", _("every commune at least, percent of its plan")
        SPREAD = "spread", _("best and last commune apart at most, points")

    round = models.ForeignKey(Round, models.CASCADE, related_name="targets")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.OVERALL, db_default=Kind.OVERALL)
    percent = models.DecimalField(_("percent or points"), max_digits=5, decimal_places=2)
    due_on = models.DateField(_("due on"))

    objects = TargetQuerySet.as_manager()

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        ordering = ["due_on", "percent"]
        constraints = [
            models.UniqueConstraint(fields=["round", "kind", "percent", "due_on"], name="target_once"),
            models.CheckConstraint(condition=Q(percent__gt=0, percent__lte=100), name="target_percent"),
        ]

    def __str__(self) -> str:
        return f"{self.percent}% – {self.due_on}"


TARGET_COLUMNS = [field.attname for field in Target._meta.concrete_fields]
TARGETS_OF_ROUND = Statement(
    "targets_of_round",
    "bigint",
    f"SELECT {', '.join(TARGET_COLUMNS)} FROM verification_target WHERE round_id = $1 ORDER BY {', '.join(Target._meta.ordering)}",
)


class PlanQuerySet(models.QuerySet):
    def with_adjusted(self):
        """Each with `adjusted`: the frozen forms and every recorded adjustment."""
        changes = PlanAdjustment.objects.filter(plan=OuterRef("pk")).values("plan")
        changed = Subquery(changes.annotate(sum=Sum("forms")).values("sum"))
        return self.annotate(adjusted=F("forms") + Coalesce(changed, 0))


class Plan(models.Model):
    """A commune's chỉ tiêu of a round, frozen when the round opened: a stored, dated figure, for
    supplementary forms go on raising the live count (domain.md section 1)."""

    round = models.ForeignKey(Round, models.CASCADE, related_name="plans")
    commune = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+")
    forms = models.IntegerField(_("forms to verify"))
    population = models.IntegerField(_("registered population"))
    frozen_on = models.DateField(_("frozen on"))

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        constraints = [
            models.UniqueConstraint(fields=["round", "commune"], name="one_plan_a_commune"),
            models.CheckConstraint(condition=Q(forms__gte=0, population__gte=0), name="plan_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.commune}: {self.forms}"


class PlanAdjustment(models.Model):
    """A recorded change of a frozen plan. Appended, never edited."""

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="adjustments")
    forms = models.IntegerField(_("forms more or less"))
    reason = models.CharField(_("reason"), max_length=200)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("plan adjustment")
        verbose_name_plural = _("plan adjustments")
        constraints = [models.CheckConstraint(condition=~Q(forms=0) & ~Q(reason=""), name="adjustment_says_what")]

    def __str__(self) -> str:
        return f"{self.plan}: {self.forms:+d}"


class RoundFormQuerySet(ScopedQuerySet):
    def in_round(self, round: Round):
        return self.filter(round=round)

    def open(self, round: Round):
        """Still to be done in `round`: nothing recorded that counts, or returned by the district."""
        unfinished = Q(outcome__in=round.unfinished_outcomes()) | Q(approval=Approval.RETURNED)
        return self.in_round(round).filter(unfinished)

    def due(self, round: Round, today: date):
        """Whose turn it is: open, and where the person was absent the day of the next visit has come."""
        return self.open(round).exclude(outcome=Outcome.NOT_MET, next_visit_on__gt=today)


class RoundForm(models.Model):
    """One form in the scope of one round, and its standing result there.

    The result columns repeat the standing pass so that a roll-up reads one narrow index;
    `check_rollups` compares them with the passes.
    """

    round = models.ForeignKey(Round, models.PROTECT, related_name="round_forms", db_index=False)
    form = models.ForeignKey(CollectionForm, models.PROTECT, related_name="round_forms", db_index=False)
    province = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    commune = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    hamlet = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    household = models.ForeignKey(Household, models.PROTECT, related_name="round_forms")
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome, blank=True)
    approval = models.CharField(_("approval"), max_length=8, choices=Approval, blank=True)
    counted_on = models.DateField(_("counted on"), null=True, blank=True)
    next_visit_on = models.DateField(_("next visit on"), null=True, blank=True)
    # Pending: for the district, since it was recorded. Returned: for its officer, since the decision.
    waits_since = models.DateTimeField(_("waits since"), null=True, blank=True)
    standing_pass = models.OneToOneField(
        "verification.VerificationPass", models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = RoundFormQuerySet.as_manager()

    class Meta:
        verbose_name = _("form in a round")
        verbose_name_plural = _("forms in a round")
        constraints = [
            models.UniqueConstraint(fields=["form", "round"], name="form_once_in_a_round"),
            models.CheckConstraint(
                condition=Q(outcome="", approval="", counted_on=None, standing_pass=None, next_visit_on=None)
                | (~Q(outcome="") & Q(counted_on__isnull=False, standing_pass__isnull=False)),
                name="round_form_result_whole",
            ),
            models.CheckConstraint(
                condition=Q(approval__in=["pending", "returned"]) ^ Q(waits_since=None), name="round_form_waits_since"
            ),
        ]
        indexes = [
            models.Index(
                fields=["round", "commune"],
                include=["hamlet", "outcome", "approval", "counted_on"],
                name="round_form_count",
            ),
            models.Index(
                fields=["round", "commune", "hamlet", "household"],
                condition=Q(outcome__in=["", "not_met"]) | Q(approval="returned"),
                name="round_form_open",
            ),
            # the district's queue and what came back, oldest first, commune by commune
            models.Index(
                fields=["round", "commune", "approval", "waits_since", "form"],
                include=["outcome", "household"],
                condition=Q(approval__in=["pending", "returned"]),
                name="round_form_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.form_id}: {self.outcome or '–'}"

    def is_due(self, round: Round, today: date) -> bool:
        """As `RoundFormQuerySet.due`."""
        is_open = self.outcome in round.unfinished_outcomes() or self.approval == Approval.RETURNED
        later = self.outcome == Outcome.NOT_MET and self.next_visit_on and self.next_visit_on > today
        return is_open and not later
