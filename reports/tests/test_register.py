"""A register that is exported and imported into an empty program is the same register, column by column."""

from collections.abc import Iterator
from datetime import date
from io import BytesIO
from random import Random

import pytest
from django.db import connection
from django.urls import reverse

from households import text
from households.imports import headings, register_columns, second_reader, stages
from households.models import AdministrativeUnit, CollectionForm, Household, Import, UnitChange
from households.tests.factories import Level, Type, form_of, make_household, make_officer, make_unit
from reports import exports, services
from reports.exports import forms
from reports.exports.register import full_name
from reports.models import Disclosure, Export
from verification import imports
from verification.models import RoundForm

REASON = "chuyển sang máy chủ mới"


@pytest.fixture(autouse=True)
def _own_folders(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"
    settings.IMPORT_DIR = tmp_path / "imports"


def exported(by, round, unit, format="csv") -> Export:
    export = services.request_export(by=by, round=round, kind="register", format=format, unit=unit, reason=REASON)
    exports.make(export.pk)
    export.refresh_from_db()
    assert export.status == Export.Status.DONE, export.failure
    return export


def checked(export: Export, by, area) -> Import:
    kind = imports.KINDS["forms"]
    data = exports.file_path(export).read_bytes()
    name = exports.file_name(export)
    job = stages.receive(
        kind="forms", source=BytesIO(data), name=name, area=area, by=by, fields=kind.fields, again=True
    )
    look = stages.look(job, kind.fields, sheets=[], encoding="")
    columns = headings.guess_columns(look.headings, kind.fields, headings.remembered_for(job.kind))
    stages.confirm_columns(job, columns=columns, layout=look.layout, file_headings=look.headings, collected_on=None)
    return imports.check(job.pk)


def loaded(job: Import) -> Import:
    stages.confirm(job, existing="skip")
    imports.load(job.pk)
    job.refresh_from_db()
    return job


def empty_the_register() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE households_collectionform, households_household CASCADE")
        cursor.execute("DELETE FROM households_administrativeunit WHERE level = %s", [Level.HAMLET])
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def register() -> list[dict]:
    """Every column of every form and of its household; what is an id here is a name or a code."""
    own = [
        field.attname for field in CollectionForm._meta.concrete_fields if not field.is_relation and field.name != "id"
    ]
    homes = ["book_number", "address", "head_name", "sequence"]
    rows = CollectionForm.objects.select_related("household", "hamlet", "commune", "collected_unit", "province")
    found = []
    for form in rows:
        row = {name: getattr(form, name) for name in own}
        row |= {f"home {name}": getattr(form.household, name) for name in homes}
        row |= {name: getattr(form, name).code for name in ("province", "commune", "collected_unit")}
        row |= {"hamlet": form.hamlet.full_name, "home hamlet": form.household.hamlet.full_name}
        assert form.household.commune_id == form.commune_id
        found.append(row)
    return sorted(
        found, key=lambda row: (row["commune"], row["hamlet"], row["home sequence"], row["line"], row["barcode"])
    )


def differences(before: list[dict], after: list[dict]) -> list[tuple]:
    return [
        (old["commune"], old["line"], name, old[name], new[name])
        for old, new in zip(before, after, strict=True)
        for name in old
        if old[name] != new[name]
    ]


NAMES = [
    "=1+1",
    "+SUM",
    "-TÈO",
    "@AN",
    "NGUYỄN VĂN ĐỨC",
    "TRẦN 'BA'",
    '"NGOẶC"',
    "A;B,C",
    "H'HEN NIÊ",
    "LÒ\\VĂN",
    "Ỵ" * 100,
]
TEXTS = [
    "",
    "xã Hương Trà, huyện Hương Khê",
    "=cmd|' /C calc'!A0",
    "-",
    "+84",
    "@nơi",
    "a; b",
    'số "5"',
    "x" * 200,
    "007",
]
NUMBERS = ["", "042099123456", "183000001", "012345678", "12", "04209912345"]


def any_form(random: Random, home: Household, line: int) -> CollectionForm:
    """With values of every sort in every column."""
    form = form_of(home, line=line)
    for field in CollectionForm._meta.concrete_fields:
        name = field.name
        if name.endswith("_name"):
            setattr(form, name, random.choice([*NAMES, ""] if name != "full_name" else NAMES))
        elif name.endswith("_number") or name in ("pin", "cmnd"):
            setattr(form, name, random.choice(NUMBERS))
        elif name.endswith("_place"):
            setattr(form, name, random.choice(TEXTS))
        elif name.endswith("_code"):
            setattr(form, name, random.choice(["", "18526", "42", "001"]))
        elif name.startswith("signed_by"):
            setattr(form, name, random.random() < 0.5)
        elif name in ("ethnicity", "nationality", "other_nationality", "religion", "relation", "batch") or name.endswith("_nationality"):  # fmt: skip
            setattr(form, name, random.choice(TEXTS)[: min(field.max_length, 20)].strip())
    form.book_number = random.choice(["", home.book_number, "-12", "SỔ 5"])
    form.birth_day, form.birth_month, form.birth_year = random.choice(
        [(17, 5, 1980), (None, 2, 1999), (None, None, 1931)]
    )
    form.sex, form.marital_status = random.choice([0, 1, 2]), random.choice([0, 1, 2, 3])
    form.blood_type = random.choice(["", *CollectionForm.BloodType.values])
    form.form_version = random.choice(CollectionForm.FormVersion.values)
    form.declared_on = random.choice([None, date(2018, 9, 2)])
    form.collected_on = random.choice([date(2018, 9, 1), date(2020, 2, 29)])
    form.qualification = random.choice(CollectionForm.Qualification.values)
    if form.qualification == "refused":
        form.refusal_reason = random.choice(CollectionForm.RefusalReason.values)
    form.barcode = random.choice([form.barcode, form.barcode, ""])
    form.search_key, form.sort_key = text.name_keys(form.full_name)
    return form


@pytest.fixture
def many_kinds(round, homes, tree) -> Iterator[None]:
    """Households side by side with the same book, without one, in the order of no book; forms of every sort."""
    random = Random(20200619)
    former = make_unit(
        tree.huong_khe, "Phương Mỹ", Type.RURAL_COMMUNE, Level.COMMUNE, code="18517", valid_to="2020-01-01"
    )
    UnitChange.objects.create(
        effective_on="2020-01-01",
        resolution="819/NQ-UBTVQH14",
        kind="absorbed",
        old_unit=former,
        new_unit=tree.huong_tra,
    )
    for hamlet in (tree.dong, tree.tay, tree.phu_gia_1):
        for book in ("SỔ 1", "SỔ 1", "", "", "=9"):
            home = make_household(
                hamlet, book_number=book, head_name=random.choice(NAMES), address=random.choice(TEXTS)
            )
            for line in random.sample(range(1, 30), random.randint(1, 5)):
                form = any_form(random, home, line)
                if hamlet == tree.tay and form.collected_on < date(2020, 1, 1):
                    form.collected_unit = former
                form.save()


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_export_then_import_gives_the_same_register(many_kinds, round, cast, tree, format):
    before = register()
    assert {row["collected_unit"] for row in before} >= {"18517", "18526"}
    export = exported(cast.admin, round, tree.province, format)
    assert export.rows == len(before) > 30
    empty_the_register()
    job = loaded(checked(export, cast.admin, tree.province))
    assert (job.status, job.refused) == (Import.Status.LOADED, 0), [p.sentence for p in job.problems.all()[:9]]
    assert differences(before, register()) == []


@pytest.mark.django_db(transaction=True)
def test_read_by_two_processes_it_is_the_same(many_kinds, round, cast, tree, monkeypatch):
    monkeypatch.setattr(second_reader, "LONG_ENOUGH", 0)
    monkeypatch.setattr(second_reader.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(second_reader, "BLOCK", 7)
    before, export = register(), exported(cast.admin, round, tree.province)
    empty_the_register()
    loaded(checked(export, cast.admin, tree.province))
    assert differences(before, register()) == []


def test_elsewhere_these_columns_are_left_unread(round, homes, cast, tree):
    homes.two.forms.update(batch="D7")
    export = exported(cast.admin, round, tree.province)
    RoundForm.objects.filter(household=homes.two).delete()
    homes.two.forms.all().delete()
    job = checked(export, cast.admin, tree.province)
    assert job.changes["left_unread"] == [field.heading for field in register_columns.FIELDS]
    loaded(job)
    again = CollectionForm.objects.filter(household__book_number=homes.two.book_number)
    assert [(form.qualification, form.batch) for form in again] == [("collected", "")] * 2
    assert {form.household_id for form in again} == {homes.two.pk}


@pytest.mark.parametrize(
    ("name", "cell", "sentence"),
    [
        ("home_order", "0", "thứ tự của hộ"),
        ("home_order", "x", "thứ tự của hộ"),
        ("qualification", "tốt", "không ghi như thế"),
        ("refusal_reason", "unreadable", "mới có lý do"),
        ("batch", "x" * 21, "20"),
    ],
)
def test_what_no_register_says_is_told_by_its_cell(round, homes, cast, tree, name, cell, sentence):
    export = exported(cast.admin, round, tree.province)
    path = exports.file_path(export)
    head, first, *rest = path.read_text("utf-8-sig").splitlines()
    heading = next(field.heading for field in register_columns.FIELDS if field.name == name)
    cells = first.split(",")
    # addresses hold commas in quotation marks, so count from the end
    cells[head.split(",").index(heading) - len(head.split(","))] = cell
    path.write_text("\n".join([head, ",".join(cells), *rest]), "utf-8-sig")
    empty_the_register()
    job = checked(export, cast.admin, tree.province)
    assert job.refused == 1
    problem = job.problems.get(is_refusal=True)
    assert (problem.row, problem.column) == (2, heading)
    assert sentence in problem.sentence


def test_a_template_does_not_ask_for_them(cast, client):
    client.force_login(cast.admin)
    file = client.get(reverse("verification:import_template", args=["forms", "csv"])).content.decode("utf-8-sig")
    assert "Họ, chữ đệm và tên khai sinh" in file
    assert "Tình trạng quét" not in file


class TestTheRight:
    def ask(self, client, unit, **fields):
        wanted = {"format": "csv", "reason": REASON, **fields}
        return client.post(reverse("reports:register_file", args=[unit.pk]), wanted)

    @pytest.mark.parametrize("who", ["admin", "pc06"])
    def test_asked_for_and_written_down(self, round, homes, cast, tree, client, who):
        client.force_login(getattr(cast, who))
        answer = self.ask(client, tree.province)
        export = Export.objects.get()
        assert answer.url == reverse("reports:export_detail", args=[export.pk])
        exports.make(export.pk)
        line = Disclosure.objects.get()
        assert (line.rows, line.reason, line.has_whole_numbers) == (14, REASON, True)
        file = exports.file_path(export).read_text("utf-8-sig")
        assert file.count(forms.mark_of(export)) == 14

    @pytest.mark.parametrize("who", ["officer", "supervisor", "stranger", "leader", "member"])
    def test_nobody_without_whole_numbers(self, round, homes, cast, tree, client, who):
        client.force_login(getattr(cast, who))
        assert self.ask(client, tree.huong_tra).status_code == 404
        assert not Export.objects.exists()

    def test_a_district_may_be_given_it(self, round, homes, cast, tree, client):
        client.force_login(make_officer("district_officer", tree.huong_khe, files="whole"))
        assert self.ask(client, tree.huong_khe).status_code == 302
        assert self.ask(client, tree.province).status_code == 404

    @pytest.mark.parametrize("fields", [{"reason": ""}, {"format": "pdf"}, {"format": ""}])
    def test_what_cannot_be_is_a_sentence(self, round, homes, cast, tree, client, fields):
        client.force_login(cast.admin)
        answer = self.ask(client, tree.province, **fields)
        assert answer.status_code == 400
        assert 'role="alert"' in answer.content.decode()
        assert not Export.objects.exists()


def test_the_units_names_are_those_that_pages_have(round, tree):
    """The name made by the database is `full_name`, also where it begins with the label of its type."""
    AdministrativeUnit.objects.filter(pk=tree.hung_tri_1.pk).update(name="Thôn trưởng")
    units = AdministrativeUnit.objects.filter(parent__isnull=False, level__lt=Level.HAMLET)
    children = AdministrativeUnit.objects.filter(parent__in=units).annotate(shown=full_name("parent"))
    assert {child.shown for child in children} == {child.parent.full_name for child in children}
