"""People without a form: who may add them, what is refused, what is only suspected, pressed twice, undone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from unittest.mock import ANY
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from census_verify import clock
from households import services as register
from households import suspicions
from households.models import CollectionForm, SuspectedFault
from households.tests.factories import make_form, make_officer
from verification import items, new_people, rounds
from verification.models import NewPerson, RollupMark, Round, RoundForm
from verification.new_people import InvalidPerson, PersonEntry
from verification.rules import Conflict, Doubtful, NotAllowed
from verification.tests.factories import record

TODAY = date(2020, 6, 19)
NEWBORN = {
    "full_name": "Nguyễn Thị  Mới",
    "birth_date": "3/5/2020",
    "sex": "2",
    "relation": "Con",
    "birth_registration_place": "xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh",
    "origin_place": "xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh",
    "residence_place": "xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh",
    "present_place": "thôn Đông, xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh",
    "father_name": "Nguyễn Văn Thử",
    "mother_name": "Trần Thị Mẹ",
    "ethnicity": "Kinh",
    "religion": "Không",
    "nationality": "Việt Nam",
    "head_name": "Nguyễn Văn Thử",
}


def newborn(home, **changes) -> PersonEntry:
    head = {"reason": "born", "found_on": TODAY, "paper": "birth_certificate"}
    head |= {name: changes.pop(name) for name in list(changes) if name in PersonEntry.__dataclass_fields__}
    typed = NEWBORN | {"book_number": home.book_number} | changes
    return PersonEntry(items=typed, **head)


def add(home, by, *, submission=None, seen=(), round=None, **changes) -> new_people.Added:
    return new_people.add_person(
        round=round or Round.objects.current(), household_id=home.pk, entry=newborn(home, **changes),
        submission=submission or uuid4(), seen=seen, by=by,
    )  # fmt: skip


def seen_of(home, by, **changes) -> list[str]:
    with pytest.raises(Doubtful) as told:
        add(home, by, **changes)
    return [doubt.key for doubt in told.value.doubts]


def test_a_new_person_has_a_form_like_every_other(round, homes, cast):
    person = add(homes.four, cast.officer, barcode=" 04200 7").person
    form = CollectionForm.objects.get(pk=person.form_id)
    assert (form.full_name, form.birth_date_text, form.sex) == ("NGUYỄN THỊ MỚI", "03/05/2020", 2)
    assert (form.line, form.household, form.hamlet) == (5, homes.four, homes.four.hamlet)
    assert (form.commune, form.collected_unit, form.province) == (form.commune, form.commune, homes.four.province)
    assert (form.collected_on, form.qualification, form.barcode) == (TODAY, "collected", "042007")
    assert (form.form_version, form.is_synthetic) == ("TT41/2019", True)
    assert form.search_key == "nguyen thi moi"
    like_it = make_form(homes.two, line=9, full_name="NGUYỄN THỊ MỚI")
    assert (form.search_key, form.sort_key) == (like_it.search_key, like_it.sort_key)
    assert (person.officer, person.team, person.reason, person.paper) == (
        cast.officer,
        None,
        "born",
        "birth_certificate",
    )
    assert not RoundForm.objects.filter(form=form).exists(), "not in the round, so in no plan and no rate"
    assert RollupMark.objects.filter(round=round, commune=form.commune).exists()


def test_a_team_is_named_where_its_member_found_somebody(round, homes, cast):
    assert add(homes.phu_gia, cast.member).person.team == cast.team


@pytest.mark.parametrize("who", ["supervisor", "pc06", "admin", "leader", "stranger"])
def test_only_who_records_in_the_commune_adds(round, homes, cast, who):
    with pytest.raises(NotAllowed):
        add(homes.four, getattr(cast, who))
    assert not NewPerson.objects.exists()


def test_nobody_is_added_to_a_closed_round(round, homes, cast):
    Round.objects.update(status="closed")
    with pytest.raises(Conflict):
        add(homes.four, cast.officer)


def test_pressed_twice_is_once(round, homes, cast):
    submission = uuid4()
    first = add(homes.four, cast.officer, submission=submission)
    again = add(homes.four, cast.officer, submission=submission)
    assert (first.replayed, again.replayed) == (False, True)
    assert again.person == first.person
    assert NewPerson.objects.count() == 1
    for changed in ({"full_name": "Lê Văn Khác"}, {"birth_date": "4/5/2020"}):
        with pytest.raises(Conflict, match="mở lại hộ"):
            add(homes.four, cast.officer, submission=submission, **changed)
    with pytest.raises(Conflict):
        add(homes.two, cast.officer, submission=submission)
    colleague = make_officer("commune_officer", homes.four.commune)
    with pytest.raises(Conflict):
        add(homes.four, colleague, submission=submission)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"full_name": ""}, "full_name"),
        ({"full_name": "Nguyễn 4n"}, "full_name"),
        ({"full_name": "A" * 101}, "full_name"),
        ({"birth_date": ""}, "birth_date"),
        ({"birth_date": "30/2/2020"}, "birth_date"),
        ({"birth_date": "20/6/2020"}, "birth_date"),
        ({"sex": ""}, "sex"),
        ({"sex": "x"}, "sex"),
        ({"pin": "123"}, "pin"),
        ({"cmnd": "1830000011"}, "cmnd"),
        ({"mother_number": "12"}, "mother_number"),
        ({"blood_type": "X"}, "blood_type"),
        ({"marital_status": "7"}, "marital_status"),
        ({"reason": "tourist"}, "reason"),
        ({"paper": ""}, "paper"),
        ({"found_on": None}, "found_on"),
        ({"found_on": TODAY + timedelta(days=1)}, "found_on"),
        ({"found_on": date(2019, 12, 31)}, "found_on"),
        ({"barcode": "1" * 21}, "barcode"),
        ({"form_version": "DC99"}, "form_version"),
        ({"no_such_item": "x"}, "no_such_item"),
    ],
)
def test_what_cannot_be_right_is_refused_at_its_field(round, homes, cast, changes, field):
    with pytest.raises(InvalidPerson) as told:
        add(homes.four, cast.officer, **changes)
    assert list(told.value.errors) == [field]
    assert told.value.errors[field]
    assert not NewPerson.objects.exists()


def test_all_that_is_wrong_is_told_at_once(round, homes, cast):
    with pytest.raises(InvalidPerson) as told:
        add(homes.four, cast.officer, full_name="", sex="", paper="")
    assert set(told.value.errors) == {"full_name", "sex", "paper"}


def test_a_barcode_of_the_province_is_not_given_twice(round, homes, cast):
    theirs = homes.hung_tri.forms.first().barcode
    with pytest.raises(InvalidPerson) as told:
        add(homes.four, cast.officer, barcode=theirs)
    assert list(told.value.errors) == ["barcode"]
    assert add(homes.four, cast.officer).person.form.barcode == ""
    assert add(homes.two, cast.officer, full_name="Lê Thị Hai").person.form.barcode == ""


def test_what_is_suspected_is_told_first_and_saved_when_it_was_seen(round, homes, cast):
    odd = {"father_name": "", "relation": "Bố"}
    with pytest.raises(Doubtful) as told:
        add(homes.four, cast.officer, **odd)
    assert {doubt.field for doubt in told.value.doubts} == {"father_name", "relation"}
    assert told.value.status == 409
    assert not NewPerson.objects.exists()
    seen = [doubt.key for doubt in told.value.doubts]
    with pytest.raises(Doubtful):
        add(homes.four, cast.officer, seen=seen[:1], **odd)
    with pytest.raises(Doubtful):  # another value makes another doubt, which nobody has seen
        add(homes.four, cast.officer, seen=seen, **odd | {"mother_name": ""})
    assert add(homes.four, cast.officer, seen=seen, **odd).person.form.relation == "Bố"


def test_the_household_is_looked_at_as_a_whole(round, homes, cast):
    with pytest.raises(Doubtful) as told:
        add(homes.four, cast.officer, relation="Chủ hộ", birth_date="1990", reason="missed", marital_status="1",
            cmnd="183999999")  # fmt: skip
    assert any("2 người" in doubt.sentence for doubt in told.value.doubts), [d.sentence for d in told.value.doubts]


def test_the_same_person_elsewhere_is_told_with_the_place_as_far_as_she_may_see(round, homes, cast):
    twin = {"full_name": "PHAN THỊ ĐÔI", "birth_year": 2020, "birth_month": 5, "birth_day": 3, "sex": 2}
    here = make_form(homes.three, line=8, **twin)
    make_form(homes.hung_tri, line=8, **twin)
    with pytest.raises(Doubtful) as told:
        add(homes.four, cast.officer, full_name="Phan Thị Đôi")
    near, far = told.value.doubts
    assert here.barcode in near.sentence
    assert "Hương Trà" in near.sentence
    assert near.household_id == homes.three.pk
    assert "Kỳ Anh" in far.sentence
    assert "Hưng Trí" not in far.sentence
    assert far.household_id is None
    person = add(homes.four, cast.officer, full_name="Phan Thị Đôi", seen=[near.key, far.key]).person
    suspicions.sweep()
    assert SuspectedFault.objects.filter(form=person.form, fault="L09", field="full_name").exists()


@pytest.mark.parametrize(("box", "theirs"), [("pin", "pin"), ("pin", "cmnd"), ("cmnd", "cmnd"), ("cmnd", "pin")])
def test_a_number_of_somebody_else_is_told_in_whichever_box(round, homes, cast, box, theirs):
    make_form(homes.hung_tri, line=8, **{"cmnd": "", theirs: "042320000017"})
    with pytest.raises(Doubtful) as told:
        add(homes.four, cast.officer, **{box: "042320000017"})
    assert [d.field for d in told.value.doubts] == [box]
    other_sex = make_form(homes.three, line=8, full_name="NGUYỄN THỊ MỚI", birth_year=2020, birth_month=5, birth_day=3)
    assert f":{other_sex.pk}" not in "".join(d.key for d in told.value.doubts)


def test_a_form_of_another_province_is_nobody_here(round, homes, cast, tree):
    from households.tests.factories import Level, Type, make_hamlet, make_household, make_unit

    nghe_an = make_unit(tree.country, "Nghệ An", Type.PROVINCE, Level.PROVINCE, code="40")
    vinh = make_unit(nghe_an, "Vinh", Type.CITY, Level.DISTRICT, code="412")
    commune = make_unit(vinh, "Hưng Lộc", Type.RURAL_COMMUNE, Level.COMMUNE, code="16702")
    make_form(make_household(make_hamlet(commune)), pin="042320000017", cmnd="")
    assert add(homes.four, cast.officer, pin="042320000017").person


def test_a_name_of_odd_signs_asks_the_index_for_that_name(round, homes, cast):
    name = {"full_name": "NGUYỄN H'MỚI", "birth_year": 2020, "birth_month": 5, "birth_day": 3, "sex": 2}
    twin = make_form(homes.three, line=8, **name)
    assert seen_of(homes.four, cast.officer, full_name="Nguyễn H'Mới") == [f"L09:full_name:{twin.pk}"]


def test_undone_within_the_minutes_the_form_is_gone_and_the_record_stays(round, homes, cast):
    person = add(homes.four, cast.officer).person
    form_id = person.form_id
    suspicions.sweep()
    RollupMark.objects.all().delete()
    new_people.undo_person(submission=person.submission, by=cast.officer)
    person.refresh_from_db()
    assert (person.form, person.undone_at) == (None, ANY)
    assert not CollectionForm.objects.filter(pk=form_id).exists()
    assert RollupMark.objects.filter(commune=homes.four.commune).exists()
    assert new_people.undo_person(submission=person.submission, by=cast.officer) == person, "pressed twice"
    with pytest.raises(Conflict):
        add(homes.four, cast.officer, submission=person.submission)
    assert add(homes.four, cast.officer).person.form.line == 5


def test_undo_is_refused_to_others_and_too_late(round, homes, cast, monkeypatch):
    person = add(homes.four, cast.officer).person
    colleague = make_officer("commune_officer", homes.four.commune)
    with pytest.raises(NotAllowed):
        new_people.undo_person(submission=person.submission, by=colleague)
    late = clock.now() + timedelta(minutes=round.undo_minutes + 1)
    with monkeypatch.context() as patched:
        patched.setattr(clock, "now", lambda: late)
        with pytest.raises(Conflict):
            new_people.undo_person(submission=person.submission, by=cast.officer)
    Round.objects.update(status="closed")
    with pytest.raises(Conflict):
        new_people.undo_person(submission=person.submission, by=cast.officer)
    person.refresh_from_db()
    assert person.form


def test_a_form_that_a_result_names_cannot_be_undone(round, homes, cast):
    person = add(homes.four, cast.officer, barcode="0420009").person
    record(homes.two, cast.officer, "duplicate", only=[homes.two.forms.first().pk], duplicate_barcode="0420009")
    with pytest.raises(Conflict):
        new_people.undo_person(submission=person.submission, by=cast.officer)
    person.refresh_from_db()
    assert person.form_id


def test_undo_counts_the_communes_anew_whose_suspicions_go_with_the_form(round, homes, cast):
    twin = {"full_name": "PHAN THỊ ĐÔI", "birth_year": 2020, "birth_month": 5, "birth_day": 3, "sex": 2}
    make_form(homes.hung_tri, line=8, **twin)
    seen = seen_of(homes.four, cast.officer, full_name="Phan Thị Đôi")
    person = add(homes.four, cast.officer, full_name="Phan Thị Đôi", seen=seen).person
    suspicions.sweep()
    RollupMark.objects.all().delete()
    new_people.undo_person(submission=person.submission, by=cast.officer)
    assert set(RollupMark.objects.values_list("commune", flat=True)) == {
        homes.four.commune_id,
        homes.hung_tri.commune_id,
    }


class TestTheDatabase:
    def test_keeps_the_record(self, round, homes, cast):
        person = add(homes.four, cast.officer).person
        for change in ({"reason": "missed"}, {"found_on": date(2020, 6, 1)}, {"officer": cast.stranger}):
            with pytest.raises(IntegrityError, match="is history"), transaction.atomic():
                NewPerson.objects.filter(pk=person.pk).update(**change)
        with pytest.raises(IntegrityError, match="is history"), transaction.atomic():
            NewPerson.objects.filter(pk=person.pk).delete()

    def test_knows_no_record_without_form_that_was_not_undone(self, round, homes, cast):
        person = add(homes.four, cast.officer).person
        for change in ({"form": None}, {"undone_at": clock.now()}):
            with pytest.raises(IntegrityError, match="has_form_or_is_undone"), transaction.atomic():
                NewPerson.objects.filter(pk=person.pk).update(**change)

    def test_knows_no_record_that_does_not_say_why(self, round, homes, cast):
        person = add(homes.four, cast.officer).person
        with pytest.raises(IntegrityError, match="new_person_says_why"), transaction.atomic():
            NewPerson.objects.create(
                **{
                    name: getattr(person, name)
                    for name in (
                        "round",
                        "province",
                        "commune",
                        "hamlet",
                        "household",
                        "officer",
                        "found_on",
                        "recorded_at",
                    )
                },
                form=homes.two.forms.first(),
                submission=uuid4(),
                reason="",
                paper="other",
            )

    def test_a_submission_is_once(self, round, homes, cast):
        person = add(homes.four, cast.officer).person
        person.pk, person.form = None, homes.two.forms.first()
        with pytest.raises(IntegrityError), transaction.atomic():
            person.save(force_insert=True)


def test_a_later_round_has_the_new_person_in_its_plan(round, homes, cast, tree):
    person = add(homes.four, cast.officer).person
    CollectionForm.objects.filter(pk=person.form_id).update(qualification="qualified")
    Round.objects.update(status="closed")
    later = rounds.open_round(
        round=Round.objects.create(
            name="2021",
            area=tree.province,
            starts_on=date(2020, 6, 1),
            ends_on=date(2021, 6, 30),
            collected_until=TODAY,
        ),
        populations=dict.fromkeys([tree.huong_tra.pk, tree.phu_gia.pk, tree.hung_tri.pk], 100),
        by=cast.pc06,
    )
    assert RoundForm.objects.filter(round=later, form=person.form_id).exists()
    assert record(homes.four, cast.officer, round=later).passes


class TestPages:
    def address(self, home):
        return reverse("verification:person_create", args=[home.pk])

    def sent(self, home, **changes) -> dict:
        head = {"submission": str(uuid4()), "reason": "born", "found_on": "19/6/2020", "paper": "birth_certificate"}
        head |= {"form_version": "TT41/2019"}
        return NEWBORN | head | {"book_number": home.book_number} | changes

    def test_proposes_what_the_household_shares(self, client, round, homes, cast):
        client.force_login(cast.officer)
        page = client.get(self.address(homes.four)).content.decode()
        head = homes.four.forms.first()
        for value in (
            head.residence_place,
            head.ethnicity,
            head.religion,
            homes.four.head_name,
            homes.four.book_number,
        ):
            assert f'value="{value}"' in page
        assert 'value="19/6/2020"' in page

    def test_proposes_the_address_where_nobody_lives_yet(self, client, round, homes, cast, tree):
        from households.tests.factories import make_household

        empty = make_household(tree.tay)
        client.force_login(cast.officer)
        page = client.get(self.address(empty)).content.decode()
        assert 'value="Thôn Tây, đội 1, xã Hương Trà, huyện Hương Khê, tỉnh Hà Tĩnh"' in page

    def test_saves_shows_and_undoes(self, client, round, homes, cast):
        client.force_login(cast.officer)
        sent = self.sent(homes.four)
        answer = client.post(self.address(homes.four), sent)
        person = NewPerson.objects.get()
        assert answer.url == reverse("verification:person_detail", args=[person.submission])
        assert client.post(self.address(homes.four), sent).url == answer.url, "pressed twice"
        assert NewPerson.objects.count() == 1
        saved = client.get(answer.url).content.decode()
        assert "NGUYỄN THỊ MỚI" in saved
        assert "Hoàn tác" in saved
        shown = client.get(reverse("verification:household_verify", args=[homes.four.pk])).content.decode()
        assert "NGUYỄN THỊ MỚI" in shown
        found = client.get(reverse("verification:search"), {"q": "nguyen thi moi 2020"}).content.decode()
        assert f"?person={person.form_id}" in found
        undo = reverse("verification:person_undo", args=[person.submission])
        assert client.get(undo).status_code == 405
        assert client.post(undo).url.endswith("?undone=1")
        assert client.post(undo).url.endswith("?undone=1")
        assert client.get(answer.url).status_code == 302

    def test_keeps_what_was_typed_and_says_where_it_is_wrong(self, client, round, homes, cast):
        client.force_login(cast.officer)
        answer = client.post(self.address(homes.four), self.sent(homes.four, birth_date="31/2/2020", sex=""))
        page = answer.content.decode()
        assert answer.status_code == 400
        assert 'value="31/2/2020"' in page
        assert 'value="Nguyễn Thị  Mới"' in page
        assert 'id="id_birth_date_error"' in page
        assert 'id="id_sex_error"' in page
        assert 'aria-describedby="id_birth_date_error"' in page

    @pytest.mark.parametrize(
        "broken", [{"full_name": "a\x00b"}, {"submission": "x"}, {"found_on": "giả"}, {"origin_place": "x" * 3000}]
    )
    def test_refuses_what_cannot_be_read(self, client, round, homes, cast, broken):
        client.force_login(cast.officer)
        assert client.post(self.address(homes.four), self.sent(homes.four, **broken)).status_code == 400
        assert client.post(self.address(homes.four), {}).status_code == 400

    def test_asks_again_and_a_second_enter_saves(self, client, round, homes, cast):
        client.force_login(cast.officer)
        sent = self.sent(homes.four, father_name="")
        first = client.post(self.address(homes.four), sent)
        page = first.content.decode()
        assert first.status_code == 409
        assert 'id="id_father_name_doubt"' in page
        seen = page.split('name="seen" value="')[1].split('"')[0]
        assert client.post(self.address(homes.four), sent | {"seen": seen}).status_code == 302

    def test_supervisors_may_not_and_strangers_see_nothing(self, client, round, homes, cast):
        submission = add(homes.four, cast.officer).person.submission
        undo = reverse("verification:person_undo", args=[submission])
        detail = reverse("verification:person_detail", args=[submission])
        for who in (cast.supervisor, cast.pc06):
            client.force_login(who)
            assert client.get(self.address(homes.four)).status_code == 403
            assert client.post(self.address(homes.four), self.sent(homes.four)).status_code == 403
            assert client.get(detail).status_code == 200
            assert client.post(undo).status_code == 403
        for who in (cast.stranger, cast.leader):
            client.force_login(who)
            for address in (self.address(homes.four), detail):
                assert client.get(address).status_code == 404
            assert client.post(undo).status_code == 404

    def test_in_a_closed_round_says_so(self, client, round, homes, cast):
        Round.objects.update(status="closed")
        client.force_login(cast.officer)
        assert client.get(self.address(homes.four)).status_code == 409
        assert client.post(self.address(homes.four), self.sent(homes.four)).status_code == 409

    def test_a_page_asks_the_database_the_same_for_every_household(
        self, client, round, homes, cast, django_assert_max_num_queries
    ):
        client.force_login(cast.officer)
        for home in (homes.two, homes.four):
            with django_assert_max_num_queries(12):
                client.get(self.address(home))


class TestApi:
    def post(self, client, home, **changes):
        head = {"submission": str(uuid4()), "reason": "born", "found_on": "2020-06-19", "paper": "birth_certificate"}
        head |= {name: changes.pop(name) for name in ("submission", "reason", "seen", "barcode") if name in changes}
        body = head | {"items": NEWBORN | {"book_number": home.book_number} | changes}
        return client.post(reverse("api:household_people", args=[home.pk]), body, content_type="application/json")

    def test_the_same_rules(self, client, round, homes, cast):
        client.force_login(cast.officer)
        submission = str(uuid4())
        made = self.post(client, homes.four, submission=submission)
        assert (made.status_code, made.json()["form"]) == (201, NewPerson.objects.get().form_id)
        assert self.post(client, homes.four, submission=submission).status_code == 200
        wrong = self.post(client, homes.four, birth_date="x", sex="")
        assert (wrong.status_code, set(wrong.json()["errors"])) == (400, {"birth_date", "sex"})
        doubted = self.post(client, homes.four)
        assert (doubted.status_code, [d["field"] for d in doubted.json()["doubts"]]) == (409, ["full_name"])
        seen = [d["key"] for d in doubted.json()["doubts"]]
        assert self.post(client, homes.four, seen=seen).status_code == 201

    def test_is_closed_to_others(self, client, round, homes, cast):
        for who, status in ((cast.supervisor, 403), (cast.stranger, 404), (cast.leader, 404)):
            client.force_login(who)
            assert self.post(client, homes.four).status_code == status


# --- rules ---------------------------------------------------------------------------------

days = st.dates(date(1900, 1, 1), date(2025, 12, 31))


class Born:
    def __init__(self, day: date, *, parts: int):
        self.birth_year = day.year
        self.birth_month = day.month if parts > 1 else None
        self.birth_day = day.day if parts > 2 else None


@given(born=days, parts=st.integers(1, 3), until=days)
def test_at_most_one_of_the_reasons_contradicts_a_birth_date(born, parts, until):
    form = Born(born, parts=parts)
    against = {
        reason: new_people.reason_against_birth(reason, form, collected_until=until)
        for reason in ("born", "moved_in", "missed")
    }
    assert against["moved_in"] is None
    assert not (against["born"] and against["missed"])
    # never against the true one, however little of the date is known
    assert against["missed" if born <= until else "born"] is None
    if parts == 3:
        assert against["born" if born <= until else "missed"]


texts = st.text(max_size=30) | st.sampled_from(["Nguyễn Văn An", "3/5/2020", "1956", "Nam", "2", "A", "183000001"])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    typed=st.dictionaries(st.sampled_from([*new_people.ITEMS, "unknown"]), texts, max_size=10),
    reason=st.sampled_from(["born", "moved_in", "x"]),
    found_on=st.none() | st.dates(date(2019, 12, 1), date(2020, 7, 30)),
    barcode=texts,
)
def test_whatever_is_typed_is_read_or_told_by_field(typed, reason, found_on, barcode):
    def read(values):
        entry = PersonEntry(items=values, reason=reason, found_on=found_on, paper="other", barcode=barcode)
        return new_people.read_entry(entry, CollectionForm(sex=0), starts_on=date(2020, 1, 1), today=TODAY)

    form, errors = None, {}
    try:
        form = read(typed)
    except InvalidPerson as told:
        errors = told.errors
    assert errors.keys() <= {*new_people.ITEMS, "unknown", "reason", "found_on", "barcode"}
    assert all(errors.values())
    if form is None:
        assert errors
        return
    assert reason != "x"
    assert date(2020, 1, 1) <= form.collected_on == found_on <= TODAY
    assert form.full_name
    assert form.sex
    # what was read reads the same again
    again = read({name: value for name in new_people.ITEMS if (value := items.value_of(form, name))})
    assert {f.attname: getattr(again, f.attname) for f in form._meta.concrete_fields} == {
        f.attname: getattr(form, f.attname) for f in form._meta.concrete_fields
    }


# --- at the same moment ----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_officers_in_one_household_get_lines_of_their_own(round, homes, cast):
    colleague = make_officer("commune_officer", homes.four.commune)

    def press(by, name):
        try:
            return add(homes.four, by, full_name=name).person.form.line
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        told = [pool.submit(press, cast.officer, "Lê Thị Một"), pool.submit(press, colleague, "Lê Thị Hai")]
        assert sorted(one.result(timeout=30) for one in told) == [5, 6]


@pytest.mark.django_db(transaction=True)
def test_one_submission_pressed_at_once_is_one(round, homes, cast):
    submission = uuid4()

    def press():
        try:
            return add(homes.four, cast.officer, submission=submission).person.pk
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        told = [pool.submit(press) for _ in range(3)]
        assert len({one.result(timeout=30) for one in told}) == 1
    assert NewPerson.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_while_an_import_loads_nobody_waits_for_it(round, homes, cast, monkeypatch):
    monkeypatch.setattr(register, "WAIT_FOR_IMPORT", "100ms")

    def press():
        try:
            add(homes.four, cast.officer)
        except Conflict as told:
            return told.sentence
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE households_collectionform, households_household IN SHARE ROW EXCLUSIVE MODE")
        assert "nạp" in pool.submit(press).result(timeout=30)
    assert not NewPerson.objects.exists()
    assert add(homes.four, cast.officer).person
