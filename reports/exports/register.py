"""The columns of a register that can be imported again: those of DC01 in the order of the paper, and those that only a
register has. Values as the import reads them, numbers whole (docs/data.md)."""

from collections.abc import Callable

from django.db.models import Case, Expression, F, Func, TextField, Value, When
from django.db.models.functions import Concat

from households.imports import form_rows, register_columns
from households.models import AdministrativeUnit
from reports.exports.columns import Column, FormulaSafe, Looked, birth_date_text

MARITAL = {1: "Chưa kết hôn", 2: "Có vợ/chồng", 3: "Ly hôn/góa"}  # words of the import, in the files' language
SEXES = {1: "Nam", 2: "Nữ"}


def _day(field: str) -> Func:
    return Func(F(field), Value("DD/MM/YYYY"), function="to_char", output_field=TextField())


def _yes(field: str) -> Case:
    return Case(When(**{field: True}, then=Value("Có")), default=Value("Không"), output_field=TextField())


def full_name(unit: str) -> Expression:
    """As AdministrativeUnit.full_name has it: the label once, also where the name begins with it."""
    label = Looked(f"{unit}__type", ((value, str(label)) for value, label in AdministrativeUnit.Type.choices))
    return Case(
        When(**{f"{unit}__name__startswith": label}, then=F(f"{unit}__name")),
        default=Concat(label, Value(" "), f"{unit}__name"),
        output_field=TextField(),
    )


CELLS: dict[str, Callable[[], Expression]] = {
    "collected_on": lambda: _day("collected_on"),
    "declared_on": lambda: _day("declared_on"),
    "district": lambda: full_name("collected_unit__parent"),
    "commune_code": lambda: F("collected_unit__code"),
    "commune": lambda: full_name("collected_unit"),
    "address": lambda: F("household__address"),
    "birth_date": birth_date_text,
    "sex": lambda: Looked("sex", SEXES.items()),
    "marital_status": lambda: Looked("marital_status", MARITAL.items()),
    "signed_by_declarant": lambda: _yes("signed_by_declarant"),
    "signed_by_officer": lambda: _yes("signed_by_officer"),
    "signed_by_chief": lambda: _yes("signed_by_chief"),
    "home_book": lambda: F("household__book_number"),
    "home_head": lambda: F("household__head_name"),
    "home_order": lambda: F("household__sequence"),
}
# What people typed; everything else cannot begin as a formula does.
TYPED = {
    *(field.name for field in form_rows.FIELDS if field.name not in CELLS),
    *("address", "home_book", "home_head", "batch"),
} - {"line", "hamlet", "form_version"}


def _column(name: str, heading: str) -> Column:
    if name == "hamlet":
        return Column(heading, lambda place: place.hamlet_name, 22)
    cell = CELLS.get(name, lambda: F(name))
    safe = (lambda place: FormulaSafe(cell())) if name in TYPED else None
    is_name = name in ("full_name", "address") or name.endswith(("_name", "_place"))
    return Column(heading, lambda place: cell(), 30 if is_name else 16, csv_cell=safe)


COLUMNS = {field.name: _column(field.name, field.heading) for field in (*form_rows.FIELDS, *register_columns.FIELDS)}
