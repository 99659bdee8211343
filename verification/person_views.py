"""The pages of a new person: add her from her household, see what was saved, undo it."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from census_verify import clock
from households import suspicions
from households.models import Household
from households.permissions import scope_of
from verification import items, new_people, rules, work
from verification.models import NewPerson, Round
from verification.new_people import InvalidPerson
from verification.person_forms import PersonForm, suggestions
from verification.rules import Doubtful, Refusal


@require_http_methods(["GET", "POST"])
def person_create(request: HttpRequest, pk: int) -> HttpResponse:
    """A form for somebody who has none. What is suspected is shown before it is saved; a second Enter saves it."""
    household, round = work.household_of(request.user, pk), Round.objects.current()
    if household is None or round is None:
        raise Http404
    try:
        new_people.require_may_add(household, round, request.user)
        if request.method == "GET":
            return _page(request, household, round, PersonForm.fresh(household, clock.today()))
        form = PersonForm(request.POST)
        if not form.is_valid():
            return _page(request, household, round, form, status=400)
        return _save(request, household, round, form)
    except Refusal as refusal:
        return _refused(request, refusal, household.pk)


def _save(request: HttpRequest, household: Household, round: Round, form: PersonForm) -> HttpResponse:
    try:
        added = new_people.add_person(
            round=round,
            household_id=household.pk,
            entry=form.entry(),
            submission=form.cleaned_data["submission"],
            seen=form.cleaned_data["seen"].split(),
            by=request.user,
        )
    except InvalidPerson as invalid:
        for name, sentence in invalid.errors.items():
            form.add_error(name if name in form.fields else None, sentence)
        return _page(request, household, round, form, status=invalid.status)
    except Doubtful as doubtful:
        return _page(request, household, round, form, doubts=doubtful.doubts, status=doubtful.status)
    return redirect("verification:person_detail", added.person.submission)


def _page(request, household, round, form: PersonForm, *, doubts=(), status: int = 200) -> HttpResponse:
    form.point_at(doubts)
    context = {
        "household": household,
        "round": round,
        "form": form,
        "groups": form.groups(doubts),
        "doubts": doubts,
        "seen": " ".join(doubt.key for doubt in doubts),
        "suggestions": suggestions(household),
    }
    return render(request, "verification/person_new.html", context, status=status)


@require_GET
def person_detail(request: HttpRequest, submission: UUID) -> HttpResponse:
    """What was saved of a new person: who found her and why she is new; the finder may undo it for some minutes."""
    person = get_object_or_404(_people(request), submission=submission)
    if person.form is None:
        return redirect(_household_undone(person))
    forms = list(person.household.forms.order_by("line", "pk"))
    suspected = suspicions.reasons(forms, scope_of(request.user))[person.form_id]
    context = {
        "person": person,
        "form": person.form,
        "household": person.household,
        "items": [
            (
                item.label,
                items.readable(item.name, items.value_of(person.form, item.name)),
                suspected.get(item.name, []),
            )
            for item in new_people.ITEMS.values()
        ],
        "can_add": person.round.status == Round.Status.OPEN and scope_of(request.user).records_in(person.commune_id),
        "can_undo": _can_undo(person, request.user),
    }
    return render(request, "verification/person_detail.html", context)


@require_POST
def person_undo(request: HttpRequest, submission: UUID) -> HttpResponse:
    """Take a new person back, and open the household again."""
    person = get_object_or_404(_people(request), submission=submission)
    try:
        person = new_people.undo_person(submission=submission, by=request.user)
    except Refusal as refusal:
        return _refused(request, refusal, person.household_id)
    return redirect(_household_undone(person))


def _people(request: HttpRequest):
    people = NewPerson.objects.visible_to(request.user)
    return people.select_related("form", "round", "officer", "household__hamlet", "household__commune__parent")


def _can_undo(person: NewPerson, officer) -> bool:
    if person.officer_id != officer.pk or person.round.status != Round.Status.OPEN:
        return False
    try:
        rules.require_undoable(person.recorded_at, now=clock.now(), minutes=person.round.undo_minutes)
    except Refusal:
        return False
    return True


def _household_undone(person: NewPerson) -> str:
    return f"{reverse('verification:household_verify', args=[person.household_id])}?undone=1"


def _refused(request: HttpRequest, refusal: Refusal, household_id: int) -> HttpResponse:
    if refusal.status == 403:
        return render(request, "403.html", {"reason": refusal.sentence}, status=403)
    return render(request, "409.html", {"refusal": refusal, "household_id": household_id}, status=refusal.status)
