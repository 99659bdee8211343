from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from verification.models import Plan, Round
from verification.tests.factories import make_round

LINES = "code,population\n18526,100\n18547,50\n18754,70\n"


@pytest.fixture
def planned(homes, cast, tree):
    return make_round(tree.province)


def open_it(round, path, text, by="pc06") -> str:
    path.write_text(text, "utf-8")
    output = StringIO()
    call_command("open_round", str(round.pk), str(path), "--by", by, stdout=output)
    return output.getvalue()


def test_opened_with_the_populations_of_a_file(planned, tmp_path):
    assert "3 communes, 14 forms" in open_it(planned, tmp_path / "p.csv", LINES)
    assert sorted(Plan.objects.values_list("population", "forms")) == [(50, 2), (70, 3), (100, 9)]


@pytest.mark.parametrize(
    ("text", "by", "said"),
    [
        (LINES.replace("50", "many"), "pc06", "line 3"),
        (LINES.replace("18754", "99999"), "pc06", "line 4"),
        ("code,population\n18526,100\n", "pc06", "Phú Gia"),
        (LINES, "officer", "PC06"),
        (LINES, "nobody", "no officer"),
        ("a,b\n1,2\n", "pc06", "line 2"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_opens(planned, tmp_path, text, by, said):
    with pytest.raises(CommandError, match=said):
        open_it(planned, tmp_path / "p.csv", text, by)
    planned.refresh_from_db()
    assert planned.status == Round.Status.PLANNED
    assert not Plan.objects.exists()


def test_no_such_file_no_such_round(planned, tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("open_round", str(planned.pk), str(tmp_path / "none.csv"), "--by", "pc06")
    with pytest.raises(CommandError, match="no round"):
        call_command("open_round", "0", str(tmp_path / "none.csv"), "--by", "pc06")
