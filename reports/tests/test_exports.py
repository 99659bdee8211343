"""Files of tables: their figures are the page's, their cells are safe, they are never half."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from python_calamine import CalamineWorkbook

from census_verify import clock
from households.tests.factories import make_form
from reports import exports, progress, rollups, services
from reports.models import Export
from verification.records import State
from verification.tests.factories import record


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"


@pytest.fixture
def rolled_up(round, homes, cast):
    record(homes.four, cast.officer)
    rollups.roll_up()
    return round


def made(round, by, **wanted) -> Export:
    defaults = {"kind": "units", "format": "csv", "unit": None}
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
    shown = progress.children_of(rolled_up, tree.province)
    assert [line[1] for line in lines] == [row.owner.full_name for row in shown]
    verified, left = head.index("Lũy kế"), head.index("Còn lại")
    assert [int(line[verified]) for line in lines] == [row.tally.verified for row in shown]
    province = progress.of_unit(rolled_up, tree.province)
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
    rollups.roll_up()
    tally = progress.of_unit(rolled_up, tree.huong_tra).tally
    expected = {
        State.ALL: tally.collected,
        State.OPEN: tally.in_scope - tally.verified,
        State.LEFT: tally.left,
        State.NOT_MET: tally.not_met,
        State.PENDING: tally.pending,
        State.RETURNED: tally.returned,
        State.VERIFIED: tally.verified,
        State.REFUSED: tally.collected - tally.qualified,
    }[state]
    export = made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra, state=state)
    assert export.rows == len(csv_rows(export)) - 1 == expected


@pytest.mark.parametrize("name", ["=1+1", "+49", "-2", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_starts_a_formula(rolled_up, homes, cast, tree, name):
    homes.two.forms.filter(line=1).update(full_name=name)
    body = csv_rows(made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra))
    assert "'" + name in {row[4] for row in body}
    cells = xlsx_rows(made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra, format="xlsx"))
    assert name.strip() in {str(row[4]).strip() for row in cells if len(row) > 4}


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

    monkeypatch.setitem(exports.WRITERS, "csv", break_down)
    export = made(rolled_up, cast.pc06, unit=tree.province)
    assert export.status == Export.Status.FAILED
    assert list(exports.file_path(export).parent.iterdir()) == []


def test_a_list_longer_than_a_sheet_is_refused_in_words(rolled_up, cast, tree, monkeypatch):
    monkeypatch.setattr(exports, "SHEET_ROWS", 3)
    export = made(rolled_up, cast.officer, kind="forms", unit=tree.huong_tra, format="xlsx")
    assert export.status == Export.Status.FAILED
    assert "CSV" in export.failure


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
        cache.set(f"export-{export.pk}", (500, 2000), 60)
        body = client.get(reverse("reports:export_detail", args=[export.pk])).content.decode()
        assert 'max="2000"' in body
        assert 'value="500"' in body

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
    export = services.request_export(by=cast.officer, round=rolled_up, kind="forms", format="csv", unit=tree.huong_tra)
    cast.officer.postings.update(valid_to=clock.today())
    exports.make(export.pk)
    export.refresh_from_db()
    assert export.status == Export.Status.FAILED
