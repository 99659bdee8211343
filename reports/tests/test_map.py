"""The map: what falls into which class, what the pages say and cost, and that map and table are one."""

import gzip
import json
import re
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from households.models import AdministrativeUnit
from households.permissions import scope_of
from households.tests.factories import Level, Type, make_household, make_officer, make_unit
from households.unit_import import import_units
from reports import map_drawing, outlines, rollups
from reports.forecast import Outlook, forecast
from reports.live import Live
from reports.map import (
    BEST,
    CLASSES,
    NO_DATA,
    WORST,
    Measure,
    Place,
    counted,
    faults_class,
    idle_class,
    in_class,
    rate_breaks,
    rate_class,
    slack_class,
    working_days,
    worst_of,
)
from reports.map_words import class_label, told
from reports.models import Tally
from reports.progress import Day, UnitRow
from reports.snapshots import Snapshot
from verification.models import Round
from verification.rules import CorrectionEntry
from verification.tests.factories import open_round, record

KEPT = 8  # statements of a map that was made since the last roll-up
DAY, STARTS_ON, ENDS_ON = date(2020, 6, 19), date(2020, 1, 1), date(2020, 6, 30)
ROUND = Round(starts_on=STARTS_ON, ends_on=ENDS_ON)

forms = st.integers(0, 5_000)
days = st.dates(STARTS_ON, DAY)
rows = st.builds(
    lambda plan, made, found, last: Place(
        UnitRow(
            AdministrativeUnit(name="Xã", level=3),
            Tally(round=ROUND, plan=plan, verified=sum(made.values())),
            DAY,
            [Day(*each) for each in sorted(made.items())],
        ),
        goal=Decimal(85),
        starts_on=STARTS_ON,
        found=found,
        last_entry=last,
    ),
    forms,
    st.dictionaries(days, st.integers(1, 200), max_size=30),
    forms,
    st.none() | days,
)


class TestClasses:
    @given(st.lists(rows, max_size=12), st.sampled_from(Measure))
    def test_every_unit_is_in_one_and_the_counts_add_up(self, places, measure):
        numbers = counted(places, measure)
        assert sum(numbers.values()) == len(places)
        assert {each: len(in_class(places, measure, each)) for each in (*CLASSES, NO_DATA)} == numbers
        assert in_class(places, measure, None) == places
        assert len(worst_of(places, measure)) == numbers[WORST]

    @given(rows, st.sampled_from(Measure))
    def test_each_can_be_told_in_words(self, place, measure):
        assert class_label(measure, place.class_by(measure), place.goal)
        assert told(place, measure)

    @given(st.lists(rows, max_size=12), st.sampled_from(Measure))
    def test_sorted_the_worst_class_comes_first(self, places, measure):
        in_order = sorted(places, key=lambda place: place.sort_value(measure), reverse=True)
        classes = [place.class_by(measure) or BEST + 1 for place in in_order]
        assert classes == sorted(classes)

    @given(st.decimals(1, 100, places=1).filter(lambda goal: goal < 100))
    def test_the_breaks_of_the_rate_rise_and_the_goal_is_one(self, goal):
        breaks = rate_breaks(goal)
        assert goal in breaks
        assert list(breaks) == sorted(set(breaks))
        assert 0 < breaks[0] <= breaks[-1] <= 100

    @pytest.mark.parametrize(
        ("rate", "expected"),
        [(None, 0), (0, 1), ("69.99", 1), (70, 2), (80, 3), ("84.99", 3), (85, 4), ("94.9", 4), (95, 5), (100, 5)],
    )
    def test_the_rate(self, rate, expected):
        assert rate_breaks(Decimal(85)) == (70, 80, 85, 95)
        assert rate_class(None if rate is None else Decimal(rate), Decimal(85)) == expected

    @pytest.mark.parametrize(
        ("outlook", "earliest", "middle", "latest", "expected"),
        [
            (Outlook.NOT_STARTED, None, None, None, 0),
            (Outlook.NO_PACE, None, None, None, 0),
            (Outlook.LATE, 1, 5, 9, 1),
            (Outlook.LATE, None, None, None, 1),
            (Outlook.TIGHT, -2, 1, 9, 2),
            (Outlook.TIGHT, -2, None, None, 2),
            (Outlook.TIGHT, -2, 0, 9, 3),
            (Outlook.ON_THE_WAY, -9, -5, 0, 4),
            (Outlook.ON_THE_WAY, -9, -8, -6, 4),
            (Outlook.ON_THE_WAY, -9, -8, -7, 5),
            (Outlook.FINISHED, -1, -1, -1, 5),
        ],
    )
    def test_days_to_spare(self, outlook, earliest, middle, latest, expected):
        ends = [None if each is None else ENDS_ON + timedelta(days=each) for each in (earliest, middle, latest)]
        least = None if ends[2] is None else (ENDS_ON - ends[2]).days
        told_of_it = SimpleNamespace(outlook=outlook, middle=ends[1], ends_on=ENDS_ON, least_slack=least)
        assert slack_class(told_of_it) == expected

    def test_late_is_what_the_forecast_calls_late(self):
        told_of_it = forecast(
            [(DAY - timedelta(days=ago), 1) for ago in range(30, 0, -1)],
            today=DAY, left=100, starts_on=STARTS_ON, ends_on=ENDS_ON,
        )  # fmt: skip
        assert told_of_it.outlook == Outlook.LATE
        assert slack_class(told_of_it) == WORST

    @pytest.mark.parametrize(("found", "expected"), [(None, 0), (0, 5), ("3.99", 5), (4, 4), (8, 3), (12, 2), (16, 1)])
    def test_faults_found(self, found, expected):
        assert faults_class(None if found is None else Decimal(found)) == expected

    @pytest.mark.parametrize(("idle", "expected"), [(0, 5), (1, 5), (2, 4), (3, 3), (4, 3), (5, 2), (9, 2), (10, 1)])
    def test_days_without_entries(self, idle, expected):
        assert idle_class(idle, is_finished=False) == expected
        assert idle_class(idle, is_finished=True) == BEST

    @pytest.mark.parametrize(
        ("after", "until", "expected"),
        [
            (date(2020, 6, 19), date(2020, 6, 19), 0),
            (date(2020, 6, 18), date(2020, 6, 19), 1),
            (date(2020, 6, 12), date(2020, 6, 15), 1),  # Friday to Monday
            (date(2020, 4, 29), date(2020, 5, 4), 1),  # over 30/4 and 1/5
            (date(2020, 6, 19), date(2020, 6, 1), 0),
        ],
    )
    def test_working_days(self, after, until, expected):
        assert working_days(after, until) == expected

    def test_without_any_entry_it_is_counted_from_the_first_day(self):
        row = UnitRow(AdministrativeUnit(name="Xã", level=3), Tally(round=ROUND, plan=10), DAY)
        place = Place(row, Decimal(85), starts_on=date(2020, 6, 15))
        assert place.idle == 5
        assert "chưa nhập lần nào" in told(place, Measure.IDLE)


class TestOutlines:
    def test_each_commune_and_district_of_2020_has_one(self, db):
        import_units()
        on = outlines.packaged()
        units = AdministrativeUnit.objects.valid_on(on.day).filter(level__in=(2, 3))
        assert units.filter(level=3).count() == 216
        assert units.filter(level=2).count() == 13
        assert [unit for unit in units if on.of(unit) is None] == []
        assert len(on.of_code) == 229

    def test_none_of_a_unit_that_bore_the_code_before_or_later(self):
        on = outlines.packaged()
        assert on.of(AdministrativeUnit(code="18077"))
        assert on.of(AdministrativeUnit(code="18077", valid_to=date(2020, 1, 1))) is None
        assert on.of(AdministrativeUnit(code="18077", valid_from=date(2025, 7, 1))) is None
        assert on.of(AdministrativeUnit(code="99999")) is None

    def test_a_border_is_one_line_for_both_sides(self):
        """Every edge of a commune is that of one neighbour at most, and every edge of a district is one of a commune."""
        on = outlines.packaged()
        edges: dict[frozenset, int] = {}
        for code, outline in on.of_code.items():
            if len(code) == 5:
                for edge in edges_of(outline.path):
                    edges[edge] = edges.get(edge, 0) + 1
        assert set(edges.values()) == {1, 2}
        shared = sum(number == 2 for number in edges.values()) / len(edges)
        assert shared > 0.8
        districts = {edge for code, outline in on.of_code.items() if len(code) == 3 for edge in edges_of(outline.path)}
        assert districts <= set(edges)

    def test_a_district_drawn_fills_the_sheet(self):
        on = outlines.packaged()
        unit = AdministrativeUnit(code="444", name="Hương Khê", type=Type.RURAL_DISTRICT, level=2)
        row = UnitRow(unit, Tally(round=ROUND, plan=10), DAY)
        drawing = map_drawing.draw([Place(row, Decimal(85), STARTS_ON)], on, Measure.RATE, named=[unit])
        assert drawing.height == map_drawing.HIGHEST or drawing.width == map_drawing.WIDEST
        assert [label.text for label in drawing.labels] == ["H. Hương Khê"]
        assert map_drawing.draw([], on, Measure.RATE) is None

    @given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 100)), max_size=15))
    def test_names_do_not_cover_each_other(self, points):
        labels = map_drawing.apart([map_drawing.Label(x, y, "H. Hương Khê") for x, y in points])
        assert len(labels) == len(points)
        for number, one in enumerate(labels):
            for other in labels[:number]:
                assert abs(one.y - other.y) >= map_drawing.LINE or abs(one.x - other.x) >= 12 * map_drawing.LETTER


def edges_of(path: str):
    for ring in re.findall(r"M[^z]*z", path):
        start, steps = ring[1:-1].split("l")
        x, y = map(int, start.split())
        points = [(x, y)]
        numbers = [int(number) for number in re.findall(r"-?\d+", steps)]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            points.append((x, y))
        for one, other in zip(points, [*points[1:], points[0]], strict=True):
            yield frozenset((one, other))


@pytest.fixture
def mapped(round, homes, cast):
    """Four of eleven in Hương Khê, none in Kỳ Anh; a fault found."""
    record(homes.two, cast.officer, "corrected", corrections=(CorrectionEntry("birth_date", "12/3/1956", "archive"),))
    record(homes.phu_gia, cast.member)
    rollups.roll_up()
    return round


def address(unit) -> str:
    return reverse("reports:unit_map", args=[unit.pk])


def said_on_the_map(page: str) -> dict[int, str]:
    return {int(pk): label for label, pk in re.findall(r'aria-label="([^"]*)" data-unit="(\d+)"', page)}


def lines_of(page: str) -> dict[int, str]:
    lines = re.findall(r'(?s)<tr data-unit="(\d+)">(.*?)</tr>', page)
    return {int(pk): re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", line)) for pk, line in lines}


class TestPage:
    @pytest.mark.parametrize("by", Measure.values)
    @pytest.mark.parametrize("language", ["vi", "en"])
    def test_works_by_each_figure(self, mapped, client, cast, tree, by, language):
        client.force_login(cast.pc06)
        client.cookies["django_language"] = language
        for unit, more in ((tree.province, {}), (tree.province, {"units": "districts"}), (tree.huong_khe, {})):
            answer = client.get(address(unit), {"by": by, **more})
            page = answer.content.decode()
            assert answer.status_code == 200
            assert set(said_on_the_map(page)) == set(lines_of(page)) != set()
            assert "%(" not in page

    def test_by_faults_says_its_base(self, mapped, client, cast, tree):
        client.force_login(cast.pc06)
        page = client.get(address(tree.huong_khe), {"by": "faults"}).content.decode()
        assert said_on_the_map(page)[tree.huong_tra.pk] == (
            "Xã Hương Trà: phát hiện 100,00 lỗi trên 100 phiếu đã phúc tra: 2 lỗi trên 2 phiếu"
        )

    def test_figures_on_the_map_are_those_of_the_table_and_of_the_units_page(self, mapped, client, cast, tree):
        client.force_login(cast.pc06)
        page = client.get(address(tree.province)).content.decode()
        on_the_map, beside = said_on_the_map(page), lines_of(page)
        of_units = {row.owner.pk: row.tally for row in Live(mapped).communes_under(tree.province)}
        assert set(of_units) == set(on_the_map)
        for pk, tally in of_units.items():
            assert f"{tally.verified}/{tally.base} phiếu" in on_the_map[pk]
            rate = re.search(r"[\d,]+(?=%)", on_the_map[pk]).group()
            assert f" {rate} " in beside[pk]
            assert re.search(rf"\b{tally.verified}\b.*\b{tally.base}\b", beside[pk])

    def test_the_counts_of_the_legend_add_up(self, mapped, client, cast, tree):
        client.force_login(cast.pc06)
        for by in Measure.values:
            page = client.get(address(tree.province), {"by": by}).content.decode()
            legend = re.search(r'(?s)<ul class="map-legend".*?</ul>', page).group()
            assert sum(map(int, re.findall(r"<b>(\d+)</b>", legend))) == 3

    def test_a_class_leaves_its_units(self, mapped, client, cast, tree):
        client.force_login(cast.pc06)
        rest = client.get(address(tree.province), {"class": 1}).content.decode()
        whole = client.get(address(tree.province)).content.decode()
        assert whole.count('fill="url(#hatch)" d=') == len(lines_of(rest)) == 2
        assert set(said_on_the_map(rest)) == set(lines_of(rest))
        assert rest.count('class="out"') == 1
        assert "class=1" not in re.search(r'class="all" href="([^"]*)"', rest).group(1)

    @pytest.mark.parametrize(
        ("sort", "first"), [("-figure", "Hưng Trí"), ("figure", "Phú Gia"), ("password", "Hương Trà")]
    )
    def test_sorted(self, mapped, client, cast, tree, sort, first):
        client.force_login(cast.pc06)
        page = client.get(address(tree.province), {"sort": sort}).content.decode()
        assert first in next(iter(lines_of(page).values()))

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            ({"by": "religion"}, "Không có bản đồ theo “religion”"),
            ({"class": "9"}, "Không có nhóm “9”"),
            ({"class": "x<b>"}, "Không có nhóm “x&lt;b&gt;”"),
            ({"units": "hamlets"}, "Không có bản đồ của “hamlets”"),
            ({"as_of": "hôm kia"}, "hôm kia"),
        ],
    )
    def test_what_there_is_not_is_said(self, mapped, client, cast, tree, asked, sentence):
        client.force_login(cast.pc06)
        answer = client.get(address(tree.province), asked)
        assert answer.status_code == 400
        assert sentence in answer.content.decode()

    def test_a_stranger_finds_none(self, mapped, client, cast, tree):
        client.force_login(cast.stranger)
        for unit in (tree.province, tree.huong_khe, tree.huong_tra, tree.country):
            assert client.get(address(unit)).status_code == 404
        assert client.get(reverse("reports:map")).status_code == 404
        assert client.post(address(tree.province)).status_code == 405

    def test_a_districts_officer_sees_hers_and_no_other(self, mapped, client, cast, tree):
        client.force_login(cast.supervisor)
        assert client.get(reverse("reports:map"), {"by": "idle"}).url == f"{address(tree.huong_khe)}?by=idle"
        assert client.get(address(tree.huong_khe)).status_code == 200
        assert client.get(address(tree.ky_anh)).status_code == 404
        assert client.get(address(tree.province)).status_code == 404

    def test_a_leader_sees_it(self, mapped, client, cast, tree):
        client.force_login(cast.leader)
        assert client.get(reverse("reports:map")).url == address(tree.province)
        assert client.get(address(tree.province)).status_code == 200

    def test_a_commune_or_hamlet_stands_on_its_districts_map(self, mapped, client, cast, tree):
        client.force_login(cast.supervisor)
        for unit in (tree.huong_tra, tree.dong):
            assert client.get(address(unit)).url == address(tree.huong_khe)
        client.force_login(cast.officer)  # who may see her commune's figures, not her district's
        assert client.get(address(tree.huong_tra)).status_code == 404

    def test_the_whole_country_has_none(self, mapped, client, tree):
        client.force_login(make_officer("leader", tree.country, "minister"))
        assert client.get(address(tree.country)).status_code == 404
        assert client.get(address(tree.province)).status_code == 200

    def test_before_any_round(self, client, cast, tree):
        client.force_login(cast.pc06)
        assert client.get(address(tree.province)).status_code == 404

    def test_a_unit_without_outline_is_said_and_stands_in_the_table(self, mapped, client, cast, tree):
        new = make_unit(tree.huong_khe, "Mới", Type.RURAL_COMMUNE, Level.COMMUNE, code="99999")
        client.force_login(cast.pc06)
        page = client.get(address(tree.huong_khe)).content.decode()
        assert new.pk in lines_of(page)
        assert new.pk not in said_on_the_map(page)
        assert re.search(r"1 đơn vị chưa có ranh giới[^<]*Xã Mới", page)

    def test_where_no_unit_has_an_outline(self, round, client, cast, tree):
        AdministrativeUnit.objects.filter(level=3).update(valid_from=date(2020, 6, 2))
        client.force_login(cast.pc06)
        answer = client.get(address(tree.huong_khe))
        assert "không vẽ được" in answer.content.decode()
        assert '<svg class="map"' not in answer.content.decode()
        assert len(lines_of(answer.content.decode())) == 2
        assert client.get(reverse("reports:unit_detail", args=[tree.huong_khe.pk])).status_code == 200

    def test_costs_the_same_with_few_units_and_with_many(self, mapped, client, cast, tree, django_assert_num_queries):
        client.force_login(cast.pc06)
        for number in range(8):
            unit = make_unit(tree.huong_khe, f"Mới {number}", Type.RURAL_COMMUNE, Level.COMMUNE)
            assert scope_of(cast.pc06).figures_cover(unit)
        made = {"rate": 2, "slack": 3, "faults": 3, "idle": 3}
        for by, more in made.items():
            client.get(address(tree.province), {"by": by})
            with django_assert_num_queries(KEPT):
                client.get(address(tree.province), {"by": by})
            caches["pages"].clear()
            with django_assert_num_queries(KEPT + more):
                client.get(address(tree.province), {"by": by})

    def test_shows_the_next_roll_up_at_once(self, mapped, client, cast, homes, tree):
        client.force_login(cast.pc06)
        client.get(address(tree.province))
        record(homes.four, cast.officer)
        rollups.roll_up()
        assert "6/9 phiếu" in said_on_the_map(client.get(address(tree.province)).content.decode())[tree.huong_tra.pk]

    def test_another_day_keeps_what_was_chosen(self, mapped, client, cast, tree):
        client.force_login(cast.pc06)
        page = client.get(address(tree.province), {"by": "faults", "units": "districts"}).content.decode()
        form = re.search(r'(?s)<form class="cut-off.*?</form>', page).group()
        assert dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', form)) == {
            "by": "faults",
            "units": "districts",
        }

    def test_a_small_one_leads_to_it_from_the_figures(self, mapped, client, cast, tree):
        client.force_login(cast.pc06)
        for unit, shapes in ((tree.province, 2), (tree.huong_khe, 2), (tree.huong_tra, 0)):
            page = client.get(reverse("reports:unit_figures", args=[unit.pk])).content.decode()
            small = re.search(r'(?s)<figure class="map-small".*?</figure>', page)
            assert bool(small) == bool(shapes)
            if small:
                assert f'href="{address(unit)}"' in small.group()
                legend = re.search(r'(?s)<ul class="map-legend".*', small.group()).group()
                assert sum(map(int, re.findall(r"<b>(\d+)</b>", legend))) == shapes


def test_of_the_past_as_it_was_known_then(homes, cast, tree, client, settings, request, live_on):
    settings.CENSUS_VERIFY_TODAY = DAY - timedelta(days=9)
    round = request.getfixturevalue("round")
    live_on(DAY - timedelta(days=3))
    record(homes.two, cast.officer, "corrected", corrections=(CorrectionEntry("birth_date", "12/3/1956", "archive"),))
    record(homes.phu_gia, cast.member, "not_met", reason="vắng", next_visit_on=date(2020, 6, 25))
    rollups.roll_up()
    live = Live(round)
    rows = live.children_of(tree.huong_khe)
    before = live.found_in(rows), live.last_entries_of(rows)
    assert before[0] == {tree.huong_tra.pk: 2}
    assert before[1] == {tree.huong_tra.pk: DAY - timedelta(days=3), tree.phu_gia.pk: DAY - timedelta(days=3)}
    live_on(DAY)
    record(homes.four, cast.officer)
    rollups.roll_up()
    snapshot = Snapshot(round, DAY - timedelta(days=3))
    assert (snapshot.found_in(rows), snapshot.last_entries_of(rows)) == before
    assert Live(round).last_entries_of(rows)[tree.huong_tra.pk] == DAY
    client.force_login(cast.pc06)
    answer = client.get(address(tree.huong_khe), {"as_of": "16/6/2020", "by": "idle"})
    page = answer.content.decode()
    assert "0 ngày làm việc không nhập, lần nhập cuối 16/6/2020" in said_on_the_map(page)[tree.huong_tra.pk]
    assert f"{reverse('reports:unit_detail', args=[tree.huong_tra.pk])}?as_of=2020-06-16" in page
    assert "as_of=2020-06-16&amp;by=slack" in page, "another figure of the same day"


def test_the_whole_province_on_the_wire(client, db):
    """216 communes with their figures, each with its outline: under 200 kB as it is sent."""
    import_units()
    province = AdministrativeUnit.objects.get(level=1, code="42")
    pc06 = make_officer("pc06_officer", province, "pc06")
    communes = AdministrativeUnit.objects.filter(level=3, valid_to=None).in_order()
    for commune in communes[:5]:
        hamlet = make_unit(commune, "Đông", Type.VILLAGE, Level.HAMLET, code=f"{commune.code}-01")
        make_household(hamlet, people=3)
    open_round(province, pc06)
    rollups.roll_up()
    client.force_login(pc06)
    for by in Measure.values:
        for more in ({}, {"units": "districts"}):
            answer = client.get(address(province), {"by": by, **more}, headers={"accept-encoding": "gzip"})
            assert answer.headers["Content-Encoding"] == "gzip"
            assert len(answer.content) < 200_000, by
            page = gzip.decompress(answer.content).decode()
            assert len(said_on_the_map(page)) == len(lines_of(page)) == (13 if more else 216)
            assert "chưa có ranh giới" not in page


def test_outlines_made_from_polygons(tmp_path):
    """Two communes side by side of one district, a third of another: shared borders stay shared, lesser bends go."""

    def square(code, parent, west, points_between=()):
        ring = [[west, 18.0], [west + 1, 18.0], *points_between, [west + 1, 19.0], [west, 19.0], [west, 18.0]]
        return {
            "type": "Feature",
            "properties": {"code": code, "parent_code": parent},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }

    bend = [1 + 1e-5, 18.5]
    second = square("18003", "437", 1.0)
    second["geometry"]["coordinates"][0].insert(4, bend)
    features = [square("18001", "436", -1.0), square("18002", "436", 0.0, [bend]), second]
    polygons, made = tmp_path / "communes.geojson", tmp_path / "outlines.json"
    polygons.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    call_command("make_outlines", polygons, out=made, stdout=StringIO())
    on = outlines.read(made)
    assert set(on.of_code) == {"436", "437", "18001", "18002", "18003"}
    west, middle, east = (set(edges_of(on.of_code[code].path)) for code in ("18001", "18002", "18003"))
    assert len(west & middle) == len(middle & east) == 1
    assert set(edges_of(on.of_code["436"].path)) == west ^ middle
    assert set(edges_of(on.of_code["437"].path)) == east
    assert outlines.around(on.of_code.values()).width == 4000
    features[1]["geometry"]["coordinates"][0][1][0] = 1.2  # now it overlaps
    polygons.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    with pytest.raises(CommandError, match="do not fit"):
        call_command("make_outlines", polygons, out=made)
