"""A report tells the alerts of its cut-off: those that the bell told on that day, and the same ones ever after."""

from datetime import date, timedelta

import pytest

from households.models import AdministrativeUnit
from reports.alerts import making
from reports.demo.seed import seed
from reports.models import Alert
from reports.official import contents, reading
from reports.official.letter import Signs
from reports.official.periods import Kind, period_ending
from verification.models import Round
from verification.tests.factories import record

DAY = date(2020, 6, 19)


def read(round, unit, day) -> reading.Reading:
    return reading.read(round, unit, period_ending(Kind.DAY, day, starts_on=round.starts_on), with_officers=False)


def told_by(found: reading.Reading) -> set[tuple]:
    return {(unit.pk, finding.kind.value, finding.since, finding.facts.get("days")) for unit, finding in found.alerts}


def difficulties(round, unit, day) -> str:
    period = period_ending(Kind.DAY, day, starts_on=round.starts_on)
    report = contents.report_of(round, unit, period, dated_on=DAY + timedelta(days=20), signs=Signs.HEAD)
    return " ".join(line for section in report.sections for line in section.paragraphs)


def test_they_are_those_of_the_bell(db, settings):
    """The bell judges the days that are over: on the morning after the cut-off it tells what the report does."""
    seed(share=0.002, random_seed=7)
    round, province = Round.objects.current(), AdministrativeUnit.objects.get(level=1)
    making.make_alerts()
    kept = Alert.objects.open().filter(reach__lte=province.level, round=round).exclude(kind="returned")
    expected = {(alert.unit_id, alert.kind, alert.since, alert.facts.get("days")) for alert in kept}
    assert told_by(read(round, province, DAY - timedelta(days=1))) == expected
    assert {kind for _unit, kind, *_ in expected} >= {"behind"}


@pytest.fixture
def quiet_province(request, homes, cast, tree, settings, live_on):
    settings.CENSUS_VERIFY_TODAY = DAY - timedelta(days=9)
    round = request.getfixturevalue("round")
    live_on(DAY)
    record(homes.four, cast.officer)
    live_on(DAY + timedelta(days=11))
    return round


def test_the_sentences_name_the_communes(quiet_province, tree):
    until = DAY + timedelta(days=10)
    told = difficulties(quiet_province, tree.province, until)
    assert "Không có kết quả nào trong ba ngày làm việc trở lên: 3 xã, phường, thị trấn" in told
    assert "Dưới mức mỗi ngày cần đạt" in told
    own = difficulties(quiet_province, tree.huong_tra, until)
    assert "1 xã, phường, thị trấn" in own
    assert "xã Phú Gia" not in own


def test_what_comes_later_changes_nothing(quiet_province, homes, cast, tree, live_on):
    until = DAY + timedelta(days=10)
    before = difficulties(quiet_province, tree.province, until)
    for home in (homes.two, homes.three):
        record(home, cast.officer)
    live_on(DAY + timedelta(days=12))
    assert difficulties(quiet_province, tree.province, until) == before
    assert "trở lên: 3 xã, phường, thị trấn" not in difficulties(
        quiet_province, tree.province, DAY + timedelta(days=11)
    )
