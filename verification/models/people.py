from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households.models import AdministrativeUnit, CollectionForm, Household, User, WorkTeam
from households.models.register import ScopedQuerySet
from verification.models.rounds import Round
from verification.terms import NewPersonReason, SourcePaper


class NewPersonQuerySet(ScopedQuerySet):
    def standing(self):
        """Not undone."""
        return self.filter(form__isnull=False)


class NewPerson(models.Model):
    """Somebody without a form whom an officer found in a round: who found her, why she is new, what shows it.

    Her form is not in the round, so she is in no plan and no rate; she is counted from these rows alone
    (docs/decisions/0024). Undone, the form is gone and the row stays; the database lets nothing else change.
    """

    round = models.ForeignKey(Round, models.PROTECT, related_name="new_people", db_index=False)
    form = models.OneToOneField(CollectionForm, models.PROTECT, null=True, related_name="new_person")
    # as the form has them, so that counting reads one narrow index
    province = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    commune = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    hamlet = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    household = models.ForeignKey(Household, models.PROTECT, related_name="new_people", db_index=False)
    team = models.ForeignKey(WorkTeam, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    officer = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    # made by the client; sending the same submission again changes nothing
    submission = models.UUIDField(unique=True)
    reason = models.CharField(_("why new"), max_length=8, choices=NewPersonReason)
    found_on = models.DateField(_("found on"))
    paper = models.CharField(_("paper"), max_length=24, choices=SourcePaper)
    recorded_at = models.DateTimeField(_("recorded at"))
    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)

    objects = NewPersonQuerySet.as_manager()

    class Meta:
        verbose_name = _("new person")
        verbose_name_plural = _("new people")
        constraints = [
            models.CheckConstraint(
                condition=Q(form__isnull=True) ^ Q(undone_at__isnull=True), name="new_person_has_form_or_is_undone"
            ),
            models.CheckConstraint(condition=~Q(reason="") & ~Q(paper=""), name="new_person_says_why"),
        ]
        indexes = [
            models.Index(
                fields=["round", "commune", "hamlet"], condition=Q(form__isnull=False), name="new_person_count"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.form_id or '–'}: {self.reason}"
