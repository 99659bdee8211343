from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households.faults import Fault
from households.models import AdministrativeUnit, CollectionForm, User, WorkTeam
from households.models.register import ScopedQuerySet
from verification.models.rounds import Round
from verification.terms import Approval, Outcome, SourcePaper


class VerificationPassQuerySet(ScopedQuerySet):
    def standing(self):
        return self.filter(is_standing=True)


class VerificationPass(models.Model):
    """One check of one form in one round. Never edited, never deleted: a trigger of the database
    lets only `is_standing` change, which follows the pass's events."""

    round = models.ForeignKey(Round, models.PROTECT, related_name="passes", db_index=False)
    form = models.ForeignKey(CollectionForm, models.PROTECT, related_name="passes")
    # copied, so that a transfer of officer or commune does not move old work
    province = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    commune = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    team = models.ForeignKey(WorkTeam, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    officer = models.ForeignKey(User, models.PROTECT, related_name="passes", db_index=False)
    # made by the client; sending the same submission again changes nothing
    submission = models.UUIDField()
    # the printed checklist it was entered from
    sheet = models.ForeignKey(
        "verification.Sheet", models.PROTECT, null=True, blank=True, related_name="passes", db_index=False
    )
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome)
    by_books = models.BooleanField(_("compared with the police books"))
    in_person = models.BooleanField(_("seen in person, with papers"))
    verified_on = models.DateField(_("verified on"))
    recorded_at = models.DateTimeField(_("recorded at"))
    is_standing = models.BooleanField(default=True)
    supersedes = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="superseded_by", db_index=False
    )
    # what single outcomes ask for
    event_on = models.DateField(_("date of death or departure"), null=True, blank=True)
    destination = models.CharField(_("where to"), max_length=200, blank=True)
    paper = models.CharField(_("paper"), max_length=24, choices=SourcePaper, blank=True)
    duplicate_of = models.ForeignKey(
        CollectionForm, models.PROTECT, null=True, blank=True, related_name="duplicate_passes"
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    attempts = models.SmallIntegerField(_("attempts made"), null=True, blank=True)
    next_visit_on = models.DateField(_("next visit on"), null=True, blank=True)

    objects = VerificationPassQuerySet.as_manager()

    class Meta:
        verbose_name = _("verification pass")
        verbose_name_plural = _("verification passes")
        constraints = [
            models.UniqueConstraint(
                fields=["form", "round"], condition=Q(is_standing=True), name="one_standing_pass_a_form_and_round"
            ),
            models.UniqueConstraint(fields=["submission", "form"], name="pass_once_in_a_submission"),
            models.CheckConstraint(condition=Q(by_books=True) | Q(in_person=True), name="pass_has_a_method"),
            models.CheckConstraint(
                condition=(~Q(outcome="deceased") | (Q(event_on__isnull=False) & ~Q(paper="")))
                & (~Q(outcome="moved_away") | (Q(event_on__isnull=False) & ~Q(destination="")))
                & (~Q(outcome="duplicate") | Q(duplicate_of__isnull=False))
                & (~Q(outcome="not_met") | (Q(next_visit_on__isnull=False) & ~Q(reason="")))
                & (~Q(outcome="unverifiable") | (Q(attempts__gte=1) & ~Q(reason=""))),
                name="pass_says_what_its_outcome_asks",
            ),
        ]
        indexes = [
            models.Index(fields=["officer", "recorded_at"], name="pass_own_work"),
            # what became known in a commune since the last roll-up
            models.Index(fields=["commune", "recorded_at"], name="pass_of_commune_since"),
        ]

    def __str__(self) -> str:
        return f"{self.form_id}: {self.outcome}"


class PassEvent(models.Model):
    """What happened to a pass after it was recorded. Appended only."""

    class Kind(models.TextChoices):
        UNDONE = "undone", _("undone")
        SUPERSEDED = "superseded", _("superseded by a later pass")
        RESTORED = "restored", _("stands again, the later pass was undone")
        APPROVED = "approved", _("approved")
        RETURNED = "returned", _("returned")
        REOPENED = "reopened", _("reopened")

    verification_pass = models.ForeignKey(VerificationPass, models.PROTECT, related_name="events")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("event of a pass")
        verbose_name_plural = _("events of passes")
        indexes = [models.Index(fields=["at"], name="event_since")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind__in=["returned", "reopened"]) | ~Q(reason=""), name="event_with_its_reason"
            )
        ]

    def __str__(self) -> str:
        return f"{self.verification_pass_id}: {self.kind}"


class Correction(models.Model):
    """One item of the form that a pass found wrong or missing: old, new, fault, and the paper that proves it.
    Only the district's decision is written later; old, new and source never change."""

    verification_pass = models.ForeignKey(VerificationPass, models.PROTECT, related_name="corrections")
    field = models.CharField(_("item"), max_length=32)
    old = models.CharField(_("old value"), max_length=200, blank=True)
    new = models.CharField(_("new value"), max_length=200)
    fault = models.CharField(_("fault"), max_length=3, choices=Fault)
    source = models.CharField(_("source paper"), max_length=24, choices=SourcePaper)
    note = models.CharField(_("note"), max_length=200, blank=True)
    approval = models.CharField(_("approval"), max_length=8, choices=Approval, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("correction")
        verbose_name_plural = _("corrections")
        constraints = [
            models.UniqueConstraint(fields=["verification_pass", "field"], name="one_correction_a_field"),
            models.CheckConstraint(condition=~Q(source=""), name="correction_has_a_source"),
            models.CheckConstraint(condition=~Q(old=models.F("new")), name="correction_changes_something"),
            models.CheckConstraint(
                condition=Q(approval__in=["approved", "returned"]) ^ Q(decided_at=None, decided_by=None),
                name="correction_decision_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.old} → {self.new}"


class RollupMark(models.Model):
    """The outbox: a commune whose facts changed in a round. Written in the transaction of the change,
    taken by the roll-up."""

    round = models.ForeignKey(Round, models.CASCADE, related_name="+", db_index=False)
    commune = models.ForeignKey(AdministrativeUnit, models.CASCADE, related_name="+", db_index=False)
    every_day = models.BooleanField(default=False, db_default=False)

    class Meta:
        verbose_name = _("roll-up mark")
        verbose_name_plural = _("roll-up marks")

    def __str__(self) -> str:
        return f"{self.round_id}/{self.commune_id}"
