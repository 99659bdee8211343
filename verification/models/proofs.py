from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from households.models import AdministrativeUnit, CollectionForm, User
from households.models.register import ScopedQuerySet
from verification.models.work import Correction, VerificationPass


class ProofQuerySet(ScopedQuerySet):
    def waiting(self):
        """Uploaded, and of nothing recorded yet."""
        return self.filter(correction=None, verification_pass=None)

    def seen_by(self, officer):
        """Persons' rows she may see; what is not recorded yet only its uploader."""
        is_recorded = Q(correction__isnull=False) | Q(verification_pass__isnull=False)
        return self.visible_to(officer).filter(is_recorded | Q(uploaded_by=officer))


class Proof(models.Model):
    """A photo or scan of the paper behind one correction, or behind a removal's pass. The file lies outside the
    web root under this row's key (verification/proofs.py). A trigger of the database lets a proof be linked once;
    then it is history and is neither changed nor deleted."""

    class Kind(models.TextChoices):
        IMAGE = "image", _("photo")
        PDF = "pdf", _("PDF")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    form = models.ForeignKey(CollectionForm, models.PROTECT, related_name="proofs")
    # copied, as a pass copies them
    province = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    commune = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    uploaded_by = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    uploaded_at = models.DateTimeField(_("uploaded at"))
    kind = models.CharField(_("kind"), max_length=5, choices=Kind)
    bytes = models.IntegerField(_("size in bytes"))
    sha256 = models.CharField(max_length=64)
    pages = models.SmallIntegerField(_("pages"), default=1)
    width = models.IntegerField(_("width"))
    height = models.IntegerField(_("height"))
    # what it proves: one of the two, both empty until recorded
    correction = models.ForeignKey(Correction, models.PROTECT, null=True, blank=True, related_name="proofs")
    verification_pass = models.ForeignKey(
        VerificationPass, models.PROTECT, null=True, blank=True, related_name="proofs"
    )

    objects = ProofQuerySet.as_manager()

    class Meta:
        verbose_name = _("proof")
        verbose_name_plural = _("proofs")
        constraints = [
            models.CheckConstraint(condition=Q(correction=None) | Q(verification_pass=None), name="proof_of_one_thing"),
            models.CheckConstraint(
                condition=Q(bytes__gt=0, pages__gt=0, width__gt=0, height__gt=0), name="proof_not_empty"
            ),
        ]
        indexes = [
            models.Index(
                fields=["uploaded_by", "uploaded_at"],
                condition=Q(correction=None, verification_pass=None),
                name="proof_waiting",
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)
