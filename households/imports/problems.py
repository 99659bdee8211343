"""Everything an import may have to say about a file or a cell: a code, and its sentence in the reader's language.

A sentence says what is wrong and what to do. Row, column and value stand beside it, not in it.
"""

from django.utils.translation import gettext_lazy as _

SENTENCES = {
    # the whole file
    "same_file": _("This very file was loaded on %(day)s by %(officer)s. Loading it again must be asked for."),
    # a cell
    "missing": _("The cell is empty; this column is needed."),
    "too_long": _("At most %(limit)d characters."),
    "birth_date_unreadable": _("Write the birth date as 17/5/1980, 5/1980 or 1980."),
    "birth_year_out_of_range": _("A birth year lies between %(oldest)d and today."),
    "blood_type": _("Write A, B, AB or O, or leave the cell empty."),
    "collected_in_the_future": _("The day of collection lies in the future."),
    "collected_on_missing": _("The day of collection is missing; write it, or give one day for the whole file."),
    "day_unreadable": _("Write the whole date as 19/6/2020."),
    "form_version": _("Write TT66/2015, TT41/2019 or TT104/2020."),
    "line_number": _("Write a number from 1 to 999."),
    "marital_status": _("Write 1 never married, 2 married, 3 divorced or widowed, or the words."),
    "no_such_day": _("There is no such day in the calendar."),
    "number_spoilt": _(
        "The spreadsheet has turned this number into a rounded one (such as 1.83E+08). "
        "Format the column as text and type the number again."
    ),
    "sex": _("Write Nam or Nữ."),
    "yes_or_no": _("Write có or không."),
    # a place
    "code_and_name_differ": _("Code %(code)s belongs to %(named)s, not to the unit that is written."),
    "commune_ambiguous": _("More than one unit has this name: %(units)s. Write the district or the code."),
    "commune_code_unknown": _("No commune of this province has the code %(code)s, now or formerly."),
    "commune_not_in_district": _("A commune of this name lies in %(district)s, not in the district that is written."),
    "commune_split": _("%(unit)s was split; write the commune of today."),
    "commune_unknown": _("No commune of this province is called this, now or formerly."),
    # the register
    "barcode_twice": _("The same barcode stands in row %(row)d already."),
    "in_another_commune": _("The form with this barcode is registered in %(commune)s; it is not moved by an import."),
    # what is loaded all the same
    "new_hamlet": _("There is no such hamlet in the register yet; loading makes it."),
    "no_barcode": _("No barcode: later files cannot name this form by it."),
    "no_book": _("No household book number: the household is recognised by its head and address."),
    "sex_missing": _("The sex is not given."),
}


class FileRefused(Exception):
    """The whole file cannot be read. `code` is one of SENTENCES."""

    def __init__(self, code: str, **values):
        self.code, self.values = code, values
        super().__init__(code)


class CellRefused(ValueError):
    """A cell that cannot be read; its row is refused."""

    def __init__(self, code: str, **values):
        self.code, self.values, self.column = code, values, ""
        super().__init__(code)

    def of(self, column: str) -> "CellRefused":
        """The same, said of this field."""
        self.column = column
        return self


def sentence(code: str, values: dict) -> str:
    return str(SENTENCES[code]) % values
