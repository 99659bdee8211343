"""Columns that only a register exported by this program has: what the paper does not say of a form.

With them a register that is imported into an empty province is the one that was exported; elsewhere a scan, an officer
or the program itself says these things, and the columns are left unread (`FormKind.check_staged` tells so).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from households.imports.fields import Field
from households.imports.problems import CellRefused
from households.models import CollectionForm

SEPARATOR = "\x1f"  # no cell holds it: blanks are made single, and this is one
Qualification, RefusalReason = CollectionForm.Qualification, CollectionForm.RefusalReason
# The household as the register keeps it; the form's own book and head may have been corrected since.
HOME_FIELDS = (
    Field("home_book", "Sổ hộ khẩu của hộ", is_in_template=False),
    Field("home_head", "Chủ hộ của hộ", is_in_template=False),
    Field("home_order", "Thứ tự hộ trong thôn", is_in_template=False),
)
FORM_FIELDS = (
    Field("qualification", "Tình trạng quét", is_in_template=False),
    Field("refusal_reason", "Lý do không đạt", is_in_template=False),
    Field("batch", "Đợt quét", is_in_template=False),
    Field("birth_registration_code", "Mã nơi đăng ký khai sinh", is_in_template=False),
    Field("origin_code", "Mã quê quán", is_in_template=False),
    Field("residence_code", "Mã nơi thường trú", is_in_template=False),
    Field("present_code", "Mã nơi ở hiện tại", is_in_template=False),
)
FIELDS = (*HOME_FIELDS, *FORM_FIELDS)
NAMES = [field.name for field in FIELDS]
LIMITS = {name: CollectionForm._meta.get_field(name).max_length for name in (field.name for field in FORM_FIELDS)}
LIMITS |= {"home_book": 20, "home_head": 100, "home_order": 9}


class Own(NamedTuple):
    """What these columns say of a row. A book and a head of None: the file does not say, the form's count."""

    book: str | None = None
    head: str | None = None
    order: str = ""
    more: str = ""  # the values of FORM_FIELDS in their order, put together with SEPARATOR


NOTHING = Own()


class RegisterColumns:
    """Reads these columns of one file; false where it has none of them."""

    def __init__(self, columns: Mapping[str, int]):
        self.columns = {name: columns[name] for name in NAMES if name in columns}

    def __bool__(self) -> bool:
        return bool(self.columns)

    def read(self, cells: Sequence[str]) -> Own:
        """Raises CellRefused of the first cell that cannot be read."""
        values = {name: self._value(name, cells[at]) for name, at in self.columns.items()}
        if values.get("refusal_reason") and values.get("qualification") != Qualification.REFUSED:
            raise CellRefused("refused_with_reason_only").of("refusal_reason")
        if values.get("qualification") == Qualification.REFUSED and not values.get("refusal_reason"):
            raise CellRefused("missing").of("refusal_reason")
        values["qualification"] = values.get("qualification") or Qualification.COLLECTED.value
        more = SEPARATOR.join(values.get(field.name, "") for field in FORM_FIELDS)
        return Own(values.get("home_book"), values.get("home_head"), values.get("home_order", ""), more)

    def _value(self, name: str, cell: str) -> str:
        value = " ".join(cell.split())
        if len(value) > LIMITS[name]:
            raise CellRefused("too_long", limit=LIMITS[name]).of(name)
        if not value:
            return value
        if name == "home_order" and not (value.isascii() and value.isdigit() and int(value)):
            raise CellRefused("order_number").of(name)
        choices = {"qualification": Qualification, "refusal_reason": RefusalReason}.get(name)
        if choices and value not in choices.values:
            raise CellRefused("not_in_register").of(name)
        return value
