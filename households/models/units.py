from datetime import date

from django.db import connection, models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from households import text
from households.statements import Statement


class AdministrativeUnitQuerySet(models.QuerySet):
    def valid_on(self, day: date):
        """Units that stood on `day`. No date means: since before our records, or still."""
        return self.filter(
            Q(valid_from__isnull=True) | Q(valid_from__lte=day),
            Q(valid_to__isnull=True) | Q(valid_to__gt=day),
        )

    def under(self, unit: "AdministrativeUnit"):
        """`unit` and everything below it."""
        return self.filter(path__startswith=unit.path)

    def visible_to(self, officer):
        """The units whose figures the officer may see. No posting means none."""
        from households.permissions import scope_of

        return self.filter(scope_of(officer).figures_filter(path="path"))

    def with_those_above(self, pk: int) -> "AdministrativeUnit | None":
        """The unit with its parent, the parent's parent and so on at hand; by one statement, as every page of figures asks it."""
        unit = None
        for row in UNIT_AND_ABOVE.rows(pk):
            below = self.model.from_db("default", UNIT_COLUMNS, row)
            if unit:
                below.parent = unit
            unit = below
        return unit

    def in_order(self):
        """Administrative order, as official tables have it, not by letter."""
        return self.order_by("code", "valid_from")

    def create_under(self, parent: "AdministrativeUnit | None", **fields) -> "AdministrativeUnit":
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [self.model._meta.db_table])
            (pk,) = cursor.fetchone()
        path = f"{parent.path if parent else ''}{pk}/"
        return self.create(pk=pk, parent=parent, path=path, **fields)


class AdministrativeUnit(models.Model):
    """A place of the administrative tree during the time it was valid.

    GSO codes are reused (18103 was xã Thạch Môn, since 2020 it is xã Đồng Môn), so the key is our
    own id, and `path` joins ids: `1/2/15/203/` is below `1/2/15/` and never below `1/2/1/`.
    """

    class Level(models.IntegerChoices):
        COUNTRY = 0, _("country")
        PROVINCE = 1, _("province")
        DISTRICT = 2, _("district")
        COMMUNE = 3, _("commune")
        HAMLET = 4, _("hamlet")

    class Type(models.TextChoices):
        # The type is part of the official name and is not translated.
        COUNTRY = "nước", "Nước"
        PROVINCE = "tỉnh", "Tỉnh"
        CITY = "thành phố", "Thành phố"
        TOWN = "thị xã", "Thị xã"
        RURAL_DISTRICT = "huyện", "Huyện"
        WARD = "phường", "Phường"
        TOWNSHIP = "thị trấn", "Thị trấn"
        RURAL_COMMUNE = "xã", "Xã"
        VILLAGE = "thôn", "Thôn"
        NEIGHBOURHOOD = "tổ dân phố", "Tổ dân phố"

    code = models.CharField(_("code"), max_length=16, help_text=_("GSO code; hamlets: the commune's code and a number"))
    name = models.CharField(_("name"), max_length=100)
    type = models.CharField(_("type"), max_length=12, choices=Type)
    level = models.SmallIntegerField(_("level"), choices=Level)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=120, unique=True, editable=False)
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_to = models.DateField(_("valid to"), null=True, blank=True, help_text=_("first day it is no longer valid"))
    sort_key = models.CharField(max_length=300, editable=False)

    objects = AdministrativeUnitQuerySet.as_manager()

    class Meta:
        verbose_name = _("administrative unit")
        verbose_name_plural = _("administrative units")
        constraints = [
            models.UniqueConstraint(fields=["code", "valid_from"], nulls_distinct=False, name="unit_code_since"),
            models.UniqueConstraint(fields=["code"], condition=Q(valid_to=None), name="unit_code_today"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_from=None) | Q(valid_to__gt=F("valid_from")),
                name="unit_valid_dates",
            ),
            models.CheckConstraint(condition=Q(level=0) | Q(parent__isnull=False), name="unit_has_parent"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """The name with its type; without it huyện and thị xã Kỳ Anh are one."""
        label = TYPE_LABELS.get(
            self.type, self.type
        )  # asked a hundred times a page; get_type_display takes ten times as long
        if self.level == self.Level.COUNTRY or self.name.startswith(label):
            return self.name
        return f"{label} {self.name}"

    @property
    def mid_sentence_name(self) -> str:
        """The full name as it stands inside a sentence: "tại xã Hương Trà"."""
        return self.full_name[0].lower() + self.full_name[1:] if self.level else self.full_name

    @property
    def province_id(self) -> int | None:
        """Read off the path, which begins with the country; the country is in none."""
        ids = self.path.split("/")
        return int(ids[1]) if self.level else None

    def is_under(self, other: "AdministrativeUnit") -> bool:
        return self.path.startswith(other.path)

    @staticmethod
    def sort_key_for(name: str) -> str:
        return text.sort_key(name)


UNIT_COLUMNS = [field.attname for field in AdministrativeUnit._meta.concrete_fields]
UNIT_AND_ABOVE = Statement(
    "unit_and_above",
    "bigint",
    f"""
    SELECT {", ".join(f"above.{name}" for name in UNIT_COLUMNS)}
    FROM households_administrativeunit unit
    JOIN households_administrativeunit above ON above.id = ANY (string_to_array(rtrim(unit.path, '/'), '/')::bigint[])
    WHERE unit.id = $1 ORDER BY length(above.path)""",
)
TYPE_LABELS: dict[str, str] = dict(AdministrativeUnit.Type.choices)


class OneLevelManager(models.Manager.from_queryset(AdministrativeUnitQuerySet)):
    def __init__(self, level: AdministrativeUnit.Level):
        super().__init__()
        self.level = level

    def get_queryset(self):
        return super().get_queryset().filter(level=self.level)


class Province(AdministrativeUnit):
    objects = OneLevelManager(AdministrativeUnit.Level.PROVINCE)

    class Meta:
        proxy = True
        verbose_name = _("province")
        verbose_name_plural = _("provinces")


class District(AdministrativeUnit):
    objects = OneLevelManager(AdministrativeUnit.Level.DISTRICT)

    class Meta:
        proxy = True
        verbose_name = _("district")
        verbose_name_plural = _("districts")


class Commune(AdministrativeUnit):
    objects = OneLevelManager(AdministrativeUnit.Level.COMMUNE)

    class Meta:
        proxy = True
        verbose_name = _("commune")
        verbose_name_plural = _("communes")


class Hamlet(AdministrativeUnit):
    """Thôn or tổ dân phố: the lowest working level; no GSO code, so ours is `18499-03`."""

    objects = OneLevelManager(AdministrativeUnit.Level.HAMLET)

    class Meta:
        proxy = True
        verbose_name = _("hamlet")
        verbose_name_plural = _("hamlets")


class UnitChange(models.Model):
    """One step of a unit's history: what `old_unit` became, when, and by which resolution."""

    class Kind(models.TextChoices):
        MERGED = "merged", _("merged into a new unit")
        ABSORBED = "absorbed", _("taken into another unit")
        RECLASSIFIED = "reclassified", _("changed type or name")

    effective_on = models.DateField(_("effective on"))
    resolution = models.CharField(_("resolution"), max_length=60)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    old_unit = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="changes_out")
    new_unit = models.ForeignKey(AdministrativeUnit, models.PROTECT, related_name="changes_in")

    class Meta:
        verbose_name = _("unit change")
        verbose_name_plural = _("unit changes")
        constraints = [
            models.UniqueConstraint(fields=["effective_on", "old_unit", "new_unit"], name="unit_change_once"),
            models.CheckConstraint(condition=~Q(old_unit=F("new_unit")), name="unit_change_moves"),
        ]

    def __str__(self) -> str:
        return f"{self.old_unit} → {self.new_unit} ({self.effective_on})"
