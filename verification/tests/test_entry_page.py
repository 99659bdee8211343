"""What the entry page does beyond a plain save: doubts before recording, the answer to its script, the order of
households, the form that a duplicate repeats."""

import re

import pytest
from django.urls import reverse

from households.models import CollectionForm, Household
from households.tests.factories import make_form
from verification.models import Correction, Round, VerificationPass
from verification.tests.factories import decide, record
from verification.tests.test_household_verify import address, page, typed  # noqa: F401 - a fixture


def second_head(household, **changes) -> dict:
    """Somebody is corrected to be the head, which the household has already."""
    form = household.forms.order_by("line")[1]
    correction = {"field": "relation", "new": "Chủ hộ", "source": "household_book"}
    fields = {f"p{form.pk}-outcome": "corrected"}
    fields |= {f"p{form.pk}-c0-{name}": value for name, value in correction.items()}
    return typed(household, **fields, **changes)


class TestDoubts:
    @pytest.fixture(params=["with approval", "without approval"])
    def asked(self, request, round):
        """Where the round asks no approval a correction is the form's value at once."""
        if request.param == "without approval":
            Round.objects.filter(pk=round.pk).update(approval_outcomes=[])

    def test_told_first_and_recorded_by_a_second_enter(self, asked, page, homes):  # noqa: F811
        fields = second_head(homes.four)
        told = page.post(address(homes.four), fields)
        assert told.status_code == 409
        assert "Kiểm tra lại" in told.content.decode()
        assert "Chủ hộ" in told.content.decode(), "what was typed stays"
        assert '<span class="why">Quan hệ với chủ hộ: ' in told.content.decode(), "amber, at the person"
        assert 'class="error"' not in told.content.decode()
        assert 'data-current="2"' in told.content.decode(), "the keys go on where the correction is"
        assert not VerificationPass.objects.exists()
        assert homes.four.forms.filter(relation="Chủ hộ").count() == 1, "the form is as it was"
        seen = re.search(r'name="seen" value="([^"]+)"', told.content.decode())[1]
        assert page.post(address(homes.four), fields | {"seen": seen}).status_code == 302
        assert Correction.objects.get().new == "Chủ hộ"

    def test_of_something_else_are_told_again(self, page, homes):  # noqa: F811
        assert page.post(address(homes.four), second_head(homes.four, seen="0123456789abcdef")).status_code == 409
        assert not VerificationPass.objects.exists()

    def test_whoever_left_counts_no_more(self, page, homes):  # noqa: F811
        head = homes.four.forms.get(relation="Chủ hộ")
        gone = {"outcome": "moved_away", "destination": "Đà Nẵng", "event_on": "1/5/2020"}
        fields = second_head(homes.four) | {f"p{head.pk}-{name}": value for name, value in gone.items()}
        assert page.post(address(homes.four), fields).status_code == 302

    def test_names_of_others_follow_a_corrected_name(self, page, homes):  # noqa: F811
        head = homes.four.forms.get(relation="Chủ hộ")
        correction = {"field": "full_name", "new": "NGUYỄN VĂN THỨ", "source": "birth_certificate"}
        fields = {f"p{head.pk}-outcome": "corrected"}
        fields |= {f"p{head.pk}-c0-{name}": value for name, value in correction.items()}
        assert page.post(address(homes.four), typed(homes.four, **fields)).status_code == 302


def test_the_pages_script_is_told_where_to_go(page, homes):  # noqa: F811
    answer = page.post(address(homes.four), typed(homes.four), headers={"X-Entry": "1"})
    assert answer.status_code == 200
    assert answer.json()["next"].startswith(address(homes.two))
    assert VerificationPass.objects.count() == 4


class TestOrder:
    def choose(self, client, unit, order: str):
        return client.post(reverse("verification:unit_order", args=[unit.pk]), {"order": order})

    def walked(self, client, first: Household) -> list[int]:
        """The households as each save opens the next, until somewhere else."""
        seen, household = [], first
        while household and household.pk not in seen:
            seen.append(household.pk)
            answer = client.post(address(household), typed(household))
            found = re.fullmatch(r"/households/(\d+)/verify/.*", answer.url)
            household = found and Household.objects.get(pk=found[1])
        return seen

    @pytest.mark.parametrize("order", ["walk", "book", "address"])
    def test_is_kept_and_followed(self, page, homes, tree, order):  # noqa: F811
        Household.objects.filter(pk=homes.four.pk).update(book_number="3", address="Bình Minh")
        Household.objects.filter(pk=homes.two.pk).update(book_number="1", address="Cầu Đất")
        Household.objects.filter(pk=homes.three.pk).update(
            hamlet=tree.dong, book_number="2", address="An Sơn", sequence=99
        )
        CollectionForm.objects.filter(household=homes.three).update(hamlet=tree.dong)
        chosen = self.choose(page, tree.dong, order)
        key = {"walk": "sequence", "book": "book_number", "address": "address"}[order]
        homes_of_hamlet = list(Household.objects.filter(hamlet=tree.dong).order_by(key))
        assert page.get(chosen.url).url == address(homes_of_hamlet[0])
        assert self.walked(page, homes_of_hamlet[0]) == [home.pk for home in homes_of_hamlet]

    def test_an_unknown_one_changes_nothing(self, page, tree):  # noqa: F811
        assert "entry_order" not in self.choose(page, tree.dong, "sideways").cookies


class TestTwins:
    def test_side_by_side_within_what_she_may_see(self, page, homes, cast):  # noqa: F811
        twin = {"full_name": "PHAN THỊ ĐÔI", "birth_year": 1970}
        form = make_form(homes.two, line=9, **twin)
        here = make_form(homes.three, line=9, **twin)
        elsewhere = make_form(homes.hung_tri, line=9, **twin)
        body = page.get(reverse("verification:twin_list", args=[form.pk])).content.decode()
        assert here.barcode in body
        assert elsewhere.barcode not in body
        assert page.get(reverse("verification:twin_list", args=[elsewhere.pk])).status_code == 404

    def test_searched_for(self, page, homes):  # noqa: F811
        form = homes.two.forms.first()
        other = make_form(homes.three, line=9, full_name="HỒ THỊ KHÁC")
        body = page.get(reverse("verification:twin_list", args=[form.pk]), {"q": "ho thi khac"}).content.decode()
        assert other.barcode in body
        assert (
            "Không có ai khác"
            in page.get(reverse("verification:twin_list", args=[form.pk]), {"q": "zzzz"}).content.decode()
        )


def test_the_chain_from_what_was_collected(page, homes, cast):  # noqa: F811
    from verification.rules import CorrectionEntry

    form = homes.two.forms.first()
    correction = CorrectionEntry("birth_date", "12/3/1956", "archive")
    record(homes.two, cast.officer, "corrected", only=[form.pk], corrections=(correction,))
    assert "chờ duyệt" in page.get(address(homes.two)).content.decode()
    decide([form.pk], cast.supervisor)
    body = page.get(address(homes.two)).content.decode()
    assert "<del>17/05/1980</del> → <ins>12/03/1956</ins>" in body
    assert CollectionForm.objects.get(pk=form.pk).birth_date_text == "12/03/1956"
