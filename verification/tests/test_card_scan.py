"""The page of a scanned card, as a plain form."""

import logging
import re

import pytest
from django.test import RequestFactory
from django.urls import reverse
from django.views.debug import SafeExceptionReporterFilter

from households.tests.factories import make_form
from verification import card_views
from verification.models import Correction, VerificationPass
from verification.tests.cards import card_text
from verification.tests.factories import record

SCAN = "/scan/"
HERS = {"number": "042180000777", "cmnd": "183000777", "name": "Trần Thị Giả", "sex": "Nữ"}
FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@pytest.fixture
def person(homes, cast, tree):
    """On the form: another day of birth, and no personal number."""
    return make_form(
        homes.two, line=3, full_name="TRẦN THỊ GIẢ", birth_day=None, birth_month=None, cmnd="183000777", sex=2
    )


@pytest.fixture
def page(client, person, round, cast):
    client.force_login(cast.officer)
    return client


def scanned(client, **changes):
    return client.post(SCAN, {"text": card_text(**HERS | changes)})


def sheet_of(answer) -> dict:
    """What the scan page sends to the entry page."""
    body = answer.content.decode()
    return dict(FIELD.findall(body[body.index('id="sheet"') :].split("</form>")[0]))


class TestSeeing:
    def test_an_empty_page(self, page):
        body = page.get(SCAN).content.decode()
        assert 'name="text"' in body
        assert "Quét thẻ" in body

    def test_the_person_and_what_differs(self, page, person):
        body = scanned(page).content.decode()
        assert "<strong>2</strong> mục trên phiếu chưa đúng như thẻ" in body
        assert "17/05/1980" in body
        assert body.count("checked") == 2

    def test_nothing_differs(self, page, homes):
        same = make_form(homes.two, line=4, full_name="LÊ THỊ THỬ", pin="042180000900", sex=2)
        answer = scanned(page, number="042180000900", name="Lê Thị Thử", cmnd="183000001")
        body = answer.content.decode()
        assert "Phiếu <strong>giống thẻ</strong>" in body
        assert (
            f'id="main" href="{reverse("verification:household_verify", args=[homes.two.pk])}?person={same.pk}"' in body
        )

    def test_a_damaged_card_is_a_sentence(self, page):
        answer = page.post(SCAN, {"text": card_text()[:60]})
        assert answer.status_code == 400
        assert "bị cụt hoặc hỏng" in answer.content.decode()
        assert page.post(SCAN).status_code == 400

    def test_garbled_letters_are_told_and_the_person_is_found(self, page):
        body = scanned(page, name="Traanf Thij Giar").content.decode()
        assert "Tắt bộ gõ tiếng Việt" in body
        assert "TRẦN THỊ GIẢ" in body

    def test_several_and_the_chosen_one(self, page, person, homes):
        twin = make_form(homes.three, line=4, full_name="TRẦN THỊ GIẢ", cmnd="183000777", sex=2)
        body = scanned(page).content.decode()
        assert "Có <strong>2</strong> phiếu" in body
        chosen = page.post(SCAN, {"text": card_text(**HERS), "form": twin.pk}).content.decode()
        assert f"?person={twin.pk}" in chosen
        assert "không thuộc đợt phúc tra" in chosen  # collected after the round was opened

    def test_a_person_of_another_commune(self, client, person, round, cast):
        client.force_login(cast.stranger)
        body = scanned(client).content.decode()
        assert "không có phiếu ở địa bàn của đồng chí" in body
        for hers in (person.full_name, person.household.book_number, f"/{person.household_id}/", f'"{person.pk}"'):
            assert hers not in body

    def test_a_form_of_another_commune_cannot_be_chosen(self, client, person, round, cast):
        client.force_login(cast.stranger)
        assert client.post(SCAN, {"text": card_text(**HERS), "form": person.pk}).status_code == 404
        assert client.post(SCAN, {"text": card_text(**HERS), "form": "9" * 18}).status_code == 404

    def test_figures_only_is_no_page(self, client, cast, round):
        client.force_login(cast.leader)
        assert client.get(SCAN).status_code == client.post(SCAN, {"text": card_text()}).status_code == 404

    def test_supervisors_look_and_take_nothing(self, client, person, round, cast):
        client.force_login(cast.supervisor)
        body = scanned(client).content.decode()
        assert "17/05/1980" in body
        assert 'name="take"' not in body
        assert 'id="sheet"' not in body
        assert 'id="card"' not in body  # nor does a scanner open anything from other pages

    def test_without_a_round(self, client, homes, cast, db):
        form = make_form(homes.two, line=3, full_name="TRẦN THỊ GIẢ", pin="042180000777", sex=2)
        client.force_login(cast.officer)
        body = scanned(client).content.decode()
        assert form.full_name in body
        assert 'id="sheet"' not in body

    def test_it_costs_few_queries(self, page, django_assert_max_num_queries):
        scanned(page)  # the first prepares the statements
        with django_assert_max_num_queries(12):
            scanned(page)

    def test_only_this_page_lets_the_reader_run(self, page, homes):
        policy = page.get(SCAN).headers["Content-Security-Policy"]
        assert "'wasm-unsafe-eval'" in policy
        assert "'unsafe-eval'" not in policy
        other = page.get(reverse("verification:household_verify", args=[homes.two.pk]))
        assert "wasm" not in other.headers["Content-Security-Policy"]


class TestTaking:
    def test_the_entry_page_opens_with_the_corrections_and_nothing_is_recorded(self, page, person):
        sheet = sheet_of(scanned(page))
        assert sheet[f"p{person.pk}-outcome"] == "corrected"
        address = reverse("verification:household_verify", args=[person.household_id])
        body = page.post(f"{address}?person={person.pk}", sheet).content.decode()
        assert 'value="17/05/1980"' in body
        assert 'value="042180000777"' in body
        assert VerificationPass.objects.count() == 0
        assert len(sheet) > 10

    def test_recorded_there_they_name_the_card(self, page, person):
        sheet = sheet_of(scanned(page))
        del sheet["more"]
        address = reverse("verification:household_verify", args=[person.household_id])
        for _ in range(2):  # pressed twice
            assert page.post(address, sheet).status_code == 302
        taken = {(c.field, c.old, c.new, c.source) for c in Correction.objects.all()}
        assert taken == {
            ("birth_date", "1980", "17/05/1980", "identity_card"),
            ("pin", "", "042180000777", "identity_card"),
        }
        outcomes = VerificationPass.objects.values_list("outcome", flat=True)
        assert sorted(outcomes) == ["corrected", "matched", "matched"]  # the others as the page proposes them

    def test_only_what_was_missing_is_a_supplement(self, page, person):
        answer = page.post(SCAN, {"text": card_text(**HERS), "form": person.pk, "take": ["pin"]})
        sheet = sheet_of(answer)
        assert sheet[f"p{person.pk}-outcome"] == "supplemented"
        assert sheet[f"p{person.pk}-c0-field"] == "pin"
        assert f"p{person.pk}-c1-field" not in sheet
        assert "lấy theo thẻ" in answer.content.decode()

    def test_somebody_elses_form_is_not_ticked(self, page, person):
        body = scanned(page, name="Lê Thị Khác", born="01011999").content.decode()
        assert "checked" not in body

    def test_whoever_has_a_result_is_not_proposed_again(self, page, person, homes, cast):
        record(homes.two, cast.officer)
        sheet = sheet_of(scanned(page))
        others = homes.two.forms.exclude(pk=person.pk)
        assert {sheet[f"p{form.pk}-outcome"] for form in others} == {""}
        assert all(sheet[f"p{form.pk}-expected_pass"] for form in homes.two.forms.all())

    def test_what_was_typed_on_the_entry_page_comes_back(self, page, person, homes):
        other = homes.two.forms.first()
        typed = {
            "household": homes.two.pk,
            "methods": "books",
            "verified_on": "18/6/2020",
            f"p{other.pk}-outcome": "not_met",
            f"p{other.pk}-reason": "Đi làm ăn xa",
            f"p{person.pk}-outcome": "corrected",
            f"p{person.pk}-c0-field": "birth_date",
            f"p{person.pk}-c0-new": "1/1/1980",
            f"p{person.pk}-c0-source": "household_book",
            f"p{person.pk}-c1-field": "religion",
            f"p{person.pk}-c1-new": "Phật giáo",
            f"p{person.pk}-c1-source": "in_person",
            "csrf": "no", "p1-anything": "no",
        }  # fmt: skip
        sheet = sheet_of(page.post(SCAN, {"text": card_text(**HERS), **typed}))
        assert sheet["methods"] == "books"
        assert sheet["verified_on"] == "18/6/2020"
        assert sheet[f"p{other.pk}-reason"] == "Đi làm ăn xa"
        lines = [sheet.get(f"p{person.pk}-c{n}-field") for n in range(4)]
        assert lines == ["religion", "birth_date", "pin", None]
        assert sheet[f"p{person.pk}-c1-new"] == "17/05/1980"
        assert not {"csrf", "p1-anything"} & set(sheet)

    def test_of_another_household_there_is_a_way_back(self, page, person, homes):
        other = homes.four.forms.first()
        typed = {"household": homes.four.pk, f"p{other.pk}-outcome": "not_met", f"p{other.pk}-reason": "Vắng"}
        body = page.post(SCAN, {"text": card_text(**HERS), **typed}).content.decode()
        assert "chưa được ghi" in body
        assert f'action="{reverse("verification:household_verify", args=[homes.four.pk])}"' in body
        assert 'value="Vắng"' in body


class TestSecrecy:
    def test_no_address_and_no_log_holds_the_text(self, page, caplog):
        caplog.set_level(logging.DEBUG)
        page.raise_request_exception = False
        for text in (card_text(**HERS), card_text()[:60], "042180000777|x", "|" * 900):
            answer = page.post(SCAN, {"text": text})
            assert not answer.headers.get("Location")
        assert "/scan/" in caplog.text  # the refusals are logged, by their address
        assert "042180000777" not in caplog.text
        assert "Giả" not in caplog.text

    def test_a_get_takes_no_text(self, page):
        body = page.get(SCAN, {"text": card_text(**HERS)}).content.decode()
        assert "TRẦN THỊ GIẢ" not in body

    def test_an_error_report_hides_it(self, cast, person, round, monkeypatch):
        request = RequestFactory().post(SCAN, {"text": card_text(**HERS)})
        request.user = cast.officer
        monkeypatch.setattr(card_views, "render", lambda *_args, **_named: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            card_views.card_scan(request)
        hidden = SafeExceptionReporterFilter().get_post_parameters(request)
        assert "text" in hidden
        assert "042180000777" not in str(hidden)

    def test_the_page_is_kept_nowhere(self, page):
        assert scanned(page).headers["Cache-Control"] == "no-store"
