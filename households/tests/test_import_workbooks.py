"""A workbook is written out as text once; whoever comes later reads that."""

import os
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from households.imports import workbooks, xlsx_rows
from households.imports.problems import FileRefused
from households.tests.hostile_files import GOOD_WORKBOOK, HEAD, PEOPLE, workbook


@pytest.fixture
def kept(tmp_path) -> Path:
    path = tmp_path / "kept"
    path.write_bytes(workbook({"A": [HEAD, *PEOPLE], "B": [HEAD, *PEOPLE[:2]]}))
    return path


@pytest.fixture
def runs(monkeypatch) -> list[Path]:
    """The workbooks that were read by calamine."""
    found, run = [], workbooks._run
    monkeypatch.setattr(workbooks, "_run", lambda path, folder: found.append(path) or run(path, folder))
    return found


def test_it_is_written_out_once(kept, runs):
    sheets = workbooks.sheets_of(kept)
    assert workbooks.sheets_of(kept) == sheets
    assert [(sheet.name, sheet.rows) for sheet in sheets] == [("A", 6), ("B", 3)]
    assert sheets[1].text.read_text() == "".join("\t".join(row) + "\n" for row in [HEAD, *PEOPLE[:2]])
    assert runs == [kept]


def test_another_file_of_the_same_name_is_written_out_anew(kept, runs):
    workbooks.sheets_of(kept)
    kept.write_bytes(GOOD_WORKBOOK)
    os.utime(kept, ns=(1, 1))
    assert [sheet.name for sheet in workbooks.sheets_of(kept)] == ["Xã A"]
    assert len(runs) == 2


def test_what_was_written_out_goes_where_the_file_goes(kept, runs, tmp_path):
    workbooks.sheets_of(kept)
    moved = tmp_path / "1"
    workbooks.move(kept, moved)
    assert len(workbooks.sheets_of(moved)) == 2
    assert len(runs) == 1
    workbooks.forget(moved)
    assert list(tmp_path.iterdir()) == [moved]
    workbooks.sheets_of(moved)
    workbooks.remove(moved)
    assert list(tmp_path.iterdir()) == []


def test_a_refused_workbook_leaves_nothing(kept, tmp_path):
    kept.write_bytes(GOOD_WORKBOOK[:-900])
    with pytest.raises(FileRefused):
        workbooks.sheets_of(kept)
    assert list(tmp_path.iterdir()) == [kept]


def test_more_text_than_we_take_is_refused_while_it_is_written(kept, tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx_rows, "TEXT_CHARACTERS", 600)
    with pytest.raises(xlsx_rows.Refused, match="xlsx_too_big"):
        xlsx_rows.write_out(CalamineWorkbook.from_path(str(kept)), str(tmp_path), {})
