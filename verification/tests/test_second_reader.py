"""A long file read by two processes comes to the same as read by one."""

import csv
import subprocess
from io import BytesIO

import pytest
from django.db import connection

from households.imports import second_reader, stages
from households.models import CollectionForm, Import, SuspectedFault
from households.tests.hostile_files import workbook
from verification import imports

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = "Mã vạch;Ngày thu thập;Mã xã;Thôn, tổ dân phố;Số sổ hộ khẩu;Họ và tên;Ngày sinh;Giới tính;Quan hệ với chủ hộ"


def workbook_of(lines: list[str]) -> bytes:
    """The lines as a workbook of two sheets; the household at the end of the first goes on in the second."""
    head, *rows = csv.reader(lines, delimiter=";")
    half = len(rows) // 2
    return workbook({"A": [head, *rows[:half]], "B": [["DANH SÁCH"], head, *rows[half:]]})


def file_of(households: int) -> bytes:
    return "\n".join(lines_of(households)).encode("utf-8-sig")


def lines_of(households: int) -> list[str]:
    """Households of three; some rows that cannot be read, a hamlet nobody knows, a number of wrong length. Synthetic people."""
    lines = [HEAD]
    for n in range(households * 3):
        relation, day = ("Chủ hộ" if n % 3 == 0 else "Con"), ("31/2/1980" if n % 50 == 7 else "17/5/1980")
        hamlet = "thôn Mới Lập" if n > households * 2 else "thôn Đông"
        lines.append(f"R{n:07d};15/9/2018;18526;{hamlet};B{n // 3:05d};NGUYỄN VĂN THỬ;{day};Nam;{relation}")
    lines.append('R9999999;15/9/2018;18526;"thôn ""Đông""";B1;TRẦN THỊ\tMẪU;1990;Nữ;Vợ')
    return lines


@pytest.fixture
def folder(settings, tmp_path):
    settings.IMPORT_DIR = tmp_path / "imports"


@pytest.fixture
def checked(folder, tree, cast, monkeypatch):
    def checked(data: bytes, *, by_two: bool, name: str = "phieu.csv") -> Import:
        monkeypatch.setattr(second_reader, "LONG_ENOUGH", 0 if by_two else 2**40)
        monkeypatch.setattr(second_reader.os, "cpu_count", lambda: 2)
        monkeypatch.setattr(second_reader, "BLOCK", 100)
        fields = imports.KINDS["forms"].fields
        job = stages.receive(
            kind="forms", source=BytesIO(data), name=name, area=tree.province, by=cast.admin, fields=fields,
            again=True,
        )  # fmt: skip
        layout = stages.files.Layout.from_json(job.layout)
        stages.confirm_columns(job, columns=job.columns, layout=layout, file_headings=job.headings, collected_on=None)
        return imports.check(job.pk)

    return checked


def staged(job: Import) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT source_row, is_doubtful, barcode, full_name, birth_year FROM {job.staging_table} ORDER BY 1"
        )
        return cursor.fetchall()


def problems(job: Import) -> list[tuple]:
    return list(job.problems.order_by("row", "code").values_list("row", "column", "value", "code", "is_refusal"))


@pytest.mark.parametrize("name", ["phieu.csv", "phieu.xlsx"])
def test_two_read_what_one_reads(checked, name):
    data = file_of(400) if name.endswith("csv") else workbook_of(lines_of(400))
    one, two = checked(data, by_two=False, name=name), checked(data, by_two=True, name=name)
    assert one.status == two.status == Import.Status.CHECKED
    assert (one.rows, one.refused) == (two.rows, two.refused) == (1201, 24)
    assert one.doubtful == two.doubtful == 2, "a hamlet that both readers meet is told of once"
    assert staged(one) == staged(two)
    assert problems(one) == problems(two)
    assert one.changes == two.changes


def test_households_at_the_edge_of_a_block_are_one_after_loading(checked):
    job = checked(file_of(400), by_two=True)
    imports.load(stages.confirm(job, existing="skip").pk)
    assert CollectionForm.objects.filter(barcode__startswith="R0").count() == 1200 - 24
    homes = CollectionForm.objects.filter(barcode__startswith="R0").values("household").distinct().count()
    assert homes == 400
    heads = SuspectedFault.objects.filter(fault="L17", field="relation", form__barcode__startswith="R0").count()
    lost_heads = sum(n % 50 == 7 and n % 3 == 0 for n in range(1200))
    assert heads == lost_heads, "only households whose head's row was refused are without one"


def test_the_second_process_dies(checked, monkeypatch):
    ends = subprocess.Popen

    def killed(*args, **options):
        process = ends(*args, **options)
        process.kill()
        return process

    monkeypatch.setattr(second_reader.subprocess, "Popen", killed)
    job = checked(file_of(400), by_two=True)
    assert job.status == Import.Status.FAILED
    monkeypatch.setattr(second_reader.subprocess, "Popen", ends)
    assert imports.check(stages.check_again(job).pk).status == Import.Status.CHECKED


def test_a_file_cut_off_in_the_other_ones_block_is_refused_whole(checked):
    whole = file_of(400)
    job = checked(whole[: whole.rindex(b"R0001150") + 30], by_two=True)
    assert (job.status, job.refusal) == (Import.Status.REFUSED, "cut_off")
