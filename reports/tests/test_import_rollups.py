"""After scan results and verification results come from a file, every figure is the recount."""

from io import BytesIO

import pytest

from households.imports import stages
from households.models import Import
from reports.models import Tally
from reports.proof import differences
from reports.rollups import mark_everything, roll_up
from verification import imports
from verification.tests.factories import open_round, record

HEADS = {
    "scans": ("Mã vạch", "Kết quả quét", "Lý do không đạt"),
    "results": ("Mã vạch", "Kết quả phúc tra", "Ngày phúc tra", "Hình thức phúc tra", "Mục sai, thiếu", "Nội dung mới",
                "Giấy tờ làm căn cứ"),
}  # fmt: skip


@pytest.fixture
def load(tree, cast, settings, tmp_path):
    settings.IMPORT_DIR = tmp_path

    def load(kind: str, *rows: tuple[str, ...]) -> None:
        data = "\n".join(";".join(f'"{cell}"' for cell in row) for row in (HEADS[kind], *rows)).encode()
        job = stages.receive(kind=kind, source=BytesIO(data), name="tệp.csv", area=tree.province, by=cast.admin,
                             fields=imports.KINDS[kind].fields)  # fmt: skip
        layout = stages.files.Layout.from_json(job.layout)
        stages.confirm_columns(job, columns=job.columns, layout=layout, file_headings=job.headings, collected_on=None)
        job = imports.check(job.pk)
        assert (job.status, job.refused) == (Import.Status.CHECKED, 0)
        stages.confirm(job, existing=Import.Existing.UPDATE)
        assert imports.load(job.pk).status == Import.Status.LOADED

    return load


def test_the_figures_are_the_recount(load, homes, tree, cast):
    homes.three.forms.update(qualification="refused", refusal_reason="unreadable")
    round = open_round(tree.province, cast.pc06)
    record(homes.two, cast.officer)
    mark_everything(round)
    roll_up()
    tally = Tally.objects.get(round=round, unit=tree.huong_tra)
    assert (tally.in_scope, tally.verified) == (6, 2)
    again = homes.three.forms.order_by("line")
    load("scans", *((form.barcode, "đạt") for form in again[:2]), (again[2].barcode, "không đạt", "thiếu chữ ký"))
    load(
        "results",
        *((form.barcode, "Đúng", "18/6/2020", "Cả hai") for form in again[:2]),
        *((form.barcode, "Sai, đã chỉnh sửa", "19/6/2020", "Sổ sách", "Ngày sinh", "1956", "Sổ hộ khẩu")
          for form in (homes.two.forms.first(), homes.hung_tri.forms.first())),
    )  # fmt: skip
    roll_up()
    assert list(differences(round)) == []
    tally.refresh_from_db()
    assert (tally.qualified, tally.in_scope, tally.verified) == (8, 8, 4)
