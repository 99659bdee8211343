from collections.abc import Iterable
from datetime import date

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from households.models.units import AdministrativeUnit


def valid_on_filter(day: date) -> Q:
    return Q(valid_from__lte=day) & (Q(valid_to=None) | Q(valid_to__gt=day))


class WorkTeam(models.Model):
    """A tổ công tác: officers who work through several communes of one district."""

    code = models.CharField(_("code"), max_length=16, unique=True)
    name = models.CharField(_("name"), max_length=100)
    district = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="teams", verbose_name=_("district"))

    class Meta:
        verbose_name = _("work team")
        verbose_name_plural = _("work teams")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class TeamCommuneQuerySet(models.QuerySet):
    def valid_on(self, day: date):
        return self.filter(valid_on_filter(day))


class TeamCommune(models.Model):
    """Which team works in a commune, and since when. One team at a time, so that the teams'
    totals add up to the territory's."""

    team = models.ForeignKey(WorkTeam, models.PROTECT, related_name="team_communes")
    commune = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="team_communes")
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid to"), null=True, blank=True)

    objects = TeamCommuneQuerySet.as_manager()

    class Meta:
        verbose_name = _("team's commune")
        verbose_name_plural = _("team's communes")
        constraints = [
            models.UniqueConstraint(fields=["commune"], condition=Q(valid_to=None), name="one_team_in_a_commune"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="team_valid_dates"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team}: {self.commune}"


class ReinforcementQuerySet(models.QuerySet):
    def valid_on(self, day: date):
        return self.filter(starts_on__lte=day, ends_on__gte=day, cancelled_at=None)


class Reinforcement(models.Model):
    """A team that also works in another district for some days (tăng cường). Its own communes stay its own, so that
    the teams' totals still add up to the territory's."""

    team = models.ForeignKey(WorkTeam, models.PROTECT, related_name="reinforcements", verbose_name=_("team"))
    district = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", verbose_name=_("district"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until, this day too"))
    decided_by = models.ForeignKey("households.User", models.PROTECT, related_name="+", db_index=False)
    decided_at = models.DateTimeField(_("decided at"))
    cancelled_by = models.ForeignKey(
        "households.User", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)

    objects = ReinforcementQuerySet.as_manager()

    class Meta:
        verbose_name = _("reinforcement")
        verbose_name_plural = _("reinforcements")
        ordering = ["-starts_on", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="reinforcement_dates"),
            models.CheckConstraint(
                condition=Q(cancelled_at=None) ^ Q(cancelled_by__isnull=False), name="reinforcement_cancelled_by"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.team}: {self.district}"


class User(AbstractUser):
    """An identity. Where the officer works and as what is a `Posting`."""

    first_name = None
    last_name = None
    full_name = models.CharField(_("full name"), max_length=100)

    REQUIRED_FIELDS = ["full_name"]

    class Meta(AbstractUser.Meta):
        verbose_name = _("officer")
        verbose_name_plural = _("officers")

    def __str__(self) -> str:
        return self.full_name or self.username

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.full_name


class PostingQuerySet(models.QuerySet):
    def valid_on(self, day: date):
        return self.filter(valid_on_filter(day))

    def first_of_each(self, officers: Iterable[int], day: date) -> "dict[int, Posting]":
        """Where each of them is posted on that day: the first of the postings."""
        found = self.valid_on(day).filter(user__in=list(officers)).select_related("unit", "team")
        return {posting.user_id: posting for posting in found.order_by("-pk")}


class Posting(models.Model):
    """An officer's place and role from a day until a day. An ended posting shows nothing any more;
    what was recorded in it stays where it was recorded."""

    class Role(models.TextChoices):
        COMMUNE_OFFICER = "commune_officer", _("commune officer")
        TEAM_MEMBER = "team_member", _("team member")
        DISTRICT_OFFICER = "district_officer", _("district officer")
        PC06_OFFICER = "pc06_officer", _("PC06 officer")
        ADMINISTRATOR = "administrator", _("administrator")
        LEADER = "leader", _("leader or inspector")

    class PersonFiles(models.TextChoices):
        """May files that list persons be made, and with which of their numbers: a right of its own, which no role
        brings along (domain.md section 11)."""

        NONE = "", _("none")
        MASKED = "masked", _("with the last three digits of numbers")
        WHOLE = "whole", _("with whole numbers")

    user = models.ForeignKey(User, models.CASCADE, related_name="postings", verbose_name=_("officer"))
    role = models.CharField(_("role"), max_length=20, choices=Role)
    unit = models.ForeignKey(
        AdministrativeUnit, models.PROTECT, null=True, blank=True, related_name="postings", verbose_name=_("unit")
    )
    team = models.ForeignKey(
        WorkTeam, models.PROTECT, null=True, blank=True, related_name="postings", verbose_name=_("team")
    )
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid to"), null=True, blank=True, help_text=_("first day it is no longer valid"))
    person_files = models.CharField(
        _("files with lists of persons"),
        max_length=6,
        choices=PersonFiles,
        default=PersonFiles.NONE,
        db_default=PersonFiles.NONE,
        blank=True,
    )

    objects = PostingQuerySet.as_manager()

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        constraints = [
            models.CheckConstraint(
                condition=Q(role="team_member", team__isnull=False, unit=None)
                | (~Q(role="team_member") & Q(team=None, unit__isnull=False)),
                name="posting_to_unit_or_team",
                violation_error_message=_("A team member is posted to a team, every other role to a unit."),
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="posting_valid_dates"
            ),
            models.CheckConstraint(
                condition=~Q(role="leader") | Q(person_files=""),
                name="leader_without_persons",
                violation_error_message=_("A leader sees figures only, so no files with persons."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}, {self.unit or self.team}"
