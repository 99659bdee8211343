"""Everything an import may have to say about a file or a cell: a code, and its sentence in the reader's language.

A sentence says what is wrong and what to do. Row, column and value stand beside it, not in it.
"""

from collections.abc import Callable

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

SENTENCES = {
    # the whole file
    "same_file": _("This very file was loaded on %(day)s by %(officer)s. Loading it again must be asked for."),
    # the file as files.py reads it
    "cell_too_long": _(
        "Row %(row)d has a cell of more than %(limit)d characters. Something is wrong with its quotation "
        "marks, or it is no list of forms. Mend the row and upload again."
    ),
    "cut_off": _(
        "The file is cut off: its last row, %(row)d, has only %(cells)d of %(columns)d cells and no line "
        "end. Export it again; if it is whole, end its last line."
    ),
    "cut_off_in_cell": _(
        "The file is cut off: the quoted cell that begins in row %(row)d has no end. Export it again."
    ),
    "empty_file": _("The file is empty. Export it again."),
    "encoding_unknown": _(
        "The letters of this file are not Unicode. Say whether they are TCVN3 or VNI, or save it as CSV UTF-8."
    ),
    "ending_unknown": _(
        "A file ending in “%(ending)s” is not read. Save the list as CSV UTF-8 or as an Excel workbook (.xlsx)."
    ),
    "is_archive": _("This is an archive. Unpack it and upload the list that is in it."),
    "is_database": _("This is a database file. Export the list from its program as CSV UTF-8."),
    "is_doc": _(
        "This is an old text document, not a list. Copy the table into a spreadsheet and save it as an Excel "
        "workbook (.xlsx)."
    ),
    "is_no_text": _(
        "This is no list: the file holds something else than text. Export it again as CSV UTF-8 or as an "
        "Excel workbook (.xlsx)."
    ),
    "is_ods": _(
        "This is a LibreOffice or OpenOffice document, whatever its name. Save the list as an Excel workbook "
        "(.xlsx) or as CSV UTF-8."
    ),
    "is_pdf": _("This is a PDF, whatever its name. Upload the list it was printed from, as .xlsx or CSV UTF-8."),
    "is_picture": _("This is a picture, whatever its name. Upload the list itself, as .xlsx or CSV UTF-8."),
    "is_program": _(
        "This is a program, not a list. Do not open it; tell whoever looks after your computers where it came from."
    ),
    "is_slides": _("These are slides, not a list. Save the list as an Excel workbook (.xlsx) or as CSV UTF-8."),
    "is_web_page": _(
        "This is a web page or an XML file, whatever its name; some programs call it Excel. Open it in the "
        "spreadsheet and save it as an Excel workbook (.xlsx)."
    ),
    "is_word": _(
        "This is a text document, not a list. Copy the table into a spreadsheet and save it as an Excel "
        "workbook (.xlsx)."
    ),
    "is_xls": _("This is an old Excel file (.xls). Open it and save it as an Excel workbook (.xlsx)."),
    "is_xlsb": _("This is a binary Excel file (.xlsb). Open it and save it as an Excel workbook (.xlsx)."),
    "line_too_long": _(
        "Row %(row)d is longer than %(limit)d characters. It has no line end, or it is no list of forms. "
        "Export the file again."
    ),
    "more_cells": _(
        "Row %(row)d has more cells than the heading's %(columns)d (“%(text)s”). Most often a cell with a "
        "comma lacks its quotation marks. Mend the row and upload again."
    ),
    "no_rows": _("The file has no rows below its heading."),
    "not_utf8": _(
        "The letters of row %(row)d are not UTF-8. Open the file in the spreadsheet and save it as “CSV "
        "UTF-8” or as an Excel workbook (.xlsx)."
    ),
    "nul_bytes": _("Row %(row)d holds zero bytes: the file is damaged. Export it again."),
    "sheets_differ": _("Sheet “%(sheet)s” has other headings than sheet “%(other)s”. Load them one after the other."),
    "stray_quotation_mark": _(
        "In row %(row)d a quotation mark stands inside a cell. It must be written twice, and the cell be in "
        "quotation marks. Save the file from a spreadsheet, which does so."
    ),
    "text_named_workbook": _(
        "The file is called “%(ending)s”, but it is plain text. If it is a CSV file, call it .csv; otherwise "
        "save it again from the spreadsheet."
    ),
    "too_many_bytes": _("The file is larger than %(limit)d MB. Split it."),
    "too_many_columns": _(
        "The heading has %(columns)d columns; at most %(limit)d are read. Delete those that are not needed."
    ),
    "too_many_rows": _("The file has more than %(limit)d rows. Split it."),
    "workbook_named_otherwise": _(
        "The file is called “%(ending)s”, but it is an Excel workbook. Call it .xlsx, or save it as CSV UTF-8."
    ),
    "xlsx_bomb": _("This workbook unpacks to far more than it should. It is not opened. Save the list as CSV UTF-8."),
    "xlsx_damaged": _("The workbook is damaged or cut off. Open it in the spreadsheet and save it again."),
    "xlsx_no_sheet": _("The workbook has no sheet with cells."),
    "xlsx_password": _("The workbook is protected by a password. Save it without one."),
    "xlsx_too_big": _(
        "The workbook is too big to be opened: a sheet may have about %(limit)d rows of 25 columns. "
        "Save it as CSV UTF-8: that may have millions of rows."
    ),
    "xlsx_too_many_rows": _(
        "Sheet “%(sheet)s” goes down to row %(rows)d; a sheet of a workbook may have %(limit)d rows. Save it "
        "as CSV UTF-8, or delete what stands far below the list."
    ),
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
    "order_number": _("Write the household's place in the hamlet as a number from 1, as the register was exported."),
    "not_in_register": _("No exported register says this. Export it again, or leave the column unread."),
    "refused_with_reason_only": _("Only a form that was refused at scanning has a reason. Clear the cell."),
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
    "form_unknown": _("The register of this province has no form with this barcode."),
    # results of a scan batch
    "scan_result_unknown": _("Write đạt or không đạt (or 1 and 0)."),
    "scan_reason_missing": _("A refused form needs its reason: %(reasons)s."),
    "scan_reason_unknown": _("This is no reason of refusal. There are: %(reasons)s."),
    "scan_reason_of_good": _("A form that is good has no reason of refusal. Say which of the two is right."),
    "refused_with_result": _(
        "This form has a verification result already, so it can no longer be refused at scanning."
    ),
    "refused_in_round": _(
        "This form has been put into the round “%(round)s”, so it can no longer be refused at scanning."
    ),
    "round_is_full": _(
        "With this form %(commune)s would have more forms in the round “%(round)s” than its plan of %(plan)d. "
        "Have PC06 adjust the plan, then upload the row again."
    ),
    # verification results
    "no_open_round": _("No round is open in this province; results belong to a round."),
    "not_recordable": _("It cannot be recorded so. %(sentence)s"),
    "outcome_unknown": _("There is no such result. There are: %(outcomes)s."),
    "methods_unknown": _("Write how it was checked: %(methods)s."),
    "paper_unknown": _("There is no such paper. There are: %(papers)s."),
    "item_unknown": _("The form has no such item. There are: %(items)s."),
    "attempts_unreadable": _("Write the number of attempts in digits."),
    "officer_unknown": _("No officer of this province has this account name."),
    "not_in_round": _("This form is not in the round “%(round)s”."),
    "other_form_unknown": _("No other form of the province has this barcode."),
    "other_form_removed": _("The other form is itself proposed for removal; one of the two must remain."),
    "other_form_removed_in_file": _("Row %(row)d proposes to remove the other form; one of the two must remain."),
    "result_contradicted": _(
        "Row %(row)d gives the same form another result. One form has one result; several rows may only "
        "correct several items of it."
    ),
    "result_incomplete": _(
        "Row %(row)d of the same form was refused; the corrections of a form are recorded all or none."
    ),
    # what is loaded all the same
    "not_asked": _("This result does not ask for it; it is not taken over."),
    "officer_elsewhere": _("This officer does not work in the form's commune today."),
    "approved_value_stays": _(
        "Corrected to “%(value)s”, in force since %(day)s. That stays; the file's value is not taken over."
    ),
    "new_hamlet": _("There is no such hamlet in the register yet; loading makes it."),
    "no_barcode": _("No barcode: later files cannot name this form by it."),
    "no_book": _("No household book number: the household is recognised by its head and address."),
    "sex_missing": _("The sex is not given."),
}


class FileRefused(Exception):
    """The whole file cannot be read. `code` is one of SENTENCES."""

    def __init__(self, code: str, /, **values):
        self.code, self.values = code, values
        super().__init__(code)


class CellRefused(ValueError):
    """A cell that cannot be read; its row is refused."""

    def __init__(self, code: str, /, **values):
        self.code, self.values, self.column = code, values, ""
        super().__init__(code)

    def of(self, column: str) -> "CellRefused":
        """The same, said of this field."""
        self.column = column
        return self


def in_each_language(say: Callable[[], str]) -> dict[str, str]:
    """What `say` answers in every language there is: a value of a sentence that is itself a sentence."""
    said = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            said[code] = str(say())
    return said


def sentence(code: str, values: dict) -> str:
    """The sentence with its values, those of `in_each_language` in the reader's language."""
    language = translation.get_language()
    said = {name: value.get(language, "") if isinstance(value, dict) else value for name, value in values.items()}
    return str(SENTENCES[code]) % said
