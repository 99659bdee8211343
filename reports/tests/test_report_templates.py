"""Word templates of a province's own: what is taken, what is refused and with which sentence, and reports written in them."""

import io
import zipfile
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from docx import Document

from census_verify import clock
from reports import exports, rollups, services
from reports.models import Export, ReportTemplate
from reports.official import contents, letter, word
from reports.official.periods import Kind, period_ending
from reports.official.word_process import TemplateRefused, look_inside

DAY = date(2020, 6, 19)


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"


def document(*paragraphs: str, header: str = "") -> bytes:
    made = Document()
    for paragraph in paragraphs:
        made.add_paragraph(paragraph)
    if header:
        made.sections[0].header.paragraphs[0].text = header
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


GOOD = document("{{ draft }}", "{{ title }}: {{ figures.verified }}/{{ figures.plan }}", "{{ subject|upper }}")


def changed(raw: bytes, **parts: bytes) -> bytes:
    """The same file with parts put in or replaced; "__" in a name is a slash, "_dot_" a dot."""
    file = io.BytesIO()
    named = {name.replace("__", "/").replace("_dot_", "."): content for name, content in parts.items()}
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, named.pop(name, None) or old.read(name))
        for name, content in named.items():
            new.writestr(name, content)
    return file.getvalue()


def part_of(raw: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return archive.read(name)


def bring(client, content: bytes, name="Mẫu tuần", file_name="mau.docx"):
    file = SimpleUploadedFile(file_name, content)
    return client.post(reverse("reports:template_list"), {"file": file, "name": name})


def made_in(template, round, by, unit) -> Export:
    period = period_ending(Kind.DAY, DAY - timedelta(days=1), starts_on=round.starts_on)
    export = services.request_report(
        by=by, round=round, unit=unit, kind="report", format="docx",
        period=period, dated_on=DAY, signs=letter.Signs.HEAD, template=template,
    )  # fmt: skip
    exports.make(export.pk)
    export.refresh_from_db()
    return export


def test_what_reports_hold_is_what_templates_may_name(round, tree):
    period = period_ending(Kind.DAY, DAY, starts_on=round.starts_on)

    def compare(value, shape):
        if isinstance(shape, dict):
            assert value.keys() == shape.keys()
            for key, inside in shape.items():
                compare(value[key], inside)
        elif isinstance(shape, list):
            assert isinstance(value, list)
            for each in value:
                compare(each, shape[0])
        else:
            assert isinstance(value, str)

    for unit in (tree.province, tree.huong_khe, tree.huong_tra):
        compare(word.context_of(contents.report_of(round, unit, period)), word.shape())


def test_a_template_is_kept_and_a_report_written_in_it(round, cast, tree, client):
    client.force_login(cast.admin)
    assert bring(client, GOOD).status_code == 302
    template = ReportTemplate.objects.get()
    assert (template.name, template.area, template.uploaded_by) == ("Mẫu tuần", tree.province, cast.admin)
    page = client.get(reverse("reports:template_list")).content.decode()
    assert "Mẫu tuần" in page
    assert "annexes.officers.rows" in page
    assert "Mẫu tuần" in client.get(reverse("reports:unit_report", args=[tree.province.pk])).content.decode()
    wanted = {"kind": "report", "format": "docx", "period": "day", "to": "19/6/2020", "template": template.pk}
    rollups.roll_up()
    client.post(reverse("reports:unit_report_file", args=[tree.province.pk]), wanted)
    export = Export.objects.get()
    exports.make(export.pk)
    lines = [p.text for p in Document(str(exports.file_path(export))).paragraphs]
    assert lines[0].startswith("DỰ THẢO")
    assert lines[1] == "BÁO CÁO: 0/14"
    assert lines[2] == "KẾT QUẢ PHÚC TRA PHIẾU THU THẬP THÔNG TIN DÂN CƯ NGÀY 19/6/2020"


def test_the_standard_template_comes_back_and_is_taken(round, cast, client):
    client.force_login(cast.admin)
    answer = client.get(reverse("reports:template_standard"))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="report-template.docx"'
    assert bring(client, answer.content).status_code == 302
    kept = ReportTemplate.objects.get()
    assert client.get(reverse("reports:template_file", args=[kept.pk])).content == answer.content


def test_the_same_template_and_cut_off_are_the_same_file(round, cast, tree, client):
    client.force_login(cast.admin)
    bring(client, GOOD)
    template = ReportTemplate.objects.get()
    first, second = (made_in(template, round, who, tree.province) for who in (cast.pc06, cast.leader))
    assert first.sha256 == second.sha256 != ""


def test_a_district_writes_in_its_provinces_template(round, cast, tree, client):
    client.force_login(cast.admin)
    bring(client, GOOD)
    client.force_login(cast.supervisor)
    page = client.get(reverse("reports:unit_report", args=[tree.huong_khe.pk])).content.decode()
    assert "Mẫu tuần" in page


def test_brought_twice_it_is_kept_once(round, cast, client):
    client.force_login(cast.admin)
    bring(client, GOOD)
    assert bring(client, GOOD).status_code == 302
    assert ReportTemplate.objects.count() == 1
    other = bring(client, document("{{ draft }} {{ office }}"))
    assert other.status_code == 409
    assert "Đã có mẫu “Mẫu tuần”" in other.content.decode()


def test_withdrawn_it_is_offered_no_more_and_pressing_twice_is_no_mistake(round, cast, tree, client):
    client.force_login(cast.admin)
    bring(client, GOOD)
    template = ReportTemplate.objects.get()
    address = reverse("reports:template_withdraw", args=[template.pk])
    assert client.get(address).status_code == 405
    assert [client.post(address).status_code for _ in range(2)] == [302, 302]
    template.refresh_from_db()
    assert template.withdrawn_by == cast.admin
    assert "Mẫu tuần" not in client.get(reverse("reports:unit_report", args=[tree.province.pk])).content.decode()
    late = made_in(template, round, cast.pc06, tree.province)
    assert late.status == Export.Status.FAILED
    assert "đã ngừng dùng" in late.failure
    wanted = {"kind": "report", "format": "docx", "to": "18/6/2020", "template": template.pk}
    assert client.post(reverse("reports:unit_report_file", args=[tree.province.pk]), wanted).status_code == 400
    assert bring(client, GOOD).status_code == 302, "its name is free again"


@pytest.mark.parametrize("who", ["pc06", "leader", "supervisor", "officer", "stranger", "member"])
def test_templates_are_the_administrators(round, cast, client, who):
    client.force_login(cast.admin)
    bring(client, GOOD)
    kept = ReportTemplate.objects.get()
    client.force_login(getattr(cast, who))
    assert bring(client, GOOD, name="x").status_code == 404
    for name, arguments in (("template_list", []), ("template_standard", []), ("template_file", [kept.pk])):
        assert client.get(reverse(f"reports:{name}", args=arguments)).status_code == 404
    assert client.post(reverse("reports:template_withdraw", args=[kept.pk])).status_code == 404
    kept.refresh_from_db()
    assert kept.withdrawn_at is None
    assert ReportTemplate.objects.count() == 1


def with_link(kind: str) -> bytes:
    name = "word/_rels/document.xml.rels"
    link = f'<Relationship Id="rX" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="http://x.example/a" TargetMode="External"/></Relationships>'
    return changed(GOOD, **{name: part_of(GOOD, name).replace(b"</Relationships>", link.encode())})


def content_types(**replaced: str) -> bytes:
    kinds = part_of(GOOD, "[Content_Types].xml")
    for old, new in replaced.values():
        kinds = kinds.replace(old.encode(), new.encode())
    return changed(GOOD, **{"[Content_Types].xml": kinds})


MAIN = "wordprocessingml.document.main+xml"
REFUSED = {
    "an empty file": (b"", "không phải tệp Word"),
    "another kind": (b"%PDF-1.7", "không phải tệp Word"),
    "a torn zip": (GOOD[: len(GOOD) // 2], "không phải tệp Word"),
    "a zip of something else": (changed(document("x"), **{"[Content_Types].xml": b"<Types/>"}), "không phải tệp Word"),
    "a macro": (changed(GOOD, **{"word/vbaProject.bin": b"x"}), "macro"),
    "a macro by its kind": (
        content_types(a=(f"application/vnd.openxmlformats-officedocument.{MAIN}", "application/vnd.ms-word.document.macroEnabled.main+xml")),
        "macro",
    ),
    "a bomb": (changed(GOOD, **{"word/media/a.bin": b"\0" * 21 * 2**20}), "giải nén"),
    "many parts": (changed(GOOD, **{f"word/media/{n}.txt": b"x" for n in range(301)}), "giải nén"),
    "an embedded file": (changed(GOOD, **{"word/embeddings/a.xlsx": b"x"}), "nhúng tệp khác"),
    "a linked picture": (with_link("image"), "lấy nội dung từ nơi khác"),
    "a linked template": (with_link("attachedTemplate"), "lấy nội dung từ nơi khác"),
    "an entity": (
        changed(GOOD, **{"word/document.xml": b'<!DOCTYPE a [<!ENTITY b "c">]>' + part_of(GOOD, "word/document.xml")}),
        "không phải tệp Word",
    ),
    "no tag": (document("BÁO CÁO"), "không có thẻ nào"),
    "not said to be a draft": (document("{{ title }}"), "không ghi là dự thảo"),
    "an unknown name": (document("{{ draft }} {{ verifed }}"), "Báo cáo không có “verifed”"),
    "an unknown figure": (document("{{ draft }} {{ figures.deaths }}"), "Báo cáo không có “figures.deaths”"),
    "an unknown column": (
        document("{{ draft }}", "{%p for row in annexes.units.rows %}", "{{ row.name }}", "{%p endfor %}"),
        "Báo cáo không có “row.name”",
    ),
    "an unknown name in the header": (document("{{ draft }}", header="{{ nobody }}"), "Báo cáo không có “nobody”"),
    "a loop that is not closed": (document("{{ draft }}", "{%p for note in notes %}"), "Có thẻ không đọc được"),
    "a loop over text": (document("{{ draft }}", "{%p for a in title %}", "x", "{%p endfor %}"), "không phải danh sách"),
    "a call": (document("{{ draft }} {{ title.upper() }}"), "nhiều hơn việc nêu tên"),
    "its class": (document("{{ draft }} {{ title.__class__ }}"), "Báo cáo không có “title.__class__”"),
    "by brackets": (document("{{ draft }} {{ title['__class__'] }}"), "Báo cáo không có"),
    "an attribute by a filter": (document("{{ draft }} {{ title|attr('x') }}"), "Không dùng được “attr”"),
    "arithmetic": (document("{{ draft }} {{ 9 ** 9 ** 9 }}"), "nhiều hơn việc nêu tên"),
    "a long range": (document("{{ draft }}", "{%p for a in range(9) %}", "x", "{%p endfor %}"), "không phải danh sách|Báo cáo không có|nhiều hơn"),
    "a set": (document("{{ draft }} {% set a = 1 %}"), "nhiều hơn việc nêu tên"),
    "an include": (document("{{ draft }} {% include 'a' %}"), "nhiều hơn việc nêu tên"),
    "a macro of Jinja": (document("{{ draft }} {% macro a() %}{% endmacro %}"), "nhiều hơn việc nêu tên"),
    "four loops inside each other": (
        document("{{ draft }}", *["{%p for row in annexes.officers.rows %}"] * 4, "x", *["{%p endfor %}"] * 4),
        "lồng nhau",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_template_is_refused_with_a_sentence(round, cast, client, what):
    content, sentences = REFUSED[what]
    client.force_login(cast.admin)
    answer = bring(client, content)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert any(sentence in page for sentence in sentences.split("|")), page
    assert not ReportTemplate.objects.exists()


@pytest.mark.parametrize(
    ("file_name", "sentence"),
    [("a.docm", "macro"), ("a.dotm", "macro"), ("a.doc", "không phải tệp Word"), ("a.docx.exe", "không phải tệp Word")],
)
def test_the_wrong_extension_is_refused(round, cast, client, file_name, sentence):
    client.force_login(cast.admin)
    answer = bring(client, GOOD, file_name=file_name)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()


@pytest.mark.parametrize("size", [600 * 1024, 1200 * 1024])
def test_a_file_too_large_is_refused_with_a_sentence(round, cast, client, size):
    client.force_login(cast.admin)
    answer = bring(client, b"PK" + b"\0" * size)
    assert answer.status_code in (400, 413)
    assert "512 kB" in answer.content.decode()


def test_no_file_and_no_name(round, cast, client):
    client.force_login(cast.admin)
    assert client.post(reverse("reports:template_list"), {"name": "x"}).status_code == 400
    assert bring(client, GOOD, name="x" * 81).status_code == 400
    assert bring(client, GOOD, name="", file_name="báo cáo.docx").status_code == 302
    assert ReportTemplate.objects.get().name == "báo cáo"


def test_a_part_that_lies_about_its_size_is_damaged():
    raw = bytearray(changed(GOOD, **{"word/media/a.txt": b"x" * 50_000}))
    place = raw.rfind(b"word/media/a.txt") - 46  # its line in the directory
    raw[place + 24 : place + 28] = (10).to_bytes(4, "little")
    with pytest.raises(TemplateRefused) as refused:
        look_inside(bytes(raw))
    assert refused.value.code == "not_word"


def test_a_template_that_cannot_be_filled_later_says_so(round, cast, tree):
    broken = ReportTemplate.objects.create(
        area=tree.province, name="cũ", content=document("{{ draft }} {{ gone }}"), sha256="0",
        uploaded_by=cast.admin, uploaded_at=clock.now(),
    )  # fmt: skip
    export = made_in(broken, round, cast.pc06, tree.province)
    assert export.status == Export.Status.FAILED
    assert "mẫu “cũ”" in export.failure
    assert not exports.file_path(export).exists()


def test_one_standing_template_of_a_name(tree, cast):
    fields = {
        "area": tree.province,
        "name": "a",
        "content": b"",
        "sha256": "0",
        "uploaded_by": cast.admin,
        "uploaded_at": clock.now(),
    }
    ReportTemplate.objects.create(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReportTemplate.objects.create(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReportTemplate.objects.create(**fields | {"name": "b", "withdrawn_at": clock.now()})


def test_the_list_asks_as_much_with_many_as_with_one(round, cast, tree, client, django_assert_num_queries):
    client.force_login(cast.admin)
    fields = {
        "area": tree.province,
        "content": b"",
        "sha256": "0",
        "uploaded_by": cast.admin,
        "uploaded_at": clock.now(),
    }
    ReportTemplate.objects.create(name="a", **fields)
    client.get(reverse("reports:template_list"))
    with django_assert_num_queries(4) as few:
        client.get(reverse("reports:template_list"))
    for n in range(9):
        ReportTemplate.objects.create(name=f"b{n}", **fields)
    with django_assert_num_queries(len(few.captured_queries)):
        client.get(reverse("reports:template_list"))
