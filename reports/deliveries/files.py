"""The corrections file: the rows of one delivery as JSON and as CSV, in the words of the exchange standard.

What it holds is the delivery's rows and what never changes; so it is the same file whenever it is made. Rows are read by
a cursor of the database and written as they come. The layout is published (`corrections-1.schema.json`).
"""

import csv
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from itertools import count
from pathlib import Path

from django.db import connection
from django.utils import timezone

from reports.deliveries import values
from reports.deliveries.models import Delivery

ROWS_AT_ONCE, TELL_EVERY = 2000, 1000
SCHEMA = "urn:census-verify:corrections:1"
ANSWERS_SCHEMA = "urn:census-verify:answers:1"
# What a spreadsheet takes for a formula gets an apostrophe; so does what begins with apostrophes before such a sign, so
# that one apostrophe taken away gives back what was written.
FORMULA = re.compile(r"'*[\t\r=+@-]")
STARTS = frozenset("'\t\r=+@-")
PARTS = ("VanBan", "Ma", "NgayThangNamSinh", "ThangSinh", "Ho", "ChuDem", "Ten", "MaDonViHanhChinh", "QuocGia")
PERSON = ("MaPhieu", "SoPhieu", "SoDinhDanh", "SoCMND")
REMOVED = ("LyDoLoaiBo", "NgaySuKien", "TrungVoiMaPhieu")
DECIDED = ("GiayTo", "NguoiDuyet", "LucDuyet", "ThuHoi")
HEADINGS = (
    "MaLanGiao",
    "Dong",
    "Loai",
    *PERSON,
    "Muc",
    *(f"Cu_{part}" for part in PARTS),
    *(f"Moi_{part}" for part in PARTS),
    *REMOVED,
    *DECIDED,
)
ROWS = """
    SELECT line.number, line.kind, line.form_id, line.item, line.pin, line.cmnd, line.decided_by, line.decided_at,
        form.barcode, correction.old, correction.new, correction.source,
        pass.outcome, pass.event_on, pass.paper, other.barcode,
        before.number, of_before.year, of_before.number
    FROM reports_deliveryline line
    JOIN households_collectionform form ON form.id = line.form_id
    LEFT JOIN verification_correction correction ON correction.id = line.correction_id
    LEFT JOIN verification_verificationpass pass ON pass.id = line.verification_pass_id
    LEFT JOIN households_collectionform other ON other.id = pass.duplicate_of_id
    LEFT JOIN reports_deliveryline before ON line.kind = 'recall' AND before.id = line.replaces_id
    LEFT JOIN reports_delivery of_before ON of_before.id = before.delivery_id
    WHERE line.delivery_id = %s
    ORDER BY line.number"""


def head_of(delivery: Delivery) -> dict:
    """What the file says of the delivery itself; also which ones the receiver is to forget."""
    withdrawn = Delivery.objects.filter(area=delivery.area_id, withdrawn_at__lte=delivery.made_at)
    return {
        "MaLanGiao": delivery.code,
        "MaTinh": delivery.area.code,
        "TuNgay": delivery.first.isoformat(),
        "DenNgay": delivery.last.isoformat(),
        "NgayLap": timezone.localtime(delivery.made_at).date().isoformat(),
        "SoDong": delivery.rows,
        "MaBam": delivery.sha256,
        "LanGiaoDaThuHoi": [each.code for each in withdrawn.select_related("area").order_by("year", "number")],
    }


def rows_of(delivery: Delivery) -> Iterator[dict]:
    """Each row as the JSON file has it."""
    zone, area = timezone.get_default_timezone(), delivery.area.code
    with connection.connection.cursor(name="delivery_rows") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(ROWS, [delivery.pk])
        for row in cursor:
            yield _row(row, area, zone)


def _row(row: tuple, area: str, zone) -> dict:
    number, kind, form, item, pin, cmnd, by, at, barcode, old, new, source, *of_pass, before, year, of_year = row
    said = {"Dong": number, "Loai": values.KINDS[kind]}
    said |= {"MaPhieu": barcode, "SoPhieu": form, "SoDinhDanh": pin, "SoCMND": cmnd}
    if item:
        described = values.ITEMS[item]
        if kind == "recall":
            old, new = new, old  # the form says again what it said before
        said |= {"Muc": described.name, "Cu": described.write(old), "Moi": described.write(new)}
        paper = source
    else:
        outcome, event_on, paper, other = of_pass
        said["LyDoLoaiBo"] = values.REMOVALS[outcome]
        if event_on:
            said["NgaySuKien"] = event_on.isoformat()
        if other:
            said["TrungVoiMaPhieu"] = other
    if paper and kind != "recall":
        said["GiayTo"] = values.PAPERS[paper]
    said |= {"NguoiDuyet": by, "LucDuyet": at.astimezone(zone).isoformat(timespec="seconds")}
    if kind == "recall":
        said["ThuHoi"] = f"{area}-{year}-{of_year:03d}/{before}"
    return said


def write(delivery: Delivery, format: str, path: Path, told: Callable[[int], None]) -> int:
    """Write the file; returns its rows. `told` hears now and then how many there are."""
    writer = {"json": _write_json, "csv": _write_csv}[format]
    with path.open("w", encoding="utf-8-sig" if format == "csv" else "utf-8", newline="") as file:
        writer(delivery, file, _telling(rows_of(delivery), told))
    told(delivery.rows)
    return delivery.rows


def _telling(rows: Iterator[dict], told: Callable[[int], None]) -> Iterator[dict]:
    for done, row in zip(count(1), rows, strict=False):
        if done % TELL_EVERY == 0:
            told(done)
        yield row


def _write_json(delivery: Delivery, file, rows: Iterator[dict]) -> None:
    """One document, a row a line."""
    encode = json.JSONEncoder(ensure_ascii=False).encode
    file.write(f'{{"schema": "{SCHEMA}",\n"delivery": {encode(head_of(delivery))},\n"rows": [\n')
    before = ""
    for row in rows:
        file.write(before + encode(row))
        before = ",\n"
    file.write("\n]}\n")


def _write_csv(delivery: Delivery, file, rows: Iterator[dict]) -> None:
    writer, code = csv.writer(file), delivery.code
    writer.writerow(HEADINGS)
    nothing: values.Value = {}
    for row in rows:
        old, new = row.get("Cu", nothing), row.get("Moi", nothing)
        cells = [code, row["Dong"], row["Loai"]]
        cells += [row[name] for name in PERSON]
        cells.append(row.get("Muc", ""))
        cells += [old.get(part, "") for part in PARTS]
        cells += [new.get(part, "") for part in PARTS]
        cells += [row.get(name, "") for name in REMOVED]
        cells += [row.get(name, "") for name in DECIDED]
        writer.writerow([marked(cell) for cell in cells])


def marked(cell):
    """A number, and nearly every text, is seen at once to need no mark."""
    return "'" + cell if cell and isinstance(cell, str) and cell[0] in STARTS and FORMULA.match(cell) else cell


def unmarked(cell: str) -> str:
    """What `marked` was given."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


@cache
def schema(name: str) -> bytes:
    """The published layout: "corrections" or "answers"."""
    return resources.files("reports.deliveries").joinpath(f"{name}-1.schema.json").read_bytes()


def described(name: str, part: str) -> list[tuple[str, str, bool]]:
    """(field, what it means, is it always there) of a part of a layout, in the order of the layout."""
    layout = json.loads(schema(name))
    parts = {"delivery": layout["properties"]["delivery"], "row": layout.get("$defs", {}).get("row")}
    of = parts[part] or layout["properties"]["rows"]["items"]
    return [
        (field, says.get("description", ", ".join(says.get("enum", []))), field in of["required"])
        for field, says in of["properties"].items()
    ]


def value_layouts() -> list[tuple[str, list[str], list[tuple[str, str]]]]:
    """(kind of value, the items that have it, its fields and what they mean)."""
    layout = json.loads(schema("corrections"))["$defs"]
    items_of: dict[str, list[str]] = {}
    for rule in layout["row"]["allOf"]:
        if item := rule["if"].get("properties", {}).get("Muc", {}).get("const"):
            items_of.setdefault(rule["then"]["properties"]["Cu"]["$ref"].rpartition("/")[2], []).append(item)
    return [
        (
            layout[kind]["title"],
            of_kind,
            [(field, says.get("description", "")) for field, says in layout[kind]["properties"].items()],
        )
        for kind, of_kind in items_of.items()
    ]
