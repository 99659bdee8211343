from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households.faults import Fault
from households.models.register import CollectionForm, ScopedQuerySet
from households.models.units import AdministrativeUnit


class SuspectedFault(models.Model):
    """A fault the program suspects on a form. Written by `suspicions` alone; a result answers it, an approved
    correction has the form judged again (docs/decisions/0013, 0020)."""

    province = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    commune = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    form = models.ForeignKey(CollectionForm, models.CASCADE, related_name="suspected_faults", db_index=False)
    fault = models.CharField(_("fault"), max_length=3, choices=Fault)
    field = models.CharField(_("item"), max_length=32)
    # the form that says the same, where the fault is that two do
    other = models.ForeignKey(CollectionForm, models.CASCADE, null=True, related_name="+", db_index=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("suspected fault")
        verbose_name_plural = _("suspected faults")
        constraints = [models.UniqueConstraint(fields=["form", "fault", "field"], name="suspected_once")]
        indexes = [
            # the roll-up counts a commune's forms by fault from this index alone, and lists find them by it
            models.Index(fields=["commune", "fault", "form"], name="suspected_count"),
            models.Index(fields=["other"], condition=Q(other__isnull=False), name="suspected_other"),
        ]

    def __str__(self) -> str:
        return f"{self.form_id}: {self.fault} {self.field}"
