"""The entry page, as a plain form."""

from uuid import uuid4

import pytest
from django.urls import reverse

from households.tests.factories import make_form
from verification.models import Correction, RoundForm, VerificationPass
from verification.tests.factories import record


def address(household) -> str:
    return reverse("verification:household_verify", args=[household.pk])


def typed(household, **changes) -> dict:
    """What the page sends when everybody is all right, with `changes` to single fields."""
    fields = {"submission": uuid4(), "methods": "both", "verified_on": "19/6/2020"}
    fields |= {f"p{form.pk}-outcome": "matched" for form in household.forms.all()}
    return fields | changes


@pytest.fixture
def page(client, round, cast):
    client.force_login(cast.officer)
    return client


class TestSeeing:
    def test_the_people_their_items_and_what_is_suspected(self, page, homes):
        make_form(homes.two, line=3, full_name="TRẦN THỊ GIẢ", pin="042080000123", sex=2, relation="Vợ")
        make_form(homes.two, line=4, qualification="refused", refusal_reason="unreadable", relation="Con")
        body = page.get(address(homes.two)).content.decode()
        assert "TRẦN THỊ GIẢ" in body
        assert "số thứ 4 là 0" in body
        assert body.count('-outcome"') == 2  # the two in the round; the later ones are not asked
        assert "mờ, rách" in body

    def test_it_costs_the_same_queries_whatever_the_size(self, page, homes, tree, django_assert_max_num_queries):
        page.get(address(homes.two))  # prepares what is prepared once a connection
        with django_assert_max_num_queries(12):
            page.get(address(homes.two))
        with django_assert_max_num_queries(12):
            page.get(address(homes.four))

    def test_a_result_shows_who_and_when(self, page, homes, cast):
        record(homes.two, cast.officer)
        body = page.get(address(homes.two)).content.decode()
        assert cast.officer.full_name in body
        assert "selected" in body

    def test_supervisors_read_only(self, client, round, homes, cast):
        client.force_login(cast.supervisor)
        body = client.get(address(homes.two)).content.decode()
        assert '-outcome"' not in body


class TestSaving:
    def test_all_right_goes_to_the_next_household(self, page, homes, round):
        answer = page.post(address(homes.four), typed(homes.four))
        assert answer.status_code == 302
        assert answer.url.startswith(address(homes.two))
        assert VerificationPass.objects.standing().count() == 4
        body = page.get(answer.url).content.decode()
        assert homes.four.book_number in body
        assert reverse("verification:submission_undo", args=[VerificationPass.objects.first().submission]) in body

    def test_a_save_costs_few_queries(self, page, homes, django_assert_max_num_queries):
        with django_assert_max_num_queries(24):
            page.post(address(homes.four), typed(homes.four))

    def test_pressed_twice(self, page, homes):
        fields = typed(homes.four)
        first, second = page.post(address(homes.four), fields), page.post(address(homes.four), fields)
        assert first.status_code == second.status_code == 302
        assert VerificationPass.objects.count() == 4

    def test_a_second_officer_is_told(self, page, homes, cast):
        record(homes.four, cast.member)
        answer = page.post(address(homes.four), typed(homes.four))
        assert answer.status_code == 409
        assert cast.member.full_name in answer.content.decode()
        assert VerificationPass.objects.count() == 4

    def test_after_the_last_household_the_communes_page(self, page, homes, cast, client):
        for home in (homes.four, homes.two):
            record(home, cast.officer)
        answer = page.post(address(homes.three), typed(homes.three))
        assert answer.url.startswith(reverse("reports:unit_detail", args=[homes.three.commune_id]))
        assert page.get(answer.url).status_code == 200

    def test_a_correction_as_typed(self, page, homes):
        form = homes.two.forms.first()
        prefix = f"p{form.pk}"
        answer = page.post(
            address(homes.two),
            typed(
                homes.two,
                **{
                    f"{prefix}-outcome": "corrected",
                    f"{prefix}-c0-field": "full_name",
                    f"{prefix}-c0-new": "nguyễn văn thức",
                    f"{prefix}-c0-source": "birth_certificate",
                },
            ),
        )
        assert answer.status_code == 302
        correction = Correction.objects.get()
        assert (correction.old, correction.new, correction.fault) == ("NGUYỄN VĂN THỬ", "NGUYỄN VĂN THỨC", "L03")

    def test_left_as_she_is(self, page, homes):
        form = homes.two.forms.first()
        page.post(address(homes.two), typed(homes.two, **{f"p{form.pk}-outcome": ""}))
        assert VerificationPass.objects.count() == 1

    def test_the_absent_come_back_on_their_day_and_not_before(self, page, homes, tree, settings, round):
        from datetime import date

        form = homes.two.forms.first()
        prefix = f"p{form.pk}"
        absent = {f"{prefix}-outcome": "not_met", f"{prefix}-reason": "đi làm", f"{prefix}-next_visit_on": "25/6/2020"}
        page.post(address(homes.two), typed(homes.two, **absent))
        row = RoundForm.objects.get(form=form)
        assert not row.is_due(round, date(2020, 6, 24))
        assert row.is_due(round, date(2020, 6, 25))
        visited = []
        settings.CENSUS_VERIFY_TODAY = date(2020, 6, 24)
        answer = page.get(reverse("verification:unit_work", args=[tree.dong.pk]))
        visited.append(answer.url)
        settings.CENSUS_VERIFY_TODAY = date(2020, 6, 25)
        page.post(address(homes.four), typed(homes.four, verified_on="25/6/2020"))
        visited.append(page.get(reverse("verification:unit_work", args=[tree.dong.pk])).url)
        assert visited == [address(homes.four), address(homes.two)]


class TestBadInput:
    """Each gets a sentence, 4xx, and changes nothing; what was typed stays on the page."""

    def refused(self, page, household, status=400, **changes) -> str:
        answer = page.post(address(household), typed(household, **changes))
        assert answer.status_code == status
        assert not VerificationPass.objects.exists()
        assert not Correction.objects.exists()
        return answer.content.decode()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("verified_on", "20/6/2020"),
            ("verified_on", "31/2/2020"),
            ("verified_on", "hôm qua"),
            ("verified_on", ""),
            ("methods", "telepathy"),
            ("methods", ""),
            ("submission", "not-a-uuid"),
            ("submission", ""),
        ],
    )
    def test_of_the_sheet(self, page, homes, field, value):
        self.refused(page, homes.two, **{field: value})

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("outcome", "resurrected"),
            ("outcome", "x" * 5000),
            ("outcome", "not_met"),
            ("outcome", "corrected"),
            ("expected_pass", "999999999"),
            ("expected_pass", "one"),
        ],
    )
    def test_of_a_person(self, page, homes, field, value):
        form = homes.two.forms.first()
        status = 409 if value == "999999999" else 400
        self.refused(page, homes.two, status, **{f"p{form.pk}-{field}": value})

    def correction(self, form, **line) -> dict:
        line = {"field": "full_name", "new": "TRẦN THỊ GIẢ", "source": "archive"} | line
        return {f"p{form.pk}-outcome": "corrected"} | {f"p{form.pk}-c0-{name}": value for name, value in line.items()}

    def test_a_correction_without_a_source(self, page, homes):
        form = homes.two.forms.first()
        body = self.refused(page, homes.two, **self.correction(form, source=""))
        assert "TRẦN THỊ GIẢ" in body, "what was typed stays"
        assert "không có giấy tờ" in body

    def test_broken_utf8(self, page, homes):
        form = homes.two.forms.first()
        fields = typed(homes.two, **self.correction(form, new="PLACE"))
        body = "&".join(f"{name}={value}" for name, value in fields.items()).encode().replace(b"PLACE", b"Tr%C3%28n")
        answer = page.post(address(homes.two), body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 400
        assert "UTF-8" in answer.content.decode()
        assert not VerificationPass.objects.exists()

    def test_nul_bytes(self, page, homes):
        form = homes.two.forms.first()
        self.refused(page, homes.two, **self.correction(form, new="TR\x00ẦN"))

    def test_a_name_of_a_megabyte(self, page, homes):
        form = homes.two.forms.first()
        body = self.refused(page, homes.two, 413, **self.correction(form, new="A" * 1_100_000))
        assert "1 MB" in body

    def test_a_name_of_half_a_megabyte(self, page, homes):
        form = homes.two.forms.first()
        self.refused(page, homes.two, **self.correction(form, new="A" * 500_000))

    def test_a_form_of_another_commune(self, page, homes):
        other = homes.hung_tri.forms.first()
        answer = page.post(address(homes.hung_tri), typed(homes.hung_tri))
        assert answer.status_code == 404
        page.post(address(homes.two), typed(homes.two, **{f"p{other.pk}-outcome": "matched"}))
        assert not VerificationPass.objects.filter(form=other).exists()

    def test_nothing_chosen_for_anybody(self, page, homes):
        nothing = {f"p{form.pk}-outcome": "" for form in homes.two.forms.all()}
        self.refused(page, homes.two, **nothing)

    def test_in_english_too(self, page, homes):
        page.cookies["django_language"] = "en"
        body = self.refused(page, homes.two, verified_on="20/6/2020")
        assert "future" in body


class TestUndoing:
    def undo(self, client, submission, method="post"):
        return getattr(client, method)(reverse("verification:submission_undo", args=[submission]))

    def test_the_household_opens_again(self, page, homes, cast):
        submission = record(homes.two, cast.officer).passes[0].submission
        answer = self.undo(page, submission)
        assert answer.url.startswith(address(homes.two))
        assert page.get(answer.url).status_code == 200
        assert not VerificationPass.objects.standing().exists()

    def test_pressed_twice(self, page, homes, cast):
        submission = record(homes.two, cast.officer).passes[0].submission
        assert self.undo(page, submission).status_code == self.undo(page, submission).status_code == 302

    def test_refused_by_get_to_a_colleague_and_to_a_stranger(self, page, client, homes, cast):
        submission = record(homes.two, cast.officer).passes[0].submission
        assert self.undo(page, submission, "get").status_code == 405
        client.force_login(cast.member)
        assert self.undo(client, submission).status_code == 403
        client.force_login(cast.stranger)
        assert self.undo(client, submission).status_code == 404
        assert VerificationPass.objects.standing().count() == 2

    def test_too_late_is_said(self, page, homes, cast, round):
        submission = record(homes.two, cast.officer).passes[0].submission
        record(homes.two, cast.member)
        assert self.undo(page, submission).status_code == 409
