"""Imports on the pages: upload, columns, what was found, load or give up."""

import csv
from io import BytesIO, StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from python_calamine import CalamineWorkbook

from census_verify import clock
from households.imports import stages
from households.models import CollectionForm, Import, ImportProblem, RememberedHeading
from households.tests.factories import make_form
from verification import import_templates, imports, tasks
from verification.models import RollupMark

HEAD = ["Mã vạch", "Ngày thu thập", "Xã/phường/thị trấn", "Thôn, tổ dân phố", "Số sổ hộ khẩu", "Họ và tên",
        "Ngày sinh", "Giới tính", "Quan hệ với chủ hộ", "Họ tên chủ hộ"]  # fmt: skip
CAST_THAT_MAY_NOT = ["officer", "supervisor", "stranger", "member", "pc06", "leader"]


def row(number: int, **cells) -> dict:
    person = [f"T{number:09d}", "15/9/2018", "xã Hương Trà", "thôn Đông", "350000001", "NGUYỄN VĂN THỬ", "17/5/1980",
              "Nam", "Con", "NGUYỄN VĂN THỬ"]  # fmt: skip
    return dict(zip(HEAD, person, strict=True)) | cells


def csv_of(*rows: dict, head=HEAD) -> bytes:
    lines = [head, *([row.get(name, "") for name in head] for row in rows)]
    return "\n".join(";".join(f'"{cell}"' for cell in line) for line in lines).encode("utf-8-sig")


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.IMPORT_DIR = tmp_path / "imports"


@pytest.fixture
def admin(client, cast):
    client.force_login(cast.admin)
    return client


@pytest.fixture
def upload(admin):
    def upload(data: bytes, name="phieu.csv", kind="forms", **fields):
        file = SimpleUploadedFile(name, data)
        return admin.post(reverse("verification:import_create") + f"?kind={kind}", {"file": file, **fields})

    return upload


def address(action: str, job: Import) -> str:
    return reverse(f"verification:import_{action}", args=[job.pk])


def body_of(answer) -> str:
    return answer.content.decode()


def columns_sent(job: Import, **fields) -> dict:
    return {f"c{at}": name for name, at in job.columns.items()} | {"encoding": "unicode"} | fields


@pytest.fixture
def named(admin, upload):
    """An import whose columns were confirmed on the page."""

    def named(*rows: dict) -> Import:
        upload(csv_of(*rows))
        job = Import.objects.latest("pk")
        assert admin.post(address("columns", job), columns_sent(job)).url == address("detail", job)
        return Import.objects.get(pk=job.pk)

    return named


@pytest.fixture
def checked(named):
    def checked(*rows: dict) -> Import:
        return imports.check(named(*rows).pk)

    return checked


def problems_of(job: Import, number: int, **fields) -> None:
    ImportProblem.objects.bulk_create(
        ImportProblem(**{"of_import": job, "row": n, "column": "Giới tính", "value": "x", "code": "sex",
                         "is_refusal": True} | fields)
        for n in range(2, 2 + number)
    )  # fmt: skip


class TestWho:
    @pytest.mark.parametrize("who", CAST_THAT_MAY_NOT)
    def test_only_administrators(self, checked, client, cast, who):
        job = checked(row(1))
        client.force_login(getattr(cast, who))
        for page in ("import_list", "import_create"):
            assert client.get(reverse(f"verification:{page}")).status_code == 403
        assert client.get(reverse("verification:import_template", args=["forms", "csv"])).status_code == 403
        for page in ("detail", "columns", "problems", "errors"):
            assert client.get(address(page, job)).status_code == 404
        for action in ("confirm", "cancel", "check", "columns"):
            assert client.post(address(action, job)).status_code == 404
        job.refresh_from_db()
        assert job.status == Import.Status.CHECKED

    def test_a_stranger_uploads_nothing(self, client, cast, settings):
        client.force_login(cast.officer)
        answer = client.post(reverse("verification:import_create"), {"file": SimpleUploadedFile("a.csv", b"x")})
        assert answer.status_code == 403
        assert not Import.objects.exists()

    def test_the_link_stands_only_where_it_leads_somewhere(self, client, cast, round):
        link = f'href="{reverse("verification:import_list")}"'
        client.force_login(cast.admin)
        assert link in body_of(client.get("/"))
        client.force_login(cast.pc06)
        assert link not in body_of(client.get("/"))

    def test_actions_are_posts(self, checked, admin):
        job = checked(row(1))
        for action in ("confirm", "cancel", "check"):
            assert admin.get(address(action, job)).status_code == 405


class TestUpload:
    def test_a_file_arrives_and_its_columns_are_guessed(self, admin, upload, tree, cast):
        answer = upload(csv_of(row(1)))
        job = Import.objects.get()
        assert answer.url == address("columns", job)
        assert (job.area, job.by, job.file_name) == (tree.province, cast.admin, "phieu.csv")
        body = body_of(admin.get(answer.url))
        assert '<option value="full_name" selected>' in body
        assert "NGUYỄN VĂN THỬ" in body
        assert not CollectionForm.objects.exists()

    def test_uploads_wait_in_our_own_folder_and_leave_nothing_behind(self, upload, settings):
        upload(b"%PDF-1.4 no list")
        assert list(settings.IMPORT_DIR.iterdir()) == []
        upload(csv_of(row(1)))
        assert [path.name for path in settings.IMPORT_DIR.iterdir()] == [str(Import.objects.latest("pk").pk)]

    @pytest.mark.parametrize("data", [b"", b"%PDF-1.4", b"MZ\x90\x00", b"a;b;c\n", b"\x00" * 500])
    def test_what_is_no_list_gets_a_sentence(self, admin, upload, data):
        answer = upload(data)
        assert answer.status_code == 400
        assert 'role="alert"' in body_of(answer)
        job = Import.objects.get()
        assert job.status == Import.Status.REFUSED
        page = admin.get(address("detail", job))
        assert page.status_code == 200
        assert 'role="alert"' in body_of(page)

    def test_without_a_file(self, upload, admin):
        answer = admin.post(reverse("verification:import_create"), {})
        assert answer.status_code == 400
        assert 'role="alert"' in body_of(answer)
        assert not Import.objects.exists()

    def test_the_same_file_is_taken_once_unless_asked(self, upload):
        data = csv_of(row(1))
        assert upload(data).status_code == 302
        twice = upload(data)
        assert twice.status_code == 400
        assert 'name="again"' in body_of(twice)
        assert Import.objects.count() == 1
        assert upload(data, again="1").status_code == 302

    def test_a_kind_there_is_not(self, admin, upload):
        assert upload(csv_of(row(1)), kind="pictures").status_code == 404
        assert admin.get(reverse("verification:import_create") + "?kind=pictures").status_code == 404

    def test_a_file_for_nobody_is_refused_unread(self, client, cast, homes, round):
        client.force_login(cast.officer)
        big = SimpleUploadedFile("a.csv", b"x" * (1024 * 1024 + 1))
        page = reverse("verification:household_verify", args=[homes.four.pk])
        assert client.post(page, {"file": big}).status_code == 413

    def test_more_than_an_import_takes_is_refused_unread(self, upload, monkeypatch):
        monkeypatch.setattr("census_verify.uploads.MAX_BYTES", -(1024 * 1024))
        answer = upload(csv_of(row(1)))
        assert answer.status_code == 413
        assert 'role="alert"' in body_of(answer)
        assert not Import.objects.exists()


class TestColumns:
    def test_a_choice_is_remembered_for_the_next_file(self, admin, upload):
        head = ["Số lạ", *HEAD[1:]]
        upload(csv_of(row(1, **{"Số lạ": "T1"}), head=head))
        job = Import.objects.get()
        assert "barcode" not in job.columns
        admin.post(address("columns", job), columns_sent(job, c0="barcode"))
        job.refresh_from_db()
        assert (job.columns["barcode"], job.status) == (0, Import.Status.CHECKING)
        assert RememberedHeading.objects.get(heading="so la").field == "barcode"
        upload(csv_of(row(2, **{"Số lạ": "T2"}), head=head))
        again = Import.objects.latest("pk")
        assert again.columns["barcode"] == 0
        assert body_of(admin.get(address("columns", again))).count("như lần trước") + body_of(
            admin.get(address("columns", again))
        ).count("as last time") >= len(head)

    def test_one_field_for_two_columns_is_refused(self, admin, upload):
        upload(csv_of(row(1)))
        job = Import.objects.get()
        answer = admin.post(address("columns", job), columns_sent(job, c0="full_name"))
        assert answer.status_code == 400
        assert 'aria-invalid="true"' in body_of(answer)
        job.refresh_from_db()
        assert job.status == Import.Status.UPLOADED

    def test_a_needed_column_that_is_missing_is_named(self, admin, upload):
        upload(csv_of(row(1)))
        job = Import.objects.get()
        answer = admin.post(address("columns", job), columns_sent(job, c7=""))
        assert answer.status_code == 400
        assert "Giới tính" in body_of(answer)

    @pytest.mark.parametrize(("day", "status"), [("15/9/2018", 302), ("", 400), ("31/2/2018", 400), ("1/1/2030", 400)])
    def test_rows_without_a_day_get_the_files(self, admin, upload, day, status):
        upload(csv_of(row(1), head=[name for name in HEAD if name != "Ngày thu thập"]))
        job = Import.objects.get()
        assert admin.post(address("columns", job), columns_sent(job, collected_on=day)).status_code == status

    @pytest.mark.parametrize("value", ["no_such_field", "1" * 5000, "<script>"])
    def test_a_field_there_is_not(self, admin, upload, value):
        upload(csv_of(row(1)))
        job = Import.objects.get()
        assert admin.post(address("columns", job), columns_sent(job, c0=value)).status_code == 400

    def test_old_letters_are_converted_only_when_somebody_says_so(self, admin, upload):
        rows = [row(n, **{"Họ và tên": "NguyÔn V¨n An", "Thôn, tổ dân phố": "th«n §«ng"}) for n in range(1, 8)]
        plain = ["Ma vach", "Ngay thu thap", "Xa", "Thon", "So so ho khau", "Ho va ten", "Ngay sinh", "Gioi tinh"]
        renamed = [dict(zip(plain, list(cells.values()), strict=False)) | {"Xa": "x· H­¬ng Trµ"} for cells in rows]
        upload(csv_of(*renamed, head=plain))
        job = Import.objects.get()
        offer = body_of(admin.get(address("columns", job)))
        assert "Nguyễn Văn An" in offer
        assert "NguyÔn V¨n An" in offer
        assert 'type="radio"' in offer
        assert "checked" not in offer
        sent = columns_sent(job)
        del sent["encoding"]
        admin.post(address("columns", job), sent)
        job.refresh_from_db()
        assert job.status == Import.Status.UPLOADED
        assert "Nguyễn Văn An" in body_of(admin.get(address("columns", job) + "?encoding=tcvn3"))
        admin.post(address("columns", job), columns_sent(job, encoding="tcvn3"))
        job = imports.check(job.pk)
        assert (job.layout["encoding"], job.refused) == ("tcvn3", 0)

    def test_sheets_that_exist_not(self, admin, upload):
        upload(csv_of(row(1)))
        job = Import.objects.get()
        assert admin.get(address("columns", job) + "?sheets=Sheet9&encoding=klingon").status_code == 200

    def test_after_the_check_the_columns_can_be_named_otherwise(self, admin, checked):
        job = checked(row(1))
        assert admin.get(address("columns", job)).status_code == 200
        admin.post(address("columns", job), columns_sent(job))
        job.refresh_from_db()
        assert job.status == Import.Status.CHECKING

    def test_not_once_it_is_loaded(self, admin, checked):
        job = checked(row(1))
        Import.objects.filter(pk=job.pk).update(status=Import.Status.LOADED)
        assert admin.post(address("columns", job), columns_sent(job)).status_code == 409
        assert admin.get(address("columns", job)).url == address("detail", job)

    def test_pressed_twice_it_is_checked_once(self, admin, named):
        job = named(row(1))
        assert admin.post(address("columns", job), columns_sent(job)).url == address("detail", job)
        assert imports.check(job.pk).rows == 1


class TestDecision:
    def test_the_page_says_what_was_found_and_what_loading_would_change(self, admin, checked):
        job = checked(row(1), row(2), row(3, **{"Giới tính": "Nm"}))
        assert (job.good, job.refused) == (2, 1)
        body = body_of(admin.get(address("detail", job)))
        assert "<strong>2</strong>" in body
        assert "Nm" in body
        assert address("confirm", job) in body
        assert address("errors", job) in body

    def test_loaded_once_however_often_pressed(self, admin, checked, tree, round):
        before = CollectionForm.objects.count()
        job = checked(row(1), row(2))
        for _ in range(2):
            assert admin.post(address("confirm", job), {"existing": "skip"}).url == address("detail", job)
        imports.load(job.pk)
        imports.load(job.pk)
        assert admin.post(address("confirm", job), {"existing": "skip"}).url == address("detail", job)
        job.refresh_from_db()
        assert job.status == Import.Status.LOADED
        assert CollectionForm.objects.count() == before + 2
        assert RollupMark.objects.filter(commune=tree.huong_tra).exists()
        assert address("confirm", job) not in body_of(admin.get(address("detail", job)))

    def test_forms_already_there_are_asked_about(self, admin, checked, homes):
        form = make_form(homes.two, barcode="T000000001", full_name="CŨ")
        job = checked(row(1))
        assert 'name="existing"' in body_of(admin.get(address("detail", job)))
        assert admin.post(address("confirm", job), {"existing": "burn"}).status_code == 400
        admin.post(address("confirm", job), {"existing": "update"})
        imports.load(job.pk)
        form.refresh_from_db()
        assert form.full_name == "NGUYỄN VĂN THỬ"

    def test_nothing_is_loaded_before_the_check(self, admin, upload):
        upload(csv_of(row(1)))
        job = Import.objects.get()
        answer = admin.post(address("confirm", job), {"existing": "skip"})
        assert answer.status_code == 409
        assert 'role="alert"' in body_of(answer)
        assert admin.post(address("check", job)).status_code == 409

    @pytest.mark.parametrize("confirmed", [False, True])
    def test_cancelled_nothing_stays(self, admin, checked, settings, confirmed):
        job = checked(row(1))
        if confirmed:
            stages.confirm(job, existing="skip")
        for _ in range(2):
            assert admin.post(address("cancel", job)).url == address("detail", job)
        job.refresh_from_db()
        assert job.status == Import.Status.CANCELLED
        assert job.staging_table not in connection.introspection.table_names()
        assert admin.get(address("detail", job)).status_code == 200
        assert admin.post(address("confirm", job), {"existing": "skip"}).status_code == 409
        assert not CollectionForm.objects.exists()

    def test_what_is_loaded_is_not_cancelled(self, admin, checked):
        job = checked(row(1))
        stages.confirm(job, existing="skip")
        imports.load(job.pk)
        assert admin.post(address("cancel", job)).status_code == 409
        assert CollectionForm.objects.count() == 1

    def test_after_a_failure_it_is_checked_again(self, admin, checked):
        job = checked(row(1))
        Import.objects.filter(pk=job.pk).update(status=Import.Status.FAILED)
        assert address("check", job) in body_of(admin.get(address("detail", job)))
        for _ in range(2):
            assert admin.post(address("check", job)).url == address("detail", job)
        assert imports.check(job.pk).status == Import.Status.CHECKED


class TestProgress:
    def test_the_bar_moves_and_the_page_reloads_when_it_is_done(self, admin, named):
        job = named(row(1))
        stages.cache_set(f"import-{job.pk}", ("forms", 500, 2000, 12345.6, 90.0))
        page = body_of(admin.get(address("detail", job)))
        assert 'value="25"' in page
        assert 'hx-trigger="every 1s"' in page
        assert "http-equiv" in page
        piece = admin.get(address("detail", job), headers={"hx-request": "true"})
        assert "<html" not in body_of(piece)
        assert 'value="25"' in body_of(piece)
        imports.check(job.pk)
        assert admin.get(address("detail", job), headers={"hx-request": "true"}).headers["HX-Refresh"] == "true"
        assert "http-equiv" not in body_of(admin.get(address("detail", job)))

    def test_without_a_worker_it_says_that_it_waits(self, admin, named):
        assert "<progress" in body_of(admin.get(address("detail", named(row(1)))))


class TestWorker:
    def test_what_waits_is_sent_again_and_running_twice_is_harmless(self, named, monkeypatch):
        job = named(row(1))
        sent = []
        for task in (tasks.check_import, tasks.load_import):
            monkeypatch.setattr(
                task, "apply_async", lambda args, task=task, **options: sent.append((task.name, args[0]))
            )
        tasks.resume_imports()
        assert sent == [("verification.tasks.check_import", job.pk)]
        tasks.check_import(job.pk)
        tasks.check_import(job.pk)
        tasks.load_import(job.pk)  # not confirmed yet
        assert not CollectionForm.objects.exists()
        stages.confirm(job, existing="skip")
        sent.clear()
        tasks.resume_imports()
        assert sent == [("verification.tasks.load_import", job.pk)]
        tasks.load_import(job.pk)
        tasks.load_import(job.pk)
        assert CollectionForm.objects.count() == 1
        sent.clear()
        tasks.resume_imports()
        assert not sent

    def test_the_queue_has_a_worker(self, settings, tmp_path):
        from census_verify import supervisor

        routes = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
        programs = supervisor._programs(tmp_path, {}, "127.0.0.1", 8000)
        commands = " ".join(" ".join(map(str, program.command)) for program in programs)
        assert routes <= set(commands.split("--queues ")[1].split()[0].split(","))


class TestProblems:
    def test_pages_by_key_and_by_sentence(self, admin, checked):
        job = checked(row(1))
        problems_of(job, 150)
        problems_of(job, 30, code="no_barcode", is_refusal=False)
        page = admin.get(address("problems", job)).context
        assert (len(page["problems"]), page["is_first_page"]) == (100, True)
        rest = admin.get(address("problems", job) + f"?which=refused&after={page['next_key']}").context
        assert (len(rest["problems"]), rest["next_key"], rest["is_first_page"]) == (50, "", False)
        assert [row for _, _, row in (*page["problems"], *rest["problems"])] == list(range(2, 152))
        doubtful = admin.get(address("problems", job) + "?which=doubtful&code=no_barcode").context
        assert {problem.code for problem, _, _ in doubtful["problems"]} == {"no_barcode"}
        assert [number for _, _, number in doubtful["tabs"]] == [150, 30]

    @pytest.mark.parametrize("query", ["after=x", "after=1-", "after=-1", "after=99999999999-1", "after=²-1",
                                       "which=none", "code=nope", "after=5-" + "9" * 30])  # fmt: skip
    def test_a_mistyped_address_is_the_first_page(self, admin, checked, query):
        job = checked(row(1))
        problems_of(job, 3)
        answer = admin.get(address("problems", job) + f"?{query}")
        assert answer.status_code == 200
        assert len(answer.context["problems"]) == 3

    def test_values_of_a_file_are_text(self, admin, checked):
        job = checked(row(1, **{"Giới tính": "<script>x</script>"}))
        for page in ("detail", "problems"):
            body = body_of(admin.get(address(page, job)))
            assert "<script>x" not in body
            assert "&lt;script&gt;x" in body

    def test_the_error_file_is_mended_and_loads(self, admin, checked, upload):
        job = checked(row(1), row(2, **{"Giới tính": "Nm"}))
        answer = admin.get(address("errors", job))
        assert "phieu-loi.csv" in answer.headers["Content-Disposition"]
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        assert text.splitlines()[0].endswith("Lỗi")
        upload(text.replace("Nm", "Nam").encode("utf-8-sig"))
        mended = Import.objects.latest("pk")
        admin.post(address("columns", mended), columns_sent(mended))
        assert imports.check(mended.pk).good == 1

    def test_no_error_file_without_errors(self, admin, checked):
        assert admin.get(address("errors", checked(row(1)))).status_code == 404


class TestTemplates:
    @pytest.mark.parametrize("kind", list(imports.KINDS))
    def test_templates_have_every_column(self, admin, kind):
        headings = [field.heading for field in imports.KINDS[kind].fields if field.is_in_template]
        answer = admin.get(reverse("verification:import_template", args=[kind, "csv"]))
        assert "attachment" in answer.headers["Content-Disposition"]
        assert next(csv.reader([answer.content.decode("utf-8-sig")])) == headings
        assert answer.content.startswith(b"\xef\xbb\xbf")
        answer = admin.get(reverse("verification:import_template", args=[kind, "xlsx"]))
        book = CalamineWorkbook.from_filelike(BytesIO(answer.content))
        assert [sheet.to_python() for sheet in map(book.get_sheet_by_index, range(len(book.sheet_names)))] == [
            [headings]
        ]

    def test_a_template_filled_in_with_its_examples_is_read_whole(self, admin, upload):
        fields = imports.KINDS["forms"].fields
        text = StringIO()
        csv.writer(text).writerows([[field.heading for field in fields], [field.example for field in fields]])
        upload(text.getvalue().encode("utf-8-sig"))
        job = Import.objects.get()
        assert set(job.columns) == {field.name for field in fields}
        admin.post(address("columns", job), columns_sent(job))
        job = imports.check(job.pk)
        assert (job.rows, job.refused) == (1, 0), list(job.problems.values_list("column", "code"))

    @pytest.mark.parametrize(("kind", "format"), [("forms", "exe"), ("pictures", "csv")])
    def test_a_template_there_is_not(self, admin, kind, format):
        assert admin.get(reverse("verification:import_template", args=[kind, format])).status_code == 404

    @pytest.mark.parametrize("format", ["csv", "xlsx"])
    def test_an_empty_template_has_no_rows(self, admin, upload, format):
        file = import_templates.template_file("forms", imports.KINDS["forms"].fields, format)
        assert upload(file, name=f"mau.{format}").status_code == 400
        assert Import.objects.get().refusal == "no_rows"


class TestLists:
    def queries(self, admin, page: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(page).status_code == 200
        return len(queries)

    def test_pages_by_key(self, admin, cast, tree):
        for n in range(60):
            Import.objects.create(kind="forms", area=tree.province, by=cast.admin, file_name=f"f{n}.csv", size=1,
                                  sha256=f"{n}", uploaded_at=clock.now())  # fmt: skip
        first = admin.get(reverse("verification:import_list")).context
        second = admin.get(reverse("verification:import_list") + f"?before={first['next_key']}").context
        names = [job.file_name for job in (*first["jobs"], *second["jobs"])]
        assert names == [f"f{n}.csv" for n in range(59, -1, -1)]
        assert second["next_key"] is None
        assert admin.get(reverse("verification:import_list") + "?before=²x").status_code == 200

    def test_as_many_queries_for_one_as_for_many(self, admin, checked, cast, tree):
        page = reverse("verification:import_list")
        job = checked(row(1))
        problems_of(job, 1)
        one = [self.queries(admin, address) for address in (page, address("detail", job), address("problems", job))]
        for n in range(30):
            Import.objects.create(kind="forms", area=tree.province, by=cast.admin, file_name=f"f{n}.csv", size=1,
                                  sha256=f"{n}", uploaded_at=clock.now())  # fmt: skip
        problems_of(job, 90)
        many = [self.queries(admin, address) for address in (page, address("detail", job), address("problems", job))]
        assert one == many
        assert max(many) <= 6
