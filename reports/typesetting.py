"""Sets reports and lists on paper with Typst, in a process of its own: `python -m reports.typesetting report` reads
what it says as JSON and writes the PDF.

As for checklists (`verification.sheets.typesetting`) because Typst keeps what it has set for as long as its process
lives. Nothing of Django is imported here.
"""

import io
import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pikepdf
import typst

HERE = Path(__file__).resolve().parent
FONTS = HERE.parent / "verification" / "sheets" / "fonts"
SECONDS = 180


@dataclass(frozen=True)
class Paper:
    """A Typst file; `standards` that its PDF is to meet."""

    file: Path
    standards: tuple[str, ...] = ()


PAPERS = {
    "report": Paper(HERE / "official" / "report.typ", ("ua-1",)),
    # to be printed and taken along: the tags of two thousand lines are most of the file, and XLSX is there to be read
    "persons": Paper(HERE / "exports" / "persons.typ"),
}


def on_paper(name: str, words: dict) -> bytes:
    """The PDF, set in a process of its own. `words["made_at"]` is the moment it claims to be of (ISO)."""
    done = subprocess.run(
        [sys.executable, "-m", "reports.typesetting", name],
        input=json.dumps(words).encode(),
        stdout=subprocess.PIPE,
        timeout=SECONDS,
        cwd=HERE.parent,
        check=True,
    )
    return done.stdout


def typeset(paper: Paper, data: dict) -> bytes:
    whole = typst.compile(
        str(paper.file),
        root=str(paper.file.parent),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data)},
        format="pdf",
        pdf_standards=list(paper.standards),
        pdf_tags=bool(paper.standards),
        timestamp=int(datetime.fromisoformat(data["made_at"]).timestamp()),
    )
    # the tags of long tables are a fifth as large when they are packed
    packed = io.BytesIO()
    with pikepdf.open(io.BytesIO(whole)) as pdf:
        pdf.save(packed, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return packed.getvalue()


if __name__ == "__main__":
    sys.stdout.buffer.write(typeset(PAPERS[sys.argv[1]], json.load(sys.stdin.buffer)))
