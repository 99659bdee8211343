"""Builds the standard Word template: a document of the decree's layout with the tags that `word_process` fills.

Built rather than kept, so that its columns and words are always those of the tables and of the language. Nothing of
Django is imported here; what it says comes from `word`.
"""

import io

from docx import Document
from docx.document import Document as Docx
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

FACE = "Times New Roman"
CENTRE, LEFT, RIGHT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.RIGHT
JUSTIFIED = WD_ALIGN_PARAGRAPH.JUSTIFY
TEXT_WIDTH, ANNEX_WIDTH = 163, 262  # mm between the margins
LEFT_HEAD = 68


def standard_template(words: dict) -> bytes:
    """`words`: language, labels, and of each annex its key, columns and whether it has a total."""
    document = Document()
    _set_face(document, words["language"])
    _portrait(document.sections[0])
    _letterhead(document)
    _draft(document)
    _title(document)
    _body(document)
    _signature(document, words["labels"])
    for n, annex in enumerate(words["annexes"]):
        _annex(document, annex, is_first=n == 0, is_last=n == len(words["annexes"]) - 1)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _set_face(document: Docx, language: str) -> None:
    style = document.styles["Normal"]
    style.font.name, style.font.size = FACE, Pt(14)
    faces = style.element.get_or_add_rPr().get_or_add_rFonts()
    for script in ("ascii", "hAnsi", "eastAsia", "cs"):
        faces.set(qn(f"w:{script}"), FACE)
    spoken = OxmlElement("w:lang")
    spoken.set(qn("w:val"), {"vi": "vi-VN", "en": "en-GB"}.get(language, language))
    style.element.get_or_add_rPr().append(spoken)
    layout = style.paragraph_format
    layout.space_before = layout.space_after = Pt(0)
    layout.line_spacing_rule = WD_LINE_SPACING.SINGLE


def _portrait(section) -> None:
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin = section.bottom_margin = Mm(20)
    section.left_margin, section.right_margin = Mm(30), Mm(17)
    _number_above(section)


def _landscape(section) -> None:
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    section.top_margin, section.bottom_margin = Mm(20), Mm(15)
    section.left_margin, section.right_margin = Mm(20), Mm(15)
    _number_above(section)
    begins = OxmlElement("w:pgNumType")
    begins.set(qn("w:start"), "1")
    section._sectPr.append(begins)


def _number_above(section) -> None:
    """In the middle of the top margin, not on the first page."""
    section.header_distance = Mm(10)
    section.different_first_page_header_footer = True
    if section.header.is_linked_to_previous and section.header.paragraphs[0].text == "":
        section.header.is_linked_to_previous = False
        _field(_say(section.header.paragraphs[0], "", align=CENTRE, size=13), "PAGE")


def _field(paragraph: Paragraph, name: str) -> None:
    for kind, text in (("begin", None), (None, name), ("end", None)):
        run = paragraph.add_run()
        run.font.size = Pt(13)
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        else:
            part.text = text
        run._r.append(part)


def _say(paragraph: Paragraph, text: str, *, align=LEFT, size=14, bold=False, italic=False, after=0) -> Paragraph:
    if text:
        run = paragraph.add_run(text)
        run.bold, run.italic, run.font.size = bold, italic, Pt(size)
    paragraph.alignment = align
    paragraph.paragraph_format.space_after = Pt(after)
    return paragraph


def _line(document: Docx, text: str, **looks) -> Paragraph:
    return _say(document.add_paragraph(), text, **looks)


def _tag(document: Docx, tag: str) -> None:
    """A tag in a paragraph of its own, which goes with it."""
    document.add_paragraph(f"{{%p {tag} %}}")


def _rule(paragraph: Paragraph, width: float, room: float) -> Paragraph:
    """A line of `width` mm in the middle of `room` mm, as the upper border of an empty paragraph."""
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Mm((room - width) / 2)
    paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    paragraph.paragraph_format.line_spacing = Pt(4)
    paragraph.paragraph_format.space_before = Pt(2)
    borders = OxmlElement("w:pBdr")
    top = OxmlElement("w:top")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
        top.set(qn(f"w:{name}"), value)
    borders.append(top)
    paragraph._p.get_or_add_pPr().insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc", "w:rPr", "w:sectPr"
    )
    return paragraph


def _bare_table(document: Docx, rows: int, widths: tuple[float, ...]) -> Table:
    table = document.add_table(rows, len(widths))
    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
    for row in table.rows:
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Mm(width)
    return table


def _letterhead(document: Docx) -> None:
    right = TEXT_WIDTH - LEFT_HEAD
    left_cell, right_cell = _bare_table(document, 1, (LEFT_HEAD, right)).rows[0].cells
    _say(left_cell.paragraphs[0], "{{ superior }}", align=CENTRE, size=12)
    office = _say(left_cell.add_paragraph(), "{{ office }}", align=CENTRE, size=12, bold=True)
    office.paragraph_format.left_indent = office.paragraph_format.right_indent = Mm(4)  # breaks it evenly
    _rule(left_cell.add_paragraph(), 26, LEFT_HEAD - 4)
    number = _say(left_cell.add_paragraph(), "{{ number }}", align=CENTRE, size=13)
    number.paragraph_format.space_before = Pt(4)
    _say(right_cell.paragraphs[0], "{{ country }}", align=CENTRE, size=12, bold=True)
    _say(right_cell.add_paragraph(), "{{ motto }}", align=CENTRE, size=13, bold=True)
    _rule(right_cell.add_paragraph(), 54, right - 4)
    dated = _say(right_cell.add_paragraph(), "{{ place_and_date }}", align=CENTRE, size=13, italic=True)
    dated.paragraph_format.space_before = Pt(4)


def _draft(document: Docx) -> None:
    document.add_paragraph()
    table = _bare_table(document, 1, (LEFT_HEAD + 20,))
    table.style = "Table Grid"
    cell = table.rows[0].cells[0]
    cell.paragraphs[0].add_run("{%p for note in notes %}")
    _say(cell.add_paragraph(), "{{ note }}", size=11, bold=True)
    cell.add_paragraph("{%p endfor %}")


def _title(document: Docx) -> None:
    document.add_paragraph()
    _line(document, "{{ title }}", align=CENTRE, bold=True)
    _line(document, "{{ subject }}", align=CENTRE, bold=True)
    _rule(document.add_paragraph(), 40, TEXT_WIDTH)
    _line(document, "{{ addressee }}", align=CENTRE, after=6).paragraph_format.space_before = Pt(6)


def _text(document: Docx, text: str, **looks) -> None:
    paragraph = _line(document, text, align=JUSTIFIED, after=6, **looks)
    paragraph.paragraph_format.first_line_indent = Mm(10)


def _body(document: Docx) -> None:
    _text(document, "{{ opening }}")
    _tag(document, "for section in sections")
    _text(document, "{{ section.heading }}", bold=True)
    _tag(document, "for paragraph in section.paragraphs")
    _text(document, "{{ paragraph }}")
    _tag(document, "endfor")
    _tag(document, "if not section.paragraphs")
    for _n in range(3):
        _line(document, "." * 100, align=LEFT, after=6)
    _tag(document, "endif")
    _tag(document, "endfor")
    _text(document, "{{ closing }}")
    _line(document, "{{ annex_list }}", align=JUSTIFIED, italic=True, after=12)


def _signature(document: Docx, labels: dict) -> None:
    left, right = _bare_table(document, 1, (TEXT_WIDTH / 2, TEXT_WIDTH / 2)).rows[0].cells
    _say(left.paragraphs[0], labels["recipients"], size=12, bold=True, italic=True)
    _loop(left, "recipient", "recipients", size=11)
    _loop(right, "line", "powers", align=CENTRE, bold=True, is_first=True)
    for _n in range(5):
        _say(right.add_paragraph(), "", align=CENTRE)


def _loop(cell: _Cell, name: str, of: str, *, is_first: bool = False, **looks) -> None:
    """A paragraph for each of a list."""
    first = cell.paragraphs[0] if is_first else cell.add_paragraph()
    first.add_run(f"{{%p for {name} in {of} %}}")
    _say(cell.add_paragraph(), f"{{{{ {name} }}}}", **looks)
    cell.add_paragraph("{%p endfor %}")


def _annex(document: Docx, annex: dict, *, is_first: bool, is_last: bool) -> None:
    """A section of its own, so that its pages are numbered from one. The section that ends before it is that of the
    annex before, so a section mark stands inside the condition; the last annex every report has."""
    if is_first:
        _landscape(document.add_section(WD_SECTION.NEW_PAGE))
    name = f"annexes.{annex['key']}"
    if not is_last:
        _tag(document, f"if {name}.rows")
    _line(document, f"{{{{ {name}.number }}}}", align=CENTRE, bold=True)
    _line(document, f"{{{{ {name}.title }}}}", align=CENTRE, bold=True)
    _line(document, f"{{{{ {name}.attached }}}}", align=CENTRE, size=13, italic=True, after=6)
    _annex_table(document, annex, name)
    _line(document, f"{{{{ {name}.note }}}}", size=11, italic=True)
    _line(document, "{{ draft }}", size=11, italic=True)
    if not is_last:
        _landscape(document.add_section(WD_SECTION.NEW_PAGE))
        _tag(document, "endif")


def _annex_table(document: Docx, annex: dict, name: str) -> None:
    columns = annex["columns"]
    table = document.add_table(0, len(columns))
    table.style, table.autofit, table.alignment = "Table Grid", False, WD_TABLE_ALIGNMENT.CENTER
    shares = [column["width"] for column in columns]
    widths = [Mm(ANNEX_WIDTH * share / sum(shares)) for share in shares]
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width

    def row(texts: list[str], **looks) -> None:
        added = table.add_row()
        _keep_together(added)
        for cell, width, text, column in zip(added.cells, widths, texts, columns, strict=True):
            cell.width = width
            align = looks.get("align", LEFT if column["kind"] == "text" else RIGHT)
            _say(cell.paragraphs[0], text, **{"size": 11} | looks | {"align": align})

    def tag(text: str) -> None:
        table.add_row().cells[0].paragraphs[0].add_run(f"{{%tr {text} %}}")

    row([column["title"] for column in columns], bold=True, align=CENTRE)
    _repeat_head(table)
    tag(f"for row in {name}.rows")
    row([f"{{{{ row.{column['key']} }}}}" for column in columns])
    tag("endfor")
    if annex["has_total"]:
        row([f"{{{{ {name}.total.{column['key']} }}}}" for column in columns], bold=True)


def _keep_together(row) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _repeat_head(table: Table) -> None:
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
