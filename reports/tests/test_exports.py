"""Files of tables: their figures are the page's, their cells are safe, they are never half."""

import csv
import io
import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.urls import reverse
from django.utils import translation
from python_calamine import CalamineWorkbook

from census_verify import clock
from households.models import CollectionForm
from households.models.register import Sex
from households.tests.factories import make_form
from reports import exports, rollups, services
from reports.alerts.bell import unread_of
from reports.exports import forms, making, writers
from reports.live import Live
from reports.models import Disclosure, Export
from verification import records
from verification.records import State
from verification.terms import Approval, Outcome
from verification.tests.factories import record
from verification.tests.test_new_people import add


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"


@pytest.fixture
def rolled_up(round, homes, cast):
    record(homes.four, cast.officer)
    rollups.roll_up()
    return round


def made(round, by, **wanted) -> Export:
    defaults = {"kind": "units", "format": "csv", "unit": None, "reason": "kiểm thử"}
    export = services.request_export(by=by, round=round, **defaults | wanted)
    exports.make(export.pk)
    export.refresh_from_db()
    return export


def csv_rows(export: Export) -> list[list[str]]:
    raw = exports.file_path(export).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))


def xlsx_rows(export: Export) -> list[list]:
    return CalamineWorkbook.from_path(str(exports.file_path(export))).get_sheet_by_index(0).to_python()


def test_the_units_are_the_pages_units(rolled_up, cast, tree, client):
    export = made(rolled_up, cast.pc06, unit=tree.province)
    head, *lines, total = csv_rows(export)
    shown = Live(rolled_up).children_of(tree.province)
    assert [line[1] for line in lines] == [row.owner.full_name for row in shown]
    verified, left = head.index("Lũy kế"), head.index("Còn lại")
    assert [int(line[verified]) for line in lines] == [row.tally.verified for row in shown]
    province = Live(rolled_up).of_unit(tree.province)
    assert (int(total[verified]), int(total[left])) == (province.tally.verified, province.tally.left)
    assert export.rows == len(lines) == 2


def test_a_spreadsheet_holds_real_numbers(rolled_up, cast, tree):
    rows = xlsx_rows(made(rolled_up, cast.pc06, unit=tree.province, format="xlsx"))
    head = next(row for row in rows if "Lũy kế" in row)
    total = rows[-1]
    assert total[head.index("Lũy kế")] == 4
    assert total[head.index("% kế hoạch")] == pytest.approx(28.57)
    assert any("không có thật" in str(row[0]) for row in rows[:4])


def test_forms_of_a_commune_with_real_dates_and_masked_numbers(rolled_up, homes, cast, tree):
    export = made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra, format="xlsx", state=State.ALL)
    rows = xlsx_rows(export)
    top = next(place for place, row in enumerate(rows) if "Họ và tên" in row)
    head, people = rows[top], rows[top + 1 :]
    assert len(people) == export.rows == 9
    done = [row for row in people if row[head.index("Kết quả")]]
    assert {row[head.index("Ngày phúc tra")] for row in done} == {date(2020, 6, 19)}
    assert {row[head.index("Số CMND")] for row in people} == {"••••••001"}


@pytest.mark.parametrize("state", State.values)
def test_the_list_has_as_many_rows_as_the_figure_says(rolled_up, homes, cast, tree, state):
    # collected after the round's plan was frozen, so no part of what is left of it
    make_form(homes.two, line=3, qualification="refused", refusal_reason="unreadable", collected_on=date(2019, 3, 1))
    form = homes.three.forms.first()
    record(homes.three, cast.officer, "deceased", only=[form.pk], event_on=date(2019, 1, 2), paper="archive")
    add(homes.three, cast.officer)
    rollups.roll_up()
    tally = Live(rolled_up).of_unit(tree.huong_tra).tally
    expected = {
        State.ALL: tally.collected,
        State.OPEN: tally.in_scope - tally.verified,
        State.UNTOUCHED: tally.in_scope - 5,
        State.LEFT: tally.left,
        State.NOT_MET: tally.not_met,
        State.DUE: 0,
        State.LATER: tally.not_met,
        State.PENDING: tally.pending,
        State.RETURNED: tally.returned,
        State.VERIFIED: tally.verified,
        State.REFUSED: tally.collected - tally.qualified - tally.new_people,  # whom no scan has seen yet
        State.NEW_PEOPLE: tally.new_people,
        State.FOUND: 0,
        State.REMOVALS: 1,
    }[state]
    export = made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra, state=state)
    assert export.rows == len(csv_rows(export)) - 1 == expected


HOSTILE = [
    "=1+1",
    "+49",
    "-2",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "a\x01\x1fb",
    "dòng\nhai",
    'dấu "phẩy", hai',
    "Ă" * 100,
    "  ",
    "007",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_cell_starts_a_formula(rolled_up, homes, cast, tree, name):
    homes.two.forms.filter(line=1).update(full_name=name)
    body = csv_rows(made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra))
    shown = "'" + name if name[0] in "=+-@\t\r" else name
    assert shown in {row[4] for row in body}
    cells = xlsx_rows(made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra, format="xlsx"))
    # a reader may end lines its own way
    assert name.replace("\r", "\n").strip() in {
        str(row[4]).replace("\r", "\n").strip() for row in cells if len(row) > 4
    }


@pytest.mark.parametrize("field", ["relation", "barcode", "pin", "cmnd"])
def test_no_other_cell_starts_one(rolled_up, homes, cast, tree, field):
    homes.two.forms.filter(line=1).update(**{field: "=1"})
    homes.two.forms.filter(line=2).update(**{field: "=123456"})
    cells = {cell for row in csv_rows(made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra)) for cell in row}
    assert "'=1" in cells
    assert not any(cell.startswith(writers.FORMULA_STARTS) for cell in cells)


def test_an_address_of_200_letters(rolled_up, homes, cast, tree):
    homes.two.__class__.objects.filter(pk=homes.two.pk).update(address="=" + "Ỵ" * 199, book_number="-1")
    body = csv_rows(made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra))
    assert {"'=" + "Ỵ" * 199, "'-1"} <= {cell for row in body for cell in row}


def as_on_screen(rows) -> list[list]:
    """The list as the page shows it, cell by cell; behind it stands who took it."""
    return [
        [
            n,
            form.commune.full_name,
            form.hamlet.full_name,
            form.household.book_number,
            form.full_name,
            form.birth_date_text,
            str(Sex(form.sex).label),
            form.relation,
            records.masked(form.pin),
            records.masked(form.cmnd),
            form.barcode,
            form.household.address,
            str(Outcome(form.outcome).label) if form.outcome else "",
            str(Approval(form.approval).label) if form.approval else "",
            form.counted_on or "",
            form.next_visit_on or "",
        ]
        for n, form in enumerate(rows, start=1)
    ]


@pytest.fixture
def many_kinds(rolled_up, homes, cast):
    """Forms of every sort: absent, returned, pending, refused, birth dates in part, numbers short and long."""
    people = homes.three.forms.order_by("line")
    record(homes.three, cast.officer, "deceased", only=[people[0].pk], event_on=date(2019, 1, 2), paper="archive")
    reason = {"reason": "away", "next_visit_on": date(2020, 6, 25), "attempts": 1}
    record(homes.three, cast.officer, "not_met", only=[people[1].pk], **reason)
    homes.two.forms.filter(line=1).update(birth_day=None, pin="12", sex=Sex.UNKNOWN)
    homes.two.forms.filter(line=2).update(birth_day=None, birth_month=None, pin="042099123456", cmnd="")
    make_form(homes.two, line=3, qualification="refused", refusal_reason="unreadable", collected_on=date(2019, 3, 1))
    rollups.roll_up()


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("place", ["province", "huong_khe", "huong_tra", "dong"])
def test_screen_csv_and_xlsx_agree_row_by_row(many_kinds, round, cast, tree, settings, place, language):
    unit = getattr(tree, place)
    with translation.override(language):
        shown = records.forms_of(unit, round, State.ALL).select_related("commune")
        expected = as_on_screen(sorted(shown, key=lambda f: (f.commune.code, f.hamlet.code, f.sequence, f.line, f.pk)))
        wanted = {"kind": "forms", "unit": unit, "state": State.ALL}
        head, *from_csv = csv_rows(made(round, cast.pc06, **wanted))
        read = xlsx_rows(made(round, cast.pc06, format="xlsx", **wanted))
        mark = forms.mark_of(Export.objects.order_by("pk").first())
    top = read.index(head)
    assert [row[:-1] for row in read[top + 1 :]] == expected
    assert {row[-1] for row in from_csv} == {mark}
    assert [row[:-1] for row in from_csv] == [
        [cell.isoformat() if isinstance(cell, date) else str(cell) for cell in row] for row in expected
    ]
    assert len(expected) >= 4


@pytest.mark.parametrize("place", ["huong_tra", "dong"])
def test_the_order_is_the_screens(many_kinds, round, cast, tree, place):
    unit = getattr(tree, place)
    rows, key = records.page_after(unit, round, State.ALL, "")
    assert key == ""
    body = csv_rows(made(round, cast.officer, kind="forms", unit=unit, state=State.ALL))[1:]
    assert [line[10] for line in body] == [form.barcode for form in rows]


def test_both_writers_write_the_same(many_kinds, round, cast, tree, tmp_path):
    export = made(round, cast.pc06, kind="forms", unit=tree.province, state=State.ALL)
    read, lines = {}, forms.forms_sheet(export).lines  # once: they say the minute
    for writer in (writers._write_long, writers._write_laid_out):
        path = tmp_path / f"{writer.__name__}.xlsx"
        writer(replace(forms.forms_sheet(export), lines=lines), path)
        book = CalamineWorkbook.from_path(str(path))
        read[writer] = (book.sheet_names, book.get_sheet_by_index(0).to_python())
    long, laid_out = read.values()
    assert long == laid_out
    assert len(long[1]) > 10


def test_a_list_without_a_row_has_its_head(rolled_up, homes, cast, tree):
    wanted = {"kind": "forms", "unit": tree.phu_gia, "state": State.RETURNED}
    export = made(rolled_up, cast.pc06, **wanted)
    assert (export.rows, len(csv_rows(export))) == (0, 1)
    rows = xlsx_rows(made(rolled_up, cast.pc06, format="xlsx", **wanted))
    assert rows[-1] == [heading.title for heading in forms.headings(export)]


def test_a_list_of_one_row(rolled_up, homes, cast, tree):
    CollectionForm.objects.exclude(pk=homes.two.forms.first().pk).filter(household=homes.two).update(
        qualification="refused", refusal_reason="unreadable"
    )
    make_form(homes.phu_gia, line=9, qualification="refused", refusal_reason="unreadable")
    wanted = {"kind": "forms", "unit": tree.phu_gia, "state": State.REFUSED}
    rows = xlsx_rows(made(rolled_up, cast.pc06, format="xlsx", **wanted))
    assert rows[-1][0] == 1
    assert len(csv_rows(made(rolled_up, cast.pc06, **wanted))) == 2


def test_a_list_holds_only_what_its_owner_sees(rolled_up, homes, cast, tree):
    member = made(rolled_up, cast.member, kind="forms", unit=tree.huong_tra, state=State.ALL)
    assert member.rows == 9
    whole = made(rolled_up, cast.pc06, kind="forms", unit=tree.province, state=State.ALL)
    assert whole.rows == CollectionForm.objects.visible_to(cast.pc06).count()
    # she asks for a district and sees one commune of it
    export = Export(owner=cast.officer, round=rolled_up, unit=tree.huong_khe, kind="forms", options={"state": "all"})
    assert {place.commune for place in forms._places(export)} == {tree.huong_tra}


def test_days_and_teams(rolled_up, cast, tree):
    assert csv_rows(made(rolled_up, cast.pc06, kind="days", unit=tree.province))[1:] == [["2020-06-19", "4", "4"]]
    teams = csv_rows(made(rolled_up, cast.pc06, kind="teams"))
    assert len(teams) == 1 + 2 + 1
    assert teams[-1][teams[0].index("Lũy kế")] == "4"


def test_making_twice_makes_once(rolled_up, cast, tree):
    export = made(rolled_up, cast.pc06, unit=tree.province)
    before = (export.sha256, export.finished_at)
    exports.make(export.pk)
    export.refresh_from_db()
    assert (export.sha256, export.finished_at) == before
    assert exports.waiting() == []


def test_a_broken_writer_says_so_and_leaves_no_half_file(rolled_up, cast, tree, monkeypatch):
    def break_down(sheet, path):
        path.write_text("half")
        raise OSError("no space left on device")

    monkeypatch.setitem(making.WRITERS, "csv", break_down)
    export = made(rolled_up, cast.pc06, unit=tree.province)
    assert export.status == Export.Status.FAILED
    assert list(exports.file_path(export).parent.iterdir()) == []


def test_a_list_longer_than_a_sheet_goes_on_in_the_next(rolled_up, cast, tree, monkeypatch):
    monkeypatch.setattr(writers, "SHEET_ROWS", 4)
    export = made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra, format="xlsx", state=State.ALL)
    book = CalamineWorkbook.from_path(str(exports.file_path(export)))
    assert book.sheet_names == ["Số liệu 1", "Số liệu 2", "Số liệu 3"]
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert [[row[0] for row in sheet[-size:]] for sheet, size in zip(sheets, (4, 4, 1), strict=True)] == [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        [9],
    ]
    assert {len(sheet[0][0]) > 10 for sheet in sheets} == {True}
    assert export.rows == 9


def test_a_list_that_grew_beyond_its_sheets_says_so(rolled_up, cast, tree, monkeypatch):
    monkeypatch.setattr(writers, "EXCEL_ROWS", 9)
    export = made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra, format="xlsx", state=State.ALL)
    assert export.status == Export.Status.FAILED
    assert export.failure.startswith("Danh sách tăng thêm")
    assert list(exports.file_path(export).parent.iterdir()) == []


def test_before_anything_was_rolled_up_the_rows_are_counted(round, homes, cast, tree):
    export = Export(owner=cast.officer, round=round, unit=tree.huong_tra, kind="forms", options={"state": "all"})
    assert forms.expected_rows(export) == 9


class TestStopping:
    @pytest.fixture
    def asked(self, rolled_up, cast, tree):
        return services.request_export(
            by=cast.officer,
            round=rolled_up,
            kind="forms",
            format="csv",
            unit=tree.huong_tra,
            state=State.ALL,
            reason="kiểm thử",
        )

    def test_one_that_waits_is_stopped_at_once(self, asked, cast, client):
        client.force_login(cast.officer)
        address = reverse("reports:export_cancel", args=[asked.pk])
        answer = client.post(address)
        assert answer.url == reverse("reports:export_detail", args=[asked.pk])
        asked.refresh_from_db()
        assert asked.status == Export.Status.CANCELLED
        assert "Đã dừng" in client.get(answer.url).content.decode()
        exports.make(asked.pk)
        asked.refresh_from_db()
        assert asked.status == Export.Status.CANCELLED
        assert exports.waiting() == []
        # pressed twice
        assert client.post(address).status_code == 302
        assert client.get(address).status_code == 405

    @pytest.mark.parametrize("format", ["csv", "xlsx"])
    def test_the_worker_stops_when_told_and_leaves_no_file(self, asked, format):
        Export.objects.update(format=format)
        exports.ask_to_stop(asked)
        exports.make(asked.pk)
        asked.refresh_from_db()
        assert asked.status == Export.Status.CANCELLED
        assert list(exports.file_path(asked).parent.iterdir()) == []
        assert CollectionForm.objects.exists()  # the connection is fit for the next

    def test_one_that_is_told_in_the_middle_stops_there(self, asked, monkeypatch):
        monkeypatch.setattr(forms, "TELL_EVERY", 3)
        monkeypatch.setattr(making, "TELL_SECONDS", 0)
        seen = []

        def told(count):
            seen.append(count)
            exports.ask_to_stop(asked) if count == 3 else None

        watched = making._Watch.told
        monkeypatch.setattr(making._Watch, "told", lambda watch, count: (told(count), watched(watch, count)))
        exports.make(asked.pk)
        asked.refresh_from_db()
        assert (asked.status, seen) == (Export.Status.CANCELLED, [3])
        assert CollectionForm.objects.exists()

    def test_a_finished_one_cannot_be_stopped(self, asked, cast, client):
        exports.make(asked.pk)
        client.force_login(cast.officer)
        answer = client.post(reverse("reports:export_cancel", args=[asked.pk]))
        assert answer.status_code == 409
        assert "không còn gì để dừng" in answer.content.decode()
        asked.refresh_from_db()
        assert asked.status == Export.Status.DONE

    def test_anothers_is_not_found(self, asked, cast, client):
        client.force_login(cast.stranger)
        assert client.post(reverse("reports:export_cancel", args=[asked.pk])).status_code == 404
        asked.refresh_from_db()
        assert asked.status == Export.Status.QUEUED


@pytest.mark.django_db(transaction=True)
def test_one_a_worker_holds_is_told_to_stop(rolled_up, cast, tree):
    export = services.request_export(by=cast.officer, round=rolled_up, kind="units", format="csv", unit=tree.huong_tra)
    worker = connection.copy()
    try:
        worker.set_autocommit(False)
        with worker.cursor() as cursor:
            cursor.execute("SELECT 1 FROM reports_export WHERE id = %s FOR UPDATE", [export.pk])
            services.cancel_export(export=export)
            export.refresh_from_db()
            assert export.status == Export.Status.QUEUED
    finally:
        worker.rollback()
        worker.close()
    exports.make(export.pk)
    export.refresh_from_db()
    assert export.status == Export.Status.CANCELLED


@pytest.mark.django_db(transaction=True)
def test_a_list_is_of_one_moment(rolled_up, homes, cast, tree, monkeypatch):
    """Read commune by commune, and yet what is recorded meanwhile is in none of them."""
    export = services.request_export(
        by=cast.pc06,
        round=rolled_up,
        kind="forms",
        format="csv",
        unit=tree.province,
        state=State.ALL,
        reason="kiểm thử",
    )
    places = forms._places

    def recorded_meanwhile(export):
        yield from places(export)

    def record_elsewhere():
        homes.hung_tri.forms.update(full_name="SAU ĐÓ")
        connection.close()

    def slow_places(export):
        found = list(recorded_meanwhile(export))
        thread = threading.Thread(target=record_elsewhere)
        thread.start()
        thread.join()
        yield from found

    monkeypatch.setattr(forms, "_places", slow_places)
    exports.make(export.pk)
    export.refresh_from_db()
    assert export.status == Export.Status.DONE
    assert "SAU ĐÓ" not in {row[4] for row in csv_rows(export)}
    assert homes.hung_tri.forms.filter(full_name="SAU ĐÓ").exists()


class TestPages:
    def ask(self, client, **fields):
        return client.post(reverse("reports:export_create"), {"format": "csv", **fields})

    def test_asked_for_made_and_downloaded(self, rolled_up, cast, tree, client):
        client.force_login(cast.pc06)
        answer = self.ask(client, kind="units", unit=tree.province.pk, sort="-rate")
        export = Export.objects.get()
        assert answer.url == reverse("reports:export_detail", args=[export.pk])
        assert 'http-equiv="refresh"' in client.get(answer.url).content.decode()
        assert client.get(reverse("reports:export_file", args=[export.pk])).status_code == 404
        exports.make(export.pk)
        assert 'http-equiv="refresh"' not in client.get(answer.url).content.decode()
        file = client.get(reverse("reports:export_file", args=[export.pk]))
        assert b"".join(file.streaming_content) == exports.file_path(export).read_bytes()
        assert "attachment" in file.headers["Content-Disposition"]
        assert "units-42-20200619-" in file.headers["Content-Disposition"]

    def test_progress_is_shown(self, rolled_up, cast, tree, client):
        client.force_login(cast.pc06)
        export = services.request_export(by=cast.pc06, round=rolled_up, kind="units", format="csv", unit=tree.province)
        cache.set(f"export-{export.pk}", (500, 2000, 0.5), 60)
        address = reverse("reports:export_detail", args=[export.pk])
        for answer in (client.get(address), client.get(address, headers={"HX-Request": "true"})):
            body = answer.content.decode()
            assert 'max="2000"' in body
            assert 'value="500"' in body
            assert "1.000 dòng/giây" in body
            assert "còn khoảng 2 giây" in body
        assert "<html" not in body
        exports.make(export.pk)
        assert "hx-trigger" not in client.get(address, headers={"HX-Request": "true"}).content.decode()

    @pytest.mark.parametrize(
        "fields",
        [
            {"kind": "everything"},
            {"kind": "units", "unit": 10**9},
            {"kind": "units", "unit": "x"},
            {"kind": "units"},
            {"kind": "units", "format": "exe"},
            {"kind": "forms", "state": "nowhere"},
        ],
    )
    def test_what_cannot_be_is_a_sentence(self, rolled_up, cast, tree, client, fields):
        client.force_login(cast.pc06)
        answer = self.ask(client, **{"unit": tree.province.pk if "state" in fields else ""} | fields)
        assert answer.status_code == 400
        assert not Export.objects.exists()

    def test_a_stranger_exports_nothing_of_another_commune(self, rolled_up, cast, tree, client):
        client.force_login(cast.stranger)
        assert self.ask(client, kind="forms", unit=tree.huong_tra.pk).status_code == 400
        client.force_login(cast.leader)
        assert self.ask(client, kind="forms", unit=tree.huong_tra.pk).status_code == 400
        assert self.ask(client, kind="units", unit=tree.huong_tra.pk).status_code == 302
        assert Export.objects.count() == 1

    def test_anothers_file_is_not_found(self, rolled_up, cast, tree, client):
        export = made(rolled_up, cast.pc06, unit=tree.province)
        client.force_login(cast.admin)
        assert client.get(reverse("reports:export_file", args=[export.pk])).status_code == 404

    def test_what_may_not_be_seen_today_may_not_be_fetched_today(self, rolled_up, cast, tree, client):
        export = made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra)
        client.force_login(cast.officer)
        address = reverse("reports:export_file", args=[export.pk])
        file = client.get(address)
        assert b"".join(file.streaming_content)
        cast.officer.postings.update(valid_to=clock.today())
        assert client.get(address).status_code == 404

    def test_files_are_cleared_after_their_days(self, rolled_up, cast, tree, client):
        export = made(rolled_up, cast.pc06, unit=tree.province)
        assert exports.clear_old() == 0
        Export.objects.update(finished_at=clock.now() - timedelta(days=exports.KEEP_DAYS, seconds=1))
        assert exports.clear_old() == 1
        assert not exports.file_path(export).exists()
        client.force_login(cast.pc06)
        assert client.get(reverse("reports:export_file", args=[export.pk])).status_code == 404
        assert "bảy ngày" in client.get(reverse("reports:export_detail", args=[export.pk])).content.decode()


def test_hamlets_have_no_plan_and_no_day_of_their_own(rolled_up, cast, tree):
    head, *lines, total = csv_rows(made(rolled_up, cast.officer, unit=tree.huong_tra))
    assert "Kế hoạch" not in head
    assert "Hôm nay" not in head
    assert [line[head.index("% đã thu thập")] for line in lines] == ["66.67", "0.00"]
    assert total[head.index("Đã thu thập")] == "9"


def test_an_export_of_somebody_who_lost_the_right_is_not_made(rolled_up, cast, tree):
    export = services.request_export(
        by=cast.officer, round=rolled_up, kind="forms", format="csv", unit=tree.huong_tra, reason="kiểm thử"
    )
    cast.officer.postings.update(valid_to=clock.today())
    exports.make(export.pk)
    export.refresh_from_db()
    assert export.status == Export.Status.FAILED


class TestOnceMore:
    """A file that failed, was stopped or was cleared away is asked for with one press."""

    def retry(self, client, export):
        return client.post(reverse("reports:export_retry", args=[export.pk]))

    @pytest.mark.parametrize("status", ["failed", "cancelled", "cleared"])
    def test_it_is_made_in_the_same_row(self, rolled_up, cast, tree, client, status):
        export = made(rolled_up, cast.pc06, unit=tree.province)
        exports.file_path(export).unlink()
        Export.objects.update(status=status, failure="x", tries=3, seen_at=clock.now(), fetched_at=clock.now())
        client.force_login(cast.pc06)
        address = reverse("reports:export_detail", args=[export.pk])
        assert reverse("reports:export_retry", args=[export.pk]) in client.get(address).content.decode()
        for _ in range(2):  # pressed twice
            assert self.retry(client, export).url == address
        again = Export.objects.get()
        assert (again.status, again.failure, again.tries, again.finished_at, again.seen_at, again.fetched_at) == (
            "queued", "", 0, None, None, None
        )  # fmt: skip
        exports.make(export.pk)
        again.refresh_from_db()
        assert (again.status, again.sha256) == (Export.Status.DONE, export.sha256)
        assert exports.file_path(again).exists()

    def test_one_that_was_stopped_while_it_was_made_is_not_stopped_again(self, rolled_up, cast, tree, client):
        export = services.request_export(by=cast.pc06, round=rolled_up, kind="units", format="csv", unit=tree.province)
        exports.ask_to_stop(export)
        exports.make(export.pk)
        client.force_login(cast.pc06)
        self.retry(client, export)
        exports.make(export.pk)
        export.refresh_from_db()
        assert export.status == Export.Status.DONE

    def test_a_file_of_persons_that_was_made_and_cleared_wants_a_reason_of_its_own(
        self, rolled_up, homes, cast, tree, client
    ):
        export = made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra)
        Export.objects.update(status="cleared")
        client.force_login(cast.officer)
        body = client.get(reverse("reports:export_detail", args=[export.pk])).content.decode()
        assert reverse("reports:export_retry", args=[export.pk]) not in body
        assert self.retry(client, export).status_code == 409
        Export.objects.update(status="failed")  # none of it was made: the reason holds
        assert self.retry(client, export).status_code == 302
        exports.make(export.pk)
        assert list(Disclosure.objects.values_list("act", "reason")) == [("made", "kiểm thử")] * 2

    def test_a_list_on_paper_that_became_several_files_is_a_list_on_paper_again(
        self, rolled_up, homes, cast, tree, client
    ):
        export = made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra, format="pdf", state=State.ALL)
        Export.objects.update(status="failed", format="zip")
        client.force_login(cast.officer)
        self.retry(client, export)
        exports.make(export.pk)
        export.refresh_from_db()
        assert (export.status, export.format, export.failure) == ("done", "pdf", "")

    def test_a_ready_one_is_not_made_again(self, rolled_up, cast, tree, client):
        export = made(rolled_up, cast.pc06, unit=tree.province)
        client.force_login(cast.pc06)
        answer = self.retry(client, export)
        assert answer.status_code == 409
        assert "không còn gì để tạo lại" in answer.content.decode()
        assert Export.objects.get().finished_at == export.finished_at
        assert client.get(reverse("reports:export_retry", args=[export.pk])).status_code == 405

    def test_nor_one_that_is_not_hers_to_ask_for_any_more(self, rolled_up, cast, tree, client):
        export = made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra)
        Export.objects.update(status="failed")
        cast.officer.postings.update(unit=tree.hung_tri)
        client.force_login(cast.officer)
        assert self.retry(client, export).status_code == 409
        assert Export.objects.get().status == Export.Status.FAILED

    def test_anothers_is_not_found(self, rolled_up, cast, tree, client):
        export = made(rolled_up, cast.pc06, unit=tree.province)
        Export.objects.update(status="failed")
        client.force_login(cast.admin)
        assert self.retry(client, export).status_code == 404


class TestDeaths:
    """A worker that dies takes its transaction along; that it had begun is known all the same."""

    @pytest.fixture
    def asked(self, rolled_up, cast, tree):
        return services.request_export(by=cast.pc06, round=rolled_up, kind="units", format="csv", unit=tree.province)

    def test_three_times_and_no_more(self, asked, client, cast):
        for tries in (1, 2, 3):
            assert making._begin(asked.pk)
            assert Export.objects.get().tries == tries
            assert exports.waiting() == [asked.pk]
        exports.make(asked.pk)
        asked.refresh_from_db()
        assert asked.status == Export.Status.FAILED
        assert exports.waiting() == []
        client.force_login(cast.pc06)
        body = client.get(reverse("reports:export_detail", args=[asked.pk])).content.decode()
        assert "Chương trình dừng giữa chừng 3 lần" in body
        client.post(reverse("reports:export_retry", args=[asked.pk]))
        exports.make(asked.pk)
        asked.refresh_from_db()
        assert (asked.status, asked.tries) == (Export.Status.DONE, 1)

    def test_making_it_in_one_go_is_one_try(self, asked):
        exports.make(asked.pk)
        exports.make(asked.pk)
        assert Export.objects.get().tries == 1

    def test_the_half_file_of_a_dead_one_is_in_nobodys_way(self, asked):
        half = exports.file_path(asked).with_suffix(".part")
        half.parent.mkdir(parents=True)
        half.write_text("half")
        exports.make(asked.pk)
        assert [path.name for path in half.parent.iterdir()] == [exports.file_path(asked).name]


@pytest.mark.django_db(transaction=True)
def test_a_second_worker_counts_no_try(rolled_up, cast, tree):
    export = services.request_export(by=cast.pc06, round=rolled_up, kind="units", format="csv", unit=tree.province)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [making.LOCK, export.pk])
            exports.make(export.pk)
            assert Export.objects.get().tries == 0
            cursor.execute("SELECT pg_advisory_unlock_all()")
    finally:
        other.close()
    exports.make(export.pk)
    assert Export.objects.get().tries == 1


class TestTelling:
    """The bell and the page of alerts tell of a finished file until its owner has opened it."""

    @pytest.fixture
    def done(self, rolled_up, cast, tree):
        return made(rolled_up, cast.pc06, unit=tree.province)

    def test_in_the_bell_and_on_its_page_until_it_is_opened(self, done, cast, client, django_assert_num_queries):
        client.force_login(cast.pc06)
        page = client.get(reverse("reports:alert_list"))
        assert list(page.context["files"]) == [done]
        address = reverse("reports:export_detail", args=[done.pk])
        assert address in page.content.decode()
        assert unread_of(cast.pc06) == 1
        with django_assert_num_queries(1):
            unread_of(cast.pc06)
        assert unread_of(cast.leader) == 0
        for _ in range(2):
            client.get(address)
        assert unread_of(cast.pc06) == 0
        assert not client.get(reverse("reports:alert_list")).context["files"]

    def test_fetching_is_seeing_and_is_known_from_the_first_time(self, done, cast, client):
        client.force_login(cast.pc06)
        address = reverse("reports:export_file", args=[done.pk])
        assert b"".join(client.get(address).streaming_content)
        first = Export.objects.get()
        assert first.seen_at == first.fetched_at
        assert b"".join(client.get(address).streaming_content)
        assert Export.objects.get().fetched_at == first.fetched_at
        assert unread_of(cast.pc06) == 0

    def test_whoever_watches_it_being_made_has_seen_it(self, rolled_up, cast, tree, client):
        export = services.request_export(by=cast.pc06, round=rolled_up, kind="units", format="csv", unit=tree.province)
        client.force_login(cast.pc06)
        address = reverse("reports:export_detail", args=[export.pk])
        client.get(address)
        assert Export.objects.get().seen_at is None
        exports.make(export.pk)
        assert unread_of(cast.pc06) == 1
        client.get(address, headers={"HX-Request": "true"})
        assert unread_of(cast.pc06) == 0

    def test_a_failed_one_is_told_a_stopped_one_is_not(self, done, cast):
        for status, told in (("failed", 1), ("cancelled", 0), ("cleared", 0), ("queued", 0)):
            Export.objects.update(status=status)
            assert unread_of(cast.pc06) == told

    def test_all_read_is_all_of_hers(self, done, cast, tree, rolled_up, client):
        other = made(rolled_up, cast.leader, unit=tree.province)
        client.force_login(cast.pc06)
        for _ in range(2):
            client.post(reverse("reports:alerts_read"))
        assert unread_of(cast.pc06) == 0
        assert list(Export.objects.to_tell()) == [other]

    def test_until_when_it_is_kept(self, done, cast, client):
        client.force_login(cast.pc06)
        body = client.get(reverse("reports:export_detail", args=[done.pk])).content.decode()
        assert "Giữ đến" in body
        assert "26/6/2020" in body
