"""The district's queue as a page and a plain form, and what came back on the officer's list."""

import re
from datetime import date

import pytest
from django.urls import reverse

from households.models import CollectionForm
from households.tests.factories import make_household, make_officer
from verification import waiting
from verification.models import Correction, PassEvent, Round, RoundForm, VerificationPass
from verification.rules import CorrectionEntry
from verification.tests.factories import decide, record

QUEUE = "/approvals/"
BIRTH_DATE = CorrectionEntry("birth_date", "12/3/1956", "birth_certificate", note="số 12/1956")
DIED = {"event_on": date(2019, 1, 2), "paper": "archive"}


@pytest.fixture
def page(client, round, cast):
    client.force_login(cast.supervisor)
    return client


@pytest.fixture
def queue(round, homes, cast) -> list[int]:
    """Two corrections of Hương Trà, a death of Phú Gia: the passes, oldest first."""
    made = record(homes.two, cast.officer, "corrected", corrections=(BIRTH_DATE,)).passes
    died = record(homes.phu_gia, cast.member, "deceased", only=[homes.phu_gia.forms.first().pk], **DIED).passes
    return [p.pk for p in (*made, *died)]


def approvals() -> list[str]:
    return list(RoundForm.objects.exclude(approval="").order_by("standing_pass").values_list("approval", flat=True))


def shown(answer) -> list[int]:
    return [item.made.pk for item in answer.context["items"]]


class TestSeeing:
    def test_oldest_first_with_what_is_proposed(self, page, queue, cast):
        answer = page.get(QUEUE)
        assert shown(answer) == queue
        body = answer.content.decode()
        for said in ("17/05/1980", "12/03/1956", "Giấy khai sinh", "số 12/1956", cast.officer.full_name, "Xã Hương Trà",
                     "2/1/2019"):  # fmt: skip
            assert said in body, said

    def test_by_commune_and_kind_with_counts(self, page, queue, tree):
        answer = page.get(QUEUE, {"kind": "removals"})
        assert shown(answer) == queue[2:]
        assert [(value, number) for value, _, number in answer.context["kinds"]] == [
            ("corrections", 2),
            ("removals", 1),
        ]
        assert shown(page.get(QUEUE, {"commune": tree.huong_tra.pk})) == queue[:2]
        assert shown(page.get(QUEUE, {"commune": tree.huong_tra.pk, "kind": "removals"})) == []
        assert page.get(QUEUE, {"commune": tree.hung_tri.pk}).status_code == 404
        assert page.get(QUEUE, {"kind": "x", "after": "y"}).status_code == 200

    def test_pages_by_key(self, page, round, tree, cast, monkeypatch):
        monkeypatch.setattr(waiting, "PAGE", 2)
        for hamlet in (tree.dong, tree.phu_gia_1, tree.tay):
            home = make_household(hamlet, people=2)
            RoundForm.objects.bulk_create(
                RoundForm(round=round, form=form, province_id=form.province_id, commune_id=form.commune_id,
                          hamlet_id=form.hamlet_id, household=home) for form in home.forms.all()
            )  # fmt: skip
            record(home, cast.member, "emigrated")
        seen, key = [], ""
        for _ in range(3):
            answer = page.get(QUEUE, {"after": key} if key else {})
            seen += shown(answer)
            key = answer.context["next_key"]
        assert key == ""
        rows = RoundForm.objects.filter(approval="pending").order_by("waits_since", "form")
        assert seen == list(rows.values_list("standing_pass", flat=True))
        assert len(seen) == 6

    def test_as_many_questions_for_one_as_for_many(self, page, queue, homes, cast, django_assert_num_queries):
        page.get(QUEUE)
        record(homes.four, cast.officer, "emigrated")
        with django_assert_num_queries(13):
            page.get(QUEUE, {"kind": "removals", "commune": homes.phu_gia.commune_id})
        with django_assert_num_queries(13):
            assert len(shown(page.get(QUEUE))) == 7

    def test_a_duplicate_beside_its_other_form(self, page, round, homes, cast, tree):
        here = homes.three.forms.first()
        near, far = homes.four.forms.first(), homes.hung_tri.forms.first()
        CollectionForm.objects.filter(pk__in=[near.pk, far.pk]).update(cmnd="183999111")
        record(homes.three, cast.officer, "duplicate", only=[here.pk], duplicate_barcode=near.barcode)
        body = page.get(QUEUE).content.decode()
        assert near.barcode in body
        assert "183999111" in body
        record(homes.three, cast.officer, "duplicate", only=[here.pk], duplicate_barcode=far.barcode)
        body = page.get(QUEUE).content.decode()
        assert "183999111" not in body, "a person of another district"
        assert "Thị xã Kỳ Anh" in body or "thị xã Kỳ Anh" in body

    def test_what_was_before(self, page, queue, homes, cast):
        form = homes.two.forms.first()
        decide([form.pk], cast.supervisor, "returned", "giấy khai sinh mờ")
        record(homes.two, cast.officer, "corrected", only=[form.pk], corrections=(BIRTH_DATE,))
        body = page.get(QUEUE).content.decode()
        assert "giấy khai sinh mờ" in body
        assert "Diễn biến trước (2)" in body

    @pytest.mark.parametrize("who", ["pc06", "admin"])
    def test_others_who_see_persons_read_only(self, client, queue, cast, who):
        client.force_login(getattr(cast, who))
        answer = client.get(QUEUE)
        assert shown(answer) == queue
        assert 'name="approve"' not in answer.content.decode()
        assert client.post(QUEUE, {"approve": queue[0]}).status_code == 403
        assert not PassEvent.objects.exists()

    @pytest.mark.parametrize("who", ["officer", "member", "leader", "stranger"])
    def test_nobody_else(self, client, queue, cast, who):
        client.force_login(getattr(cast, who))
        assert client.get(QUEUE).status_code == 404
        assert client.post(QUEUE, {"approve": queue[0]}).status_code == 404

    def test_an_empty_queue(self, page):
        assert "Đã duyệt xong" in page.get(QUEUE).content.decode()


class TestDeciding:
    def test_approve_one(self, page, queue):
        answer = page.post(f"{QUEUE}?kind=corrections", {"approve": queue[0], "next": queue[1]})
        assert answer.status_code == 302
        assert answer.url == f"{QUEUE}?kind=corrections&done=approved&count=1#w{queue[1]}"
        assert approvals() == ["approved", "pending", "pending"]
        assert "Đã duyệt 1 kết quả" in page.get(answer.url).content.decode()

    def test_return_one_with_its_own_reason(self, page, queue):
        page.post(QUEUE, {"return": queue[1], f"reason-{queue[1]}": " mờ ", "reason": "của nhiều người"})
        assert PassEvent.objects.get().reason == "mờ"
        assert approvals() == ["pending", "returned", "pending"]

    def test_many_at_once(self, page, queue):
        page.post(QUEUE, {"approve": "chosen", "pass": queue})
        assert approvals() == ["approved"] * 3
        assert set(CollectionForm.objects.filter(birth_year=1956).values_list("birth_month", flat=True)) == {3}

    def test_many_returned(self, page, queue):
        page.post(QUEUE, {"return": "chosen", "pass": queue[:2], "reason": "thiếu giấy tờ"})
        assert approvals() == ["returned", "returned", "pending"]

    def test_no_reason_and_what_was_typed_stays(self, page, queue):
        answer = page.post(
            QUEUE, {"return": "chosen", "pass": queue[:1], "reason": " ", f"reason-{queue[2]}": "đang gõ"}
        )
        body = answer.content.decode()
        assert answer.status_code == 400
        assert [item.is_chosen for item in answer.context["items"]] == [True, False, False]
        assert 'value="đang gõ"' in body
        assert approvals() == ["pending"] * 3

    def test_offenders_are_named_and_nobody_is_decided(self, page, queue, homes):
        one, two = homes.two.forms.order_by("line")
        CollectionForm.objects.filter(pk=one.pk).update(birth_year=1981, full_name="TRẦN VĂN MỘT")
        CollectionForm.objects.filter(pk=two.pk).update(birth_year=1982, full_name="TRẦN VĂN HAI")
        answer = page.post(QUEUE, {"approve": "chosen", "pass": queue})
        assert answer.status_code == 409
        body = answer.content.decode()
        assert body.count("TRẦN VĂN MỘT: mục") == body.count("TRẦN VĂN HAI: mục") == 2  # above, and in their places
        assert all(item.is_chosen for item in answer.context["items"])
        assert approvals() == ["pending"] * 3

    def test_pressed_twice(self, page, queue, cast):
        page.post(QUEUE, {"approve": queue[0]})
        answer = page.post(QUEUE, {"approve": queue[0]})
        assert answer.status_code == 409
        assert f"được {cast.supervisor.full_name} duyệt" in answer.content.decode()
        assert PassEvent.objects.count() == 1

    @pytest.mark.parametrize("sent", [{}, {"approve": "x"}, {"approve": "chosen"}, {"nothing": "1"}, {"approve": "9" * 18},
                                      {"return": "chosen", "reason": "\ufffd", "pass": "1"}])  # fmt: skip
    def test_nonsense(self, page, queue, sent):
        assert page.post(QUEUE, sent).status_code == 400
        assert approvals() == ["pending"] * 3

    def test_of_another_district(self, client, queue, tree):
        client.force_login(make_officer("district_officer", tree.ky_anh))
        assert client.post(QUEUE, {"approve": queue[0]}).status_code == 403
        assert approvals() == ["pending"] * 3


class TestWhereItShows:
    def test_in_the_navigation_of_who_decides(self, page, queue, client, cast):
        assert '<span class="waiting">3</span>' in page.get("/teams/").content.decode()
        client.force_login(cast.pc06)
        body = client.get("/teams/").content.decode()
        assert QUEUE in body
        assert 'class="waiting"' not in body
        Round.objects.update(approving_level=Round.ApprovingLevel.PROVINCE)
        assert '<span class="waiting">3</span>' in client.get("/teams/").content.decode()
        client.force_login(cast.officer)
        assert QUEUE not in client.get("/teams/").content.decode()

    def test_the_navigation_does_not_count_for_ever(self, page, queue, monkeypatch):
        from households.statements import Statement

        few = Statement("how_many_wait_up_to_two", "bigint, text[]",
                        waiting.COUNT_FOR_NAVIGATION.prepare_sql.split(" AS ", 1)[1].replace("LIMIT 1000", "LIMIT 2"))  # fmt: skip
        monkeypatch.setattr(waiting, "COUNT_FOR_NAVIGATION", few)
        monkeypatch.setattr(waiting, "MANY", 2)
        assert '<span class="waiting">999+</span>' in page.get("/teams/").content.decode()

    def test_on_the_districts_first_page(self, page, queue, tree):
        body = page.get("/").content.decode()
        assert "<strong>3</strong> chỉnh sửa, đề nghị loại chờ duyệt" in body
        body = page.get(reverse("reports:unit_detail", args=[tree.phu_gia.pk])).content.decode()
        assert "<strong>1</strong> chỉnh sửa" in body
        assert f"{QUEUE}?commune={tree.phu_gia.pk}" in body

    def test_what_came_back_is_first_on_the_officers_list(self, client, queue, homes, cast, tree):
        form = homes.two.forms.first()
        decide([form.pk], cast.supervisor, "returned", "giấy khai sinh mờ")
        client.force_login(cast.officer)
        assert "giấy khai sinh mờ" in client.get("/").content.decode()
        for state in ("open", "returned", "corrected"):
            body = client.get(
                reverse("verification:form_list", args=[tree.huong_tra.pk]), {"state": state}
            ).content.decode()
            assert "giấy khai sinh mờ" in body, state
        assert client.get("/next/").url == reverse("verification:household_verify", args=[homes.two.pk])

    def test_days_since(self, page, queue, settings):
        settings.CENSUS_VERIFY_TODAY = date(2020, 6, 23)
        assert "chờ 4 ngày" in page.get(QUEUE).content.decode()


def test_the_index_of_what_waits_serves_the_queue(round, queue, django_assert_num_queries):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        # of three rows any index is as good as another: a table of the same name that has but this one
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'round_form_waiting'")
        (definition,) = cursor.fetchone()
        cursor.execute("CREATE TEMPORARY TABLE verification_roundform (LIKE verification_roundform) ON COMMIT DROP")
        cursor.execute(re.sub(r" ON \S+ ", " ON pg_temp.verification_roundform ", definition, count=1))
        values = {
            "communes": [1],
            "round": round.pk,
            "outcomes": ["corrected"],
            "since": waiting.BEGINNING,
            "form": 0,
            "rows": 9,
        }
        cursor.execute("EXPLAIN " + waiting.PAGE_FORMS, values)
        assert "round_form_waiting" in "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("DROP TABLE pg_temp.verification_roundform")
    assert Correction.objects.filter(approval="pending").count() == 2
    assert VerificationPass.objects.count() == 3
