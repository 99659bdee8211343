"""`python -m benchmarks.make_forms_file FILE.csv|FILE.xlsx [ROWS]`: the demo register as a file that the import takes.

25 columns of the import's template, written by PostgreSQL; adapt `COLUMNS` where a heading changes.
"""

import csv
import sys
from pathlib import Path

from django.db import connection

from benchmarks import django_setup  # noqa: F401

# heading of the file -> what it holds; form, household, hamlet, commune are the tables' names here
COLUMNS = {
    "Mã vạch": "form.barcode",
    "Ngày thu thập": "to_char(form.collected_on, 'FMDD/FMMM/YYYY')",
    "Mã xã": "commune.code",
    "Thôn, tổ dân phố": "hamlet.type || ' ' || hamlet.name",
    "Địa chỉ": "household.address",
    "Số sổ hộ khẩu": "household.book_number",
    "STT trong hộ": "form.line",
    "Họ, chữ đệm và tên khai sinh": "form.full_name",
    "Ngày, tháng, năm sinh": "concat_ws('/', form.birth_day, form.birth_month, form.birth_year)",
    "Giới tính": "CASE form.sex WHEN 1 THEN 'Nam' WHEN 2 THEN 'Nữ' ELSE '' END",
    "Tình trạng hôn nhân": "(ARRAY['', 'Chưa kết hôn', 'Có vợ/chồng', 'Ly hôn'])[form.marital_status + 1]",
    "Nơi đăng ký khai sinh": "form.birth_registration_place",
    "Quê quán": "form.origin_place",
    "Dân tộc": "form.ethnicity",
    "Quốc tịch": "form.nationality",
    "Tôn giáo": "form.religion",
    "Số định danh cá nhân": "form.pin",
    "Số CMND": "form.cmnd",
    "Nơi thường trú": "form.residence_place",
    "Nơi ở hiện tại": "form.present_place",
    "Họ tên cha": "form.father_name",
    "Họ tên mẹ": "form.mother_name",
    "Họ tên vợ/chồng": "form.spouse_name",
    "Họ tên chủ hộ": "form.head_name",
    "Quan hệ với chủ hộ": "form.relation",
}
SELECT = """
    SELECT {columns} FROM households_collectionform form
    JOIN households_household household ON household.id = form.household_id
    JOIN households_administrativeunit hamlet ON hamlet.id = form.hamlet_id
    JOIN households_administrativeunit commune ON commune.id = form.commune_id
    ORDER BY form.id {limit}"""
SHEET_ROWS = 50_000  # half of what a sheet of an import may have


def make_csv(path: Path, rows: int | None = None) -> int:
    """Returns the number of rows, the headings not counted."""
    columns = ", ".join(f'{value} AS "{heading}"' for heading, value in COLUMNS.items())
    select = SELECT.format(columns=columns, limit=f"LIMIT {rows}" if rows else "")
    with path.open("wb") as file, connection.cursor() as cursor:
        cursor.copy_expert(f"COPY ({select}) TO STDOUT (FORMAT csv, HEADER)", file, 1 << 20)
        return cursor.rowcount


def make_xlsx(path: Path, source: Path) -> None:
    """The same rows as a workbook, a sheet for each fifty thousand."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    with source.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        heads = next(reader)
        sheet, line = None, 0
        for row in reader:
            if sheet is None or line > SHEET_ROWS:
                sheet, line = book.add_worksheet(), 1
                sheet.write_row(0, 0, heads)
            for place, value in enumerate(row):
                sheet.write_string(line, place, value)
            line += 1
    book.close()


if __name__ == "__main__":
    target = Path(sys.argv[1])
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else None
    made = make_csv(target.with_suffix(".csv"), wanted)
    if target.suffix == ".xlsx":
        make_xlsx(target, target.with_suffix(".csv"))
    print(f"{made} rows")
