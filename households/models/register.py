from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Func, Q
from django.utils.translation import gettext_lazy as _

from households import text
from households.models.units import AdministrativeUnit

# What the search index holds of a form: the words of the name without marks and as written, and the province, the
# commune, the hamlet and the year of birth as words too, so that one index answers "these words, there, born then".
# A query has to use these very expressions (docs/decisions/0014-search.md).
FORM_WORDS = (
    "array_to_tsvector(array_remove(string_to_array(search_key || ' ' || full_name || ' ^' || province_id"
    " || ' @' || commune_id || ' ~' || hamlet_id || ' #' || birth_year, ' '), ''))"
)
FORM_WORD_STARTS = "(' ' || search_key)"
# The same of a household's address, folded by the database: addresses have no stored key.
ADDRESS_WORDS = (
    f"array_to_tsvector(array_remove(string_to_array(translate(address, '{text.FOLD_FROM}', '{text.FOLD_TO}')"
    " || ' ^' || province_id || ' @' || commune_id, ' '), ''))"
)


class ScopedQuerySet(models.QuerySet):
    """Rows that carry their province and commune."""

    def visible_to(self, officer):
        """Persons' rows the officer may see; leaders see figures only, so none."""
        from households.permissions import scope_of

        return self.filter(scope_of(officer).persons_filter())


class Household(models.Model):
    """A home of a hamlet, as the household book (sổ hộ khẩu) has it."""

    province = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    commune = models.ForeignKey(
        AdministrativeUnit, models.PROTECT, related_name="households_of_commune", db_index=False
    )
    hamlet = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="households_of_hamlet", db_index=False)
    book_number = models.CharField(_("household book number"), max_length=20, blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    head_name = models.CharField(_("head of household"), max_length=100, blank=True)
    # The officer's walking order within the hamlet; "next household" follows it.
    sequence = models.IntegerField(_("order in the hamlet"))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("household")
        verbose_name_plural = _("households")
        constraints = [
            models.UniqueConstraint(fields=["commune", "hamlet", "sequence"], name="household_order"),
        ]
        indexes = [
            models.Index(fields=["commune", "book_number"], name="household_book"),
            GinIndex(Func(template=ADDRESS_WORDS), name="household_address"),
        ]

    def __str__(self) -> str:
        return f"{self.book_number} {self.head_name}".strip()


class Sex(models.IntegerChoices):
    """QCVN 109:2017 GioiTinh."""

    UNKNOWN = 0, _("not known")
    MALE = 1, _("male")
    FEMALE = 2, _("female")


def birth_date_text(year: int, month: int | None, day: int | None) -> str:
    """As written on the form: dd/mm/yyyy, mm/yyyy or yyyy."""
    return "/".join([*(f"{part:02d}" for part in (day, month) if part), str(year)])


class CollectionForm(models.Model):
    """One phiếu DC01 as it was collected (domain.md section 3). What an officer finds wrong is a
    `Correction` of a verification pass; the collected values stay."""

    class FormVersion(models.TextChoices):
        TT66_2015 = "TT66/2015", "DC01, Thông tư 66/2015/TT-BCA"
        TT41_2019 = "TT41/2019", "DC01, Thông tư 41/2019/TT-BCA"
        TT104_2020 = "TT104/2020", "DC01, Thông tư 104/2020/TT-BCA"

    class MaritalStatus(models.IntegerChoices):
        UNKNOWN = 0, _("not known")
        SINGLE = 1, _("never married")
        MARRIED = 2, _("married")
        DIVORCED_OR_WIDOWED = 3, _("divorced or widowed")

    class BloodType(models.TextChoices):
        A = "A", "A"
        B = "B", "B"
        AB = "AB", "AB"
        O = "O", "O"  # noqa: E741 - the name of the group

    class Qualification(models.TextChoices):
        COLLECTED = "collected", _("collected, not yet scanned")
        QUALIFIED = "qualified", _("good, scanned")
        REFUSED = "refused", _("refused at scanning")

    class RefusalReason(models.TextChoices):
        UNREADABLE = "unreadable", _("blurred or torn, cannot be scanned")
        NO_SIGNATURE = "no_signature", _("signature or seal missing")
        ITEMS_MISSING = "items_missing", _("obligatory items missing")

    # where it belongs
    province = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    commune = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    hamlet = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="+", db_index=False)
    collected_unit = models.ForeignKey(
        AdministrativeUnit,
        models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("commune of collection"),
        help_text=_("the commune as it was on the day of collection"),
    )
    household = models.ForeignKey(Household, models.PROTECT, related_name="forms")
    line = models.SmallIntegerField(_("line in the household"))

    # the paper
    form_version = models.CharField(
        _("form version"), max_length=12, choices=FormVersion, default=FormVersion.TT66_2015
    )
    barcode = models.CharField(_("barcode"), max_length=20, blank=True)
    collected_on = models.DateField(_("collected on"))
    declared_on = models.DateField(_("declared on"), null=True, blank=True)
    batch = models.CharField(_("scan batch"), max_length=20, blank=True)
    qualification = models.CharField(_("qualification"), max_length=10, choices=Qualification)
    refusal_reason = models.CharField(_("reason of refusal"), max_length=16, choices=RefusalReason, blank=True)
    signed_by_declarant = models.BooleanField(_("signed by the declarant"), default=True)
    signed_by_officer = models.BooleanField(_("signed by the officer"), default=True)
    signed_by_chief = models.BooleanField(_("signed and sealed by the chief"), default=True)
    is_synthetic = models.BooleanField(_("made-up person"), default=False)

    # 1-5
    full_name = models.CharField(_("full name"), max_length=100)
    birth_year = models.SmallIntegerField(_("birth year"))
    birth_month = models.SmallIntegerField(_("birth month"), null=True, blank=True)
    birth_day = models.SmallIntegerField(_("birth day"), null=True, blank=True)
    blood_type = models.CharField(_("blood type"), max_length=2, choices=BloodType, blank=True)
    sex = models.SmallIntegerField(_("sex"), choices=Sex)
    marital_status = models.SmallIntegerField(_("marital status"), choices=MaritalStatus, default=MaritalStatus.UNKNOWN)
    # 6-7, 12-13: the text as written, often of a unit that is no more; a code where it is known
    birth_registration_place = models.CharField(_("place of birth registration"), max_length=200, blank=True)
    birth_registration_code = models.CharField(max_length=5, blank=True)
    origin_place = models.CharField(_("place of origin"), max_length=200, blank=True)
    origin_code = models.CharField(max_length=5, blank=True)
    residence_place = models.CharField(_("permanent residence"), max_length=200, blank=True)
    residence_code = models.CharField(max_length=5, blank=True)
    present_place = models.CharField(_("present residence"), max_length=200, blank=True)
    present_code = models.CharField(max_length=5, blank=True)
    # 8-11
    ethnicity = models.CharField(_("ethnic group"), max_length=30, blank=True)
    nationality = models.CharField(_("nationality"), max_length=30, blank=True)
    other_nationality = models.CharField(_("other nationality"), max_length=30, blank=True)
    religion = models.CharField(_("religion"), max_length=40, blank=True)
    # Neither is unique: numbers were issued twice, and to two people (domain.md section 4).
    pin = models.CharField(_("personal number"), max_length=20, blank=True)
    cmnd = models.CharField(_("identity card number"), max_length=20, blank=True)
    # 14-15: name, nationality and number of each
    father_name = models.CharField(_("father"), max_length=100, blank=True)
    father_nationality = models.CharField(max_length=30, blank=True)
    father_number = models.CharField(max_length=20, blank=True)
    mother_name = models.CharField(_("mother"), max_length=100, blank=True)
    mother_nationality = models.CharField(max_length=30, blank=True)
    mother_number = models.CharField(max_length=20, blank=True)
    spouse_name = models.CharField(_("spouse"), max_length=100, blank=True)
    spouse_nationality = models.CharField(max_length=30, blank=True)
    spouse_number = models.CharField(max_length=20, blank=True)
    representative_name = models.CharField(_("legal representative"), max_length=100, blank=True)
    representative_nationality = models.CharField(max_length=30, blank=True)
    representative_number = models.CharField(max_length=20, blank=True)
    head_name = models.CharField(_("head of household"), max_length=100, blank=True)
    head_nationality = models.CharField(max_length=30, blank=True)
    head_number = models.CharField(max_length=20, blank=True)
    # 16-17
    relation = models.CharField(_("relation to the head"), max_length=40, blank=True)
    book_number = models.CharField(_("household book number"), max_length=20, blank=True)

    search_key = models.CharField(max_length=100, editable=False)
    sort_key = models.CharField(max_length=400, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("collection form")
        verbose_name_plural = _("collection forms")
        constraints = [
            models.UniqueConstraint(fields=["province", "barcode"], condition=~Q(barcode=""), name="form_barcode_once"),
            models.CheckConstraint(
                condition=Q(qualification="refused") ^ Q(refusal_reason=""), name="form_refused_with_reason"
            ),
            models.CheckConstraint(
                condition=Q(birth_day=None) | Q(birth_month__isnull=False), name="form_birth_day_has_month"
            ),
            models.CheckConstraint(
                condition=(Q(birth_month=None) | Q(birth_month__range=(1, 12)))
                & (Q(birth_day=None) | Q(birth_day__range=(1, 31)))
                & Q(birth_year__range=(1850, 2399)),
                name="form_birth_date_in_range",
            ),
        ]
        indexes = [
            # the roll-up counts a commune's forms from this index alone
            models.Index(fields=["commune", "hamlet", "qualification", "refusal_reason"], name="form_count"),
            GinIndex(
                Func(template=FORM_WORDS),
                OpClass(Func(template=FORM_WORD_STARTS), name="gin_trgm_ops"),
                name="form_words",
            ),
            models.Index(fields=["cmnd"], condition=~Q(cmnd=""), name="form_cmnd"),
            models.Index(fields=["pin"], condition=~Q(pin=""), name="form_pin"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def birth_date_text(self) -> str:
        return birth_date_text(self.birth_year, self.birth_month, self.birth_day)
