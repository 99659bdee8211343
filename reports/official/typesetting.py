"""Sets a report on paper, in a process of its own: `python -m reports.official.typesetting` reads what it says as JSON
and writes the PDF, tagged as PDF/UA-1 asks.

As for checklists (`verification.sheets.typesetting`) because Typst keeps what it has set for as long as its process
lives. Nothing of Django is imported here.
"""

import io
import json
import sys
from datetime import datetime
from pathlib import Path

import pikepdf
import typst

HERE = Path(__file__).resolve().parent
FONTS = HERE.parents[1] / "verification" / "sheets" / "fonts"


def typeset(data: dict) -> bytes:
    whole = typst.compile(
        str(HERE / "report.typ"),
        root=str(HERE),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data)},
        format="pdf",
        pdf_standards=["ua-1"],
        timestamp=int(datetime.fromisoformat(data["made_at"]).timestamp()),
    )
    # the tags of long tables are a fifth as large when they are packed
    packed = io.BytesIO()
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        pdf.save(packed, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return packed.getvalue()


if __name__ == "__main__":
    sys.stdout.buffer.write(typeset(json.load(sys.stdin.buffer)))
