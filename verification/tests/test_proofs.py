"""Photos and scans of papers: taken in, recorded with what they prove, seen by few, cleared when nobody records them."""

import os
import stat
import time
from datetime import date
from io import BytesIO
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from census_verify import clock
from verification import proofs, services, tasks
from verification.models import Correction, Proof, RoundForm, VerificationPass
from verification.rules import Conflict, CorrectionEntry, InvalidEntry, NotAllowed, TooBusy
from verification.terms import Approval
from verification.tests import papers
from verification.tests.factories import decide, record
from verification.tests.test_household_verify import typed

JSON = {"accept": "application/json"}


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.PROOF_DIR = tmp_path / "proofs"


@pytest.fixture
def form(homes, round):
    return homes.two.forms.order_by("line").first()


def upload(form, by, data: bytes | None = None) -> Proof:
    return proofs.receive(form=form, source=BytesIO(data or papers.photo()), by=by)


def corrected(form, by, *, item: str = "birth_date", new: str = "12/3/1956", proof=None, **fields):
    line = CorrectionEntry(item, new, "birth_certificate", proof=proof and proof.pk)
    return record(form.household, by, "corrected", only=[form.pk], corrections=(line,), **fields)


def dead(form, by, proof=None):
    return record(
        form.household, by, "deceased", only=[form.pk], event_on=clock.today(), paper="civil_status_extract",
        proof=proof and proof.pk,
    )  # fmt: skip


def files(settings) -> list[str]:
    return sorted(path.name for path in settings.PROOF_DIR.rglob("*") if path.suffix in (".jpg", ".pdf"))


def read(answer) -> bytes:
    """The file; closed without the end of a request, which would close the test's database as well."""
    data = b"".join(answer.streaming_content)
    for close in answer._resource_closers:
        close()
    return data


class TestTakingIn:
    def test_a_photo_lies_outside_the_web_root_for_nobody_else(self, form, cast, settings):
        proof = upload(form, cast.officer, papers.phone_photo())
        path = proofs.path_of(proof)
        assert path.parent == settings.PROOF_DIR / proof.pk.hex[:2]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert {stat.S_IMODE(p.stat().st_mode) for p in (settings.PROOF_DIR, path.parent)} == {0o700}
        assert (proof.kind, proof.pages, proof.width, proof.height) == ("image", 1, 1500, 2000)
        assert proof.bytes == path.stat().st_size
        assert proofs.path_of(proof, small=True).stat().st_size < 20_000
        assert (proof.commune_id, proof.uploaded_by, proof.correction) == (form.commune_id, cast.officer, None)
        assert list((settings.PROOF_DIR / "incoming").iterdir()) == []

    def test_a_scan(self, form, cast, settings):
        proof = upload(form, cast.member, papers.scan(3))
        assert (proof.kind, proof.pages) == ("pdf", 3)
        assert files(settings) == [f"{proof.pk}.pdf"]

    @pytest.mark.parametrize("who", ["stranger", "supervisor", "pc06", "admin", "leader"])
    def test_only_by_who_records_there(self, form, cast, who, settings):
        with pytest.raises(NotAllowed):
            upload(form, getattr(cast, who))
        assert not settings.PROOF_DIR.exists()

    def test_not_while_no_round_is_open(self, form, cast, round):
        round.status = "closed"
        round.save()
        with pytest.raises(Conflict):
            upload(form, cast.officer)

    @pytest.mark.parametrize("data", [b"", b"<svg/>", papers.photo()[:200], papers.armed_scan()[:80]])
    def test_a_refusal_is_a_sentence_and_leaves_nothing(self, form, cast, data, settings):
        with pytest.raises(InvalidEntry) as refused:
            proofs.receive(form=form, source=BytesIO(data), by=cast.officer)
        assert refused.value.sentence.endswith(".")
        assert refused.value.sentence in [str(sentence) for sentence in proofs.SENTENCES.values()]
        assert not Proof.objects.exists()
        assert files(settings) == []

    def test_a_child_that_dies_or_hangs_is_a_refusal(self, form, cast, monkeypatch, tmp_path):
        for code in ("import os; os.kill(os.getpid(), 9)", "import time; time.sleep(60)", "raise SystemExit(1)"):
            (tmp_path / "child.py").write_text(code)
            monkeypatch.setattr(proofs.proof_encode, "__file__", str(tmp_path / "child.py"))
            monkeypatch.setattr(proofs, "ENCODE_SECONDS", 1)
            with pytest.raises(InvalidEntry):
                upload(form, cast.officer)
        assert not Proof.objects.exists()

    def test_few_are_written_at_once(self, form, cast, monkeypatch):
        monkeypatch.setattr(proofs, "TURN_SECONDS", 0.1)
        with proofs._turn(), proofs._turn(), pytest.raises(TooBusy):
            upload(form, cast.officer)
        assert upload(form, cast.officer)

    def test_nobody_fills_the_disk(self, form, cast, monkeypatch):
        monkeypatch.setattr(proofs, "WAITING_AN_OFFICER", 2)
        upload(form, cast.officer)
        corrected(form, cast.officer, proof=upload(form, cast.officer))
        upload(form, cast.officer)
        with pytest.raises(Conflict):
            upload(form, cast.officer)
        assert upload(form, cast.member)


class TestRecording:
    def test_a_correction_with_its_photo(self, form, cast):
        proof = upload(form, cast.officer)
        recorded = corrected(form, cast.officer, proof=proof)
        proof.refresh_from_db()
        assert (proof.correction, proof.verification_pass) == (recorded.passes[0].corrections.get(), None)

    def test_a_death_with_its_paper(self, form, cast):
        proof = upload(form, cast.officer)
        recorded = dead(form, cast.officer, proof)
        proof.refresh_from_db()
        assert (proof.correction, proof.verification_pass) == (None, recorded.passes[0])

    def test_a_paper_of_an_outcome_that_was_then_changed_is_left_out(self, form, cast):
        proof = upload(form, cast.officer)
        record(form.household, cast.officer, only=[form.pk], proof=proof.pk)
        assert Proof.objects.waiting().get() == proof

    def test_sent_again_links_once(self, form, cast):
        proof, submission = upload(form, cast.officer), uuid4()
        first = corrected(form, cast.officer, proof=proof, submission=submission)
        entry = services.Entry(
            form_id=form.pk, outcome="corrected",
            corrections=(CorrectionEntry("birth_date", "12/3/1956", "birth_certificate", proof=proof.pk),),
        )  # fmt: skip
        again = services.record_results(
            round=first.passes[0].round, household_id=form.household_id, entries=[entry], by_books=True,
            in_person=True, verified_on=clock.today(), submission=submission, by=cast.officer,
        )  # fmt: skip
        assert again.replayed
        assert Correction.objects.get().proofs.get() == proof

    def test_a_photo_that_is_not_there_not_hers_not_of_this_form_or_used(self, form, cast, homes):
        used = upload(form, cast.officer)
        corrected(form, cast.officer, proof=used)
        other_form = homes.two.forms.order_by("line").last()
        refused = [
            (other_form, Proof(pk=uuid4())),
            (other_form, upload(form, cast.officer)),
            (other_form, upload(other_form, cast.member)),
            (form, used),
        ]
        for of, proof in refused:
            with pytest.raises(InvalidEntry) as refusal:
                corrected(of, cast.officer, proof=proof, new="1/1/1957")
            assert (refusal.value.form_id, refusal.value.field) == (of.pk, "proof")
        assert VerificationPass.objects.count() == 1

    def test_one_photo_for_two_items_of_one_submission(self, form, cast):
        proof = upload(form, cast.officer)
        lines = (
            CorrectionEntry("birth_date", "12/3/1956", "birth_certificate", proof=proof.pk),
            CorrectionEntry("pin", "042056000123", "birth_certificate", proof=proof.pk),
        )
        with pytest.raises(InvalidEntry):
            record(form.household, cast.officer, "corrected", only=[form.pk], corrections=lines)
        assert not VerificationPass.objects.exists()

    def test_undone_the_photo_stays_where_it_was(self, form, cast):
        proof = upload(form, cast.officer)
        recorded = corrected(form, cast.officer, proof=proof)
        services.undo_submission(submission=recorded.passes[0].submission, by=cast.officer)
        proof.refresh_from_db()
        assert proof.correction.verification_pass == recorded.passes[0]
        with pytest.raises(InvalidEntry):
            corrected(form, cast.officer, proof=proof)

    def test_nothing_attached_costs_no_question_more(self, form, cast, homes):
        def statements(*, proof=None, of) -> list[str]:
            with CaptureQueriesContext(
                connection,
            ) as asked:
                corrected(of, cast.officer, proof=proof)
            return [query["sql"] for query in asked]

        last = homes.two.forms.order_by("line").last()
        assert not [sql for sql in statements(of=form) if "verification_proof" in sql]
        assert len([sql for sql in statements(of=last, proof=upload(last, cast.officer)) if "_proof" in sql]) == 2

    def test_as_typed_on_the_page(self, client, form, cast):
        client.force_login(cast.officer)
        proof, prefix = upload(form, cast.officer), f"p{form.pk}"
        lines = {f"{prefix}-outcome": "corrected", f"{prefix}-c5-field": "birth_date", f"{prefix}-c5-new": "12/3/1956",
                 f"{prefix}-c5-source": "archive", f"{prefix}-c5-proof": str(proof.pk)}  # fmt: skip
        page = reverse("verification:household_verify", args=[form.household_id])
        assert client.post(page, typed(form.household, **lines | {f"{prefix}-c5-proof": "nonsense"})).status_code == 400
        assert client.post(page, typed(form.household, **lines)).status_code == 302
        assert Correction.objects.get().proofs.get() == proof

    def test_by_the_api(self, client, form, cast):
        client.force_login(cast.officer)
        proof = upload(form, cast.officer)
        entry = {"form_id": form.pk, "outcome": "deceased", "event_on": "2020-06-18", "paper": "archive",
                 "proof": str(proof.pk)}  # fmt: skip
        sent = {"submission": str(uuid4()), "by_books": True, "in_person": True, "verified_on": "2020-06-19",
                "entries": [entry]}  # fmt: skip
        answer = client.post(
            reverse("api:household_results", args=[form.household_id]), sent, content_type="application/json"
        )
        assert answer.status_code == 201, answer.content
        assert VerificationPass.objects.get().proofs.get() == proof

    def test_the_database_keeps_what_is_linked(self, form, cast):
        proof = upload(form, cast.officer)
        with pytest.raises(DatabaseError), transaction.atomic():
            Proof.objects.update(sha256="0")
        corrected(form, cast.officer, proof=proof)
        changes = (
            lambda: Proof.objects.update(correction=None),
            lambda: Proof.objects.update(bytes=1),
            lambda: Proof.objects.all().delete(),
        )
        for change in changes:
            with pytest.raises(DatabaseError), transaction.atomic():
                change()

    def test_one_thing_is_proved(self, form, cast):
        recorded = corrected(form, cast.officer)
        proof = upload(form, cast.officer)
        with pytest.raises(DatabaseError), transaction.atomic():
            Proof.objects.filter(pk=proof.pk).update(
                correction=Correction.objects.get(), verification_pass=recorded.passes[0]
            )
        with pytest.raises(DatabaseError), transaction.atomic():
            Proof.objects.filter(pk=proof.pk).update(bytes=0)


class TestUploading:
    """POST /households/<id>/proofs/"""

    @pytest.fixture
    def send(self, client, form, cast):
        client.force_login(cast.officer)

        def send(data: bytes = b"", name: str = "giay.jpg", of=form, **options):
            sent = {"form": of.pk, "file": SimpleUploadedFile(name, data or papers.photo())}
            return client.post(reverse("verification:household_proof", args=[form.household_id]), sent, **options)

        return send

    def test_a_script_gets_its_key(self, send, form):
        answer = send(headers=JSON)
        proof = Proof.objects.get()
        said = {"id": str(proof.pk), "name": "giay.jpg", "kind": "image", "bytes": proof.bytes}
        assert (answer.status_code, answer.json()) == (201, said)
        assert proof.form == form

    def test_a_plain_form_gets_the_household_again(self, send, form):
        answer = send()
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("verification:household_verify", args=[form.household_id]))

    def test_refusals_by_content_not_by_name(self, send):
        for data, name in ((b"<html><script>alert(1)</script>", "anh.jpg"), (b"<svg onload='x'/>", "anh.png")):
            answer = send(data, name, headers=JSON)
            assert answer.status_code == 400
            assert "JPEG" in answer.json()["sentence"]
            assert "<svg" not in answer.content.decode()
        page = send(b"x", "anh.jpg")
        assert page.status_code == 400
        assert 'role="alert"' in page.content.decode()

    def test_eleven_megabytes_are_refused_unread(self, send, settings):
        answer = send(b"\xff\xd8\xff" + bytes(11 * 2**20), headers=JSON)
        assert answer.status_code == 413
        assert "10 MB" in answer.json()["sentence"]
        assert send(bytes(11 * 2**20)).status_code == 413
        assert not settings.PROOF_DIR.exists() or files(settings) == []

    def test_a_little_more_than_the_limit(self, send):
        answer = send(b"\xff\xd8\xff" + bytes(10 * 2**20), headers=JSON)
        assert (answer.status_code, "10 MB" in answer.json()["sentence"]) == (413, True)

    def test_who_only_looks_is_told(self, send, client, cast):
        client.force_login(cast.supervisor)
        answer = send(headers=JSON)
        assert answer.status_code == 403
        assert answer.json()["sentence"].endswith(".")

    def test_who_may_not_look_finds_nothing(self, send, client, cast):
        for who in (cast.stranger, cast.leader):
            client.force_login(who)
            assert send(headers=JSON).status_code == 404
        assert not Proof.objects.exists()

    def test_a_person_of_another_household(self, send, homes):
        assert send(of=homes.four.forms.first(), headers=JSON).status_code == 400

    @pytest.mark.parametrize("sent", ["", "x", "9" * 30, "-1", "1.5"])
    def test_odd_forms(self, client, cast, form, sent):
        client.force_login(cast.officer)
        page = reverse("verification:household_proof", args=[form.household_id])
        file = SimpleUploadedFile("a.jpg", papers.photo())
        assert client.post(page, {"form": sent, "file": file}, headers=JSON).status_code == 400
        assert client.post(page, {"form": form.pk}, headers=JSON).status_code == 400
        assert client.post(page, {"form": form.pk, "file": "no file"}, headers=JSON).status_code == 400
        assert client.get(page).status_code == 405

    def test_large_files_come_in_nowhere_else(self, client, cast, form):
        client.force_login(cast.officer)
        big = SimpleUploadedFile("a.jpg", papers.photo() + bytes(2 * 2**20))
        page = reverse("verification:household_verify", args=[form.household_id])
        assert client.post(page, {"file": big}).status_code == 413


class TestSeeing:
    """GET /proofs/<uuid>/"""

    @pytest.fixture
    def proof(self, form, cast):
        proof = upload(form, cast.officer)
        corrected(form, cast.officer, proof=proof)
        return proof

    def test_shown_so_that_nothing_in_it_can_act(self, client, cast, proof):
        client.force_login(cast.supervisor)
        answer = client.get(reverse("verification:proof_detail", args=[proof.pk]), headers={"accept-encoding": "gzip"})
        assert read(answer) == proofs.path_of(proof).read_bytes()
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Content-Disposition"].startswith("inline")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        small = client.get(reverse("verification:proof_small", args=[proof.pk]))
        assert read(small) == proofs.path_of(proof, small=True).read_bytes()

    def test_a_pdf(self, client, cast, form):
        proof = upload(form, cast.officer, papers.scan())
        client.force_login(cast.officer)
        answer = client.get(reverse("verification:proof_detail", args=[proof.pk]))
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        read(answer)
        assert client.get(reverse("verification:proof_small", args=[proof.pk])).status_code == 404

    @pytest.mark.parametrize(
        ("who", "status"),
        [("officer", 200), ("member", 200), ("supervisor", 200), ("pc06", 200), ("admin", 200), ("stranger", 404),
         ("leader", 404)],
    )  # fmt: skip
    def test_by_who_may_see_the_person(self, client, cast, proof, who, status):
        client.force_login(getattr(cast, who))
        for page in ("proof_detail", "proof_small"):
            answer = client.get(reverse(f"verification:{page}", args=[proof.pk]))
            assert answer.status_code == status
            if answer.streaming:
                read(answer)

    def test_before_it_is_recorded_by_its_uploader_alone(self, client, cast, form):
        proof = upload(form, cast.officer)
        for who, status in ((cast.officer, 200), (cast.member, 404), (cast.supervisor, 404)):
            client.force_login(who)
            answer = client.get(reverse("verification:proof_detail", args=[proof.pk]))
            assert answer.status_code == status
            if answer.streaming:
                read(answer)

    def test_a_file_that_is_gone_is_said_so(self, client, cast, proof):
        proofs.path_of(proof).unlink()
        client.force_login(cast.officer)
        answer = client.get(reverse("verification:proof_detail", args=[proof.pk]))
        assert answer.status_code == 404
        assert "không có trên máy chủ" in answer.content.decode()


class TestAttachingLater:
    @pytest.fixture
    def page(self, form, cast):
        corrected(form, cast.officer)
        return reverse("verification:correction_proof", args=[Correction.objects.get().pk])

    def send(self, client, page, data: bytes | None = None):
        return client.post(page, {"file": SimpleUploadedFile("a.jpg", data or papers.photo())})

    def test_the_page_and_the_photo(self, client, cast, page):
        client.force_login(cast.officer)
        assert 'enctype="multipart/form-data"' in client.get(page).content.decode()
        answer = self.send(client, page)
        assert answer.status_code == 302
        body = client.get(answer.url).content.decode()
        proof = Correction.objects.get().proofs.get()
        assert reverse("verification:proof_small", args=[proof.pk]) in body
        assert "17/05/1980" in body

    def test_a_death_paper(self, client, cast, form):
        recorded = dead(form, cast.officer)
        client.force_login(cast.officer)
        page = reverse("verification:pass_proof", args=[recorded.passes[0].pk])
        assert client.get(page).status_code == 200
        assert self.send(client, page, papers.scan(2)).status_code == 302
        assert recorded.passes[0].proofs.get().pages == 2

    def test_a_result_without_paper(self, client, cast, form):
        recorded = record(form.household, cast.officer)
        client.force_login(cast.officer)
        page = reverse("verification:pass_proof", args=[recorded.passes[0].pk])
        assert self.send(client, page).status_code == 409

    def test_what_is_no_photo(self, client, cast, page):
        client.force_login(cast.officer)
        answer = self.send(client, page, b"x")
        assert answer.status_code == 400
        assert 'role="alert"' in answer.content.decode()
        assert client.post(page, {}).status_code == 400
        assert not Proof.objects.exists()

    @pytest.mark.parametrize(
        ("who", "status"), [("member", 403), ("supervisor", 403), ("stranger", 404), ("leader", 404)]
    )
    def test_by_others(self, client, cast, page, who, status):
        client.force_login(getattr(cast, who))
        assert client.get(page).status_code == status
        assert self.send(client, page).status_code == status
        assert not Proof.objects.exists()

    @pytest.mark.parametrize("approval", [Approval.APPROVED, Approval.RETURNED])
    def test_not_after_the_district_decided(self, client, cast, page, form, round, approval):
        decide([form.pk], cast.supervisor, approval, "mờ")
        client.force_login(cast.officer)
        assert 'type="file"' not in client.get(page).content.decode()
        assert self.send(client, page).status_code == 409

    def test_not_to_what_stands_no_more(self, client, cast, page):
        services.undo_submission(submission=VerificationPass.objects.get().submission, by=cast.officer)
        client.force_login(cast.officer)
        assert self.send(client, page).status_code == 409

    def test_decided_while_the_photo_was_on_its_way(self, cast, page, form, round, monkeypatch):
        correction, written = Correction.objects.get(), proofs._written

        def meanwhile(*arguments):
            decide([form.pk], cast.supervisor, Approval.APPROVED)
            return written(*arguments)

        monkeypatch.setattr(proofs, "_written", meanwhile)
        with pytest.raises(Conflict):
            proofs.attach(to=correction, source=BytesIO(papers.photo()), by=cast.officer)
        assert not Proof.objects.exists()

    def test_three_at_most(self, client, cast, page):
        client.force_login(cast.officer)
        assert [self.send(client, page).status_code for _ in range(4)] == [302, 302, 302, 409]
        assert Correction.objects.get().proofs.count() == 3


class TestClearing:
    def test_what_nobody_recorded_within_a_day(self, form, cast, settings):
        settings.CENSUS_VERIFY_TODAY = date(2020, 6, 17)
        kept, _old = upload(form, cast.officer), upload(form, cast.officer)
        corrected(form, cast.officer, proof=kept, verified_on=date(2020, 6, 17))
        settings.CENSUS_VERIFY_TODAY = date(2020, 6, 19)
        waiting = upload(form, cast.officer)
        assert tasks.clear_proofs() == 1
        assert set(Proof.objects.all()) == {kept, waiting}
        assert files(settings) == sorted(
            f"{p.pk}{ending}" for p in (kept, waiting) for ending in (".jpg", ".small.jpg")
        )
        assert tasks.clear_proofs() == 0

    def test_a_power_cut_between_file_and_row(self, form, cast, settings, monkeypatch):
        def power_cut(*_arguments, **_options):
            raise DatabaseError("the power went")

        with monkeypatch.context() as patched:
            patched.setattr(Proof, "save", power_cut)
            with pytest.raises(DatabaseError):
                upload(form, cast.officer)
        left = files(settings)
        assert len(left) == 2
        assert tasks.clear_proofs() == 0, "it may be on its way"
        kept = upload(form, cast.officer)
        half = settings.PROOF_DIR / "incoming" / "tmp1" / "in"
        half.parent.mkdir()
        half.write_bytes(b"half a photo")
        foreign = settings.PROOF_DIR / "aa" / "read-me.txt"
        foreign.parent.mkdir(exist_ok=True)
        foreign.write_text("of the administrator")
        for path in settings.PROOF_DIR.rglob("*"):
            os.utime(path, (time.time() - 90_000,) * 2)
        tasks.clear_proofs()
        assert files(settings) == [f"{kept.pk}.jpg", f"{kept.pk}.small.jpg"]
        assert not half.parent.exists()
        assert foreign.exists()


def test_a_row_in_a_round_asks_for_nothing_new(form, cast):
    """The queue of the district reads proofs beside corrections with one question."""
    proof = upload(form, cast.officer)
    corrected(form, cast.officer, proof=proof)
    found = Correction.objects.prefetch_related("proofs").get()
    assert [p.pk for p in found.proofs.all()] == [proof.pk]
    assert RoundForm.objects.get(form=form).approval == Approval.PENDING
