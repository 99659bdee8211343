"""Sets checklists on paper, in a process of its own: `python -m verification.sheets.typesetting` reads what the
sheets say as JSON and writes the PDF.

Typst keeps what it has set for as long as its process lives, up to a gigabyte; a web process or a worker that
called it would keep it too. Nothing of Django is imported here: the process is there in a tenth of a second.
"""

import json
import sys
from pathlib import Path

import segno
import typst

HERE = Path(__file__).resolve().parent


def typeset(data: dict, *, format: str = "pdf", ppi: float | None = None) -> bytes | list[bytes]:
    """The sheets as one PDF; as `png`, the pages as pictures."""
    for sheet in data["sheets"]:
        sheet["qr"] = qr_code(sheet["code"])
        for household in sheet["households"]:
            household["qr"] = qr_code(household["code"])
    return typst.compile(
        str(HERE / "sheet.typ"),
        root=str(HERE),
        font_paths=[str(HERE / "fonts")],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data)},
        format=format,
        ppi=ppi,
        pdf_tags=False,  # it goes to a printer; tags would make the file ten times as large
    )


def qr_matrix(text: str) -> segno.QRCode:
    """All have the same mask: trying all eight takes longer than everything else."""
    return segno.make_qr(text, error="m", mask=2, boost_error=False)


def qr_code(text: str) -> str:
    return qr_matrix(text).svg_inline(border=1, omitsize=True)


if __name__ == "__main__":
    sys.stdout.buffer.write(typeset(json.load(sys.stdin.buffer)))
