"""Word files, in a process of its own: `python -m reports.official.word_process` reads a task as JSON and answers so.

A template may be anybody's (`templates`): what it may say is looked at before it is filled, names that no report has are
refused, and memory and time of the process are bounded. Nothing of Django is imported here.
"""

import base64
import io
import json
import re
import resource
import struct
import sys
import zipfile
import zlib
from datetime import UTC, datetime

from docx import Document
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reports.official.word_template import standard_template

MEMORY = 1536 * 1024 * 1024
CPU_SECONDS = 60
LOOPS_AT_MOST = 3  # inside each other
FILTERS = {"upper", "lower", "title", "capitalize", "length", "e", "escape"}
OF_A_LOOP = {"index", "index0", "revindex", "first", "last", "length"}
PARTS_AT_MOST, UNPACKED_AT_MOST = 300, 20 * 1024 * 1024
WORD_KIND = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
OUTSIDE = re.compile(rb"<[^<>]*TargetMode\s*=\s*[\"']External[^<>]*>")
INSIDE = re.compile(rb"relationships/(aFChunk|subDocument|oleObject|control|package)\b")
SAYS_DRAFT = {"draft", "notes"}
NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
# What may stand around names: conditions, and no calculating, calling or setting.
ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.Const),
    *(nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand),
)


class TemplateRefused(Exception):
    """Why a template cannot be taken: a code of `templates.REFUSALS`, and its values."""

    def __init__(self, code: str, **values: str):
        super().__init__(code)
        self.code, self.values = code, values


def environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True)


def render(template: bytes, context: dict, made_at: datetime, title: str, author: str) -> bytes:
    """The template filled. Its dates are `made_at`, and its parts lie in one order: the same report is the same file."""
    filled = DocxTemplate(io.BytesIO(template))
    filled.render(_clean(context), environment(), autoescape=True)
    about = filled.docx.core_properties
    about.created = about.modified = made_at.astimezone(UTC).replace(tzinfo=None)
    about.title, about.author, about.last_modified_by, about.revision = title[:255], author[:255], "", 1
    file = io.BytesIO()
    filled.save(file)
    return packed(file.getvalue())


def packed(raw: bytes) -> bytes:
    """The parts of a Word file in the order of their names, the list of contents first, without a time."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as loose, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(loose.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            archive.writestr(zipfile.ZipInfo(name), loose.read(name), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _clean(value):
    """Without what no XML may hold."""
    if isinstance(value, dict):
        return {key: _clean(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_clean(each) for each in value]
    return NOT_IN_XML.sub(" ", value) if isinstance(value, str) else value


def look_inside(raw: bytes) -> None:
    """Before anything opens it: a Word file without macros, of moderate size unpacked, that fetches nothing."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = archive.infolist()
            if len(entries) > PARTS_AT_MOST or sum(entry.file_size for entry in entries) > UNPACKED_AT_MOST:
                raise TemplateRefused("bomb")
            if any(entry.flag_bits & 1 for entry in entries) or len({e.filename for e in entries}) < len(entries):
                raise TemplateRefused("not_word")
            # reading holds each against the size it names
            parts = {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, ValueError, EOFError) as broken:
        raise TemplateRefused("not_word") from broken
    kinds = parts.get("[Content_Types].xml", b"")
    if b"macroEnabled" in kinds or any("vbaproject" in name.lower() for name in parts):
        raise TemplateRefused("macros")
    if WORD_KIND not in kinds:
        raise TemplateRefused("not_word")
    if any(name.startswith(("word/embeddings/", "word/activeX/")) for name in parts):
        raise TemplateRefused("embedded")
    for name, content in parts.items():
        if name.endswith((".xml", ".rels")) and (b"<!DOCTYPE" in content or b"<!ENTITY" in content):
            raise TemplateRefused("not_word")
        if name.endswith(".rels") and INSIDE.search(content):
            raise TemplateRefused("embedded")
        if name.endswith(".rels") and any(b"/hyperlink" not in link for link in OUTSIDE.findall(content)):
            raise TemplateRefused("external")


def check(template: bytes, shape: dict, context: dict, made_at: datetime) -> None:
    """Raises TemplateRefused unless it opens, names only what reports have, and can be filled."""
    look_inside(template)
    try:
        opened = DocxTemplate(io.BytesIO(template))
        sources = list(_sources(opened))
    except Exception as broken:
        raise TemplateRefused("not_word") from broken
    named = set().union(*(_names_in(source, shape) for source in sources))
    if not named:
        raise TemplateRefused("no_tags")
    if not named & SAYS_DRAFT:
        raise TemplateRefused("no_draft")
    try:
        Document(io.BytesIO(render(template, context, made_at, "", "")))
    except Exception as broken:
        raise TemplateRefused("not_filled", error=str(broken)[:200]) from broken


def _sources(opened: DocxTemplate):
    """The text of the document, its headers, footers and properties, as Jinja will read it."""
    opened.init_docx()
    yield opened.patch_xml(opened.get_xml())
    for address in (opened.HEADER_URI, opened.FOOTER_URI):
        for _key, part in opened.get_headers_footers(address):
            yield opened.patch_xml(opened.get_part_xml(part))
    for part in opened.docx.part.package.iter_parts():
        if "footnotes" in str(part.partname):
            yield opened.patch_xml(part.blob.decode("utf-8"))
    about = opened.docx.core_properties
    for name in ("author", "comments", "identifier", "language", "subject", "title", "keywords", "category"):
        yield getattr(about, name) or ""


def _names_in(source: str, shape: dict) -> set[str]:
    """The names it asks for."""
    try:
        tree = environment().parse(source)
    except TemplateSyntaxError as wrong:
        raise TemplateRefused("syntax", error=(wrong.message or "")[:200]) from wrong
    _Names(shape).visit(tree)
    return {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}


class _Names:
    """Walks a template and knows of every name what lies behind it: text, a list, a set of names."""

    def __init__(self, shape: dict):
        self.known, self.loops = dict(shape), 0

    def visit(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.For):
            self._loop(node)
        elif isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
            self.behind(node)
        elif isinstance(node, nodes.Filter):
            if node.name not in FILTERS or node.args or node.kwargs:
                raise TemplateRefused("filter", name=node.name)
            self.visit(node.node)
        elif isinstance(node, ALLOWED):
            for child in node.iter_child_nodes():
                self.visit(child)
        else:
            raise TemplateRefused("not_allowed", what=type(node).__name__)

    def _loop(self, node: nodes.For) -> None:
        inside = self.behind(node.iter)
        if not isinstance(inside, list) or not isinstance(node.target, nodes.Name) or node.recursive:
            raise TemplateRefused("no_list", name=words_of(node.iter))
        if self.loops >= LOOPS_AT_MOST:
            raise TemplateRefused("deep")
        before, self.loops = dict(self.known), self.loops + 1
        self.known |= {node.target.name: inside[0], "loop": dict.fromkeys(OF_A_LOOP, "")}
        for child in (*node.body, *node.else_, *([node.test] if node.test else [])):
            self.visit(child)
        self.known, self.loops = before, self.loops - 1

    def behind(self, node: nodes.Node):
        """What a name stands for."""
        if isinstance(node, nodes.Name):
            if node.name not in self.known:
                raise TemplateRefused("unknown", name=node.name)
            return self.known[node.name]
        if isinstance(node, nodes.Getattr):
            name = node.attr
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            name = node.arg.value
        else:
            raise TemplateRefused("not_allowed", what=type(node).__name__)
        above = self.behind(node.node)
        if not isinstance(above, dict) or name not in above:
            raise TemplateRefused("unknown", name=words_of(node) or name)
        return above[name]


def words_of(node: nodes.Node) -> str:
    """A name as it was written: annexes.units.rows."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{words_of(node.node)}.{node.attr}"
    return ""


def answer(task: dict) -> dict:
    made_at = datetime.fromisoformat(task["made_at"])
    standard = packed(standard_template(task["standard"]))
    template = base64.b64decode(task["template"]) if task.get("template") else standard
    if task["what"] == "standard":
        return {"docx": base64.b64encode(standard).decode()}
    if task["what"] == "check":
        try:
            check(template, task["shape"], task["context"], made_at)
        except TemplateRefused as refused:
            return {"refused": refused.code, "values": refused.values}
        return {}
    filled = render(template, task["context"], made_at, task["title"], task["author"])
    return {"docx": base64.b64encode(filled).decode()}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    json.dump(answer(json.load(sys.stdin)), sys.stdout)
