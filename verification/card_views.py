"""The page of a scanned chip card. Its text comes by POST only: it is in no address, no log and no error report."""

import re
from uuid import uuid4

from csp.constants import SELF
from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from census_verify import clock
from households.models import AdministrativeUnit, CollectionForm
from households.permissions import scope_of
from verification import card_match, cards, permissions
from verification.cards import Card
from verification.forms import CORRECTION_LINES, TYPED, Methods
from verification.models import Round, RoundForm
from verification.rules import Refusal
from verification.templatetags.results import typed_day
from verification.terms import Approval, Outcome, SourcePaper

# The reader of QR codes is WebAssembly, which counts as script. Only here.
QR_READER = {"script-src": ["'wasm-unsafe-eval'"], "media-src": [SELF]}
ID = re.compile(r"[0-9]{1,18}")
# What the entry page held when the card was scanned there: it goes through this page and back, typed as it was.
ALONG = re.compile(rf"p[0-9]{{1,18}}-({'|'.join(map(re.escape, ['outcome', 'expected_pass', *TYPED]))})")


@sensitive_post_parameters()
@sensitive_variables()
@csp_update(QR_READER)
@require_http_methods(["GET", "POST"])
def card_scan(request: HttpRequest) -> HttpResponse:
    """Scan a card, or see what the scanned one says beside the form."""
    scope = scope_of(request.user)
    if not scope.person_units:
        raise Http404("figures only, no persons")
    context, status = {}, 200
    if request.method == "POST":
        try:
            card = cards.parse(request.POST.get("text", ""))
        except Refusal as refusal:
            context, status = {"refusal": refusal}, refusal.status
        else:
            context = _result(request, card)
            units = scope.person_units
            context["is_one_commune"] = len(units) == 1 and units[0].level == AdministrativeUnit.Level.COMMUNE
    response = render(request, "verification/card_scan.html", context, status=status)
    response.headers["Permissions-Policy"] = "camera=(self)"
    return response


def _result(request: HttpRequest, card: Card) -> dict:
    """The person if it can be only one or was chosen, else everybody it may be."""
    round = Round.objects.current()
    along = _along(request)
    context = {"card": card, "text": request.POST["text"], "contradiction": card.contradiction, "along": along}
    chosen = request.POST.get("form", "")
    if ID.fullmatch(chosen):
        return context | _compared(request, card, int(chosen), round, along)
    found = card_match.candidates(card, request.user, round)
    if len(found.forms) == 1:
        return context | _compared(request, card, found.forms[0].pk, round, along)
    return context | {"found": found}


def _along(request: HttpRequest) -> dict | None:
    """What was typed on the entry page of `household`, and nothing else that was sent."""
    household = request.POST.get("household", "")
    if not ID.fullmatch(household):
        return None
    fields = {name: value for name, value in request.POST.items() if ALONG.fullmatch(name) and value}
    heads = {name: request.POST[name] for name in ("methods", "verified_on") if name in request.POST}
    return {"household": int(household), "fields": {"more": "1", "submission": uuid4(), **heads, **fields}}


def _compared(request: HttpRequest, card: Card, form_id: int, round: Round | None, along: dict | None) -> dict:
    forms = CollectionForm.objects.visible_to(request.user).select_related("household", "hamlet", "commune")
    form = get_object_or_404(forms, pk=form_id)
    row = RoundForm.objects.in_round(round).filter(form=form).first() if round else None
    may_record = bool(row) and round.status == "open" and permissions.can_record_in(request.user, form.commune_id)
    comparisons = card_match.compare(form, card)
    is_somebody_else = card_match.is_somebody_else(comparisons)
    takeable = [c for c in comparisons if c.can_be_taken]
    if taken := request.POST.getlist("take"):  # without scripts: chosen here, sent on from the next page
        takeable = [c for c in takeable if c.item in taken]
        proposed = [c.item for c in takeable]
    else:
        proposed = [c.item for c in takeable if card_match.is_proposed(c, card) and not is_somebody_else]
    is_here = bool(along) and along["household"] == form.household_id
    typed = along["fields"] if is_here else _proposals(form, round) if may_record else {}
    return {
        "form": form,
        "row": row,
        "may_record": may_record,
        "comparisons": comparisons,
        "differing": sum(c.can_be_taken for c in comparisons),
        "proposed": proposed,
        "is_chosen": bool(taken and takeable),
        "is_somebody_else": is_somebody_else,
        "is_here": is_here,
        "sheet": _sheet(form, typed, takeable) if may_record and takeable else None,
    }


def _proposals(form: CollectionForm, round: Round) -> dict:
    """What the entry page of the household proposes by itself, as it is sent."""
    today = clock.today()
    fields = {"more": "1", "submission": uuid4(), "methods": Methods.BOTH, "verified_on": typed_day(today)}
    for row in RoundForm.objects.in_round(round).filter(household=form.household_id):
        is_proposed = row.is_due(round, today) and row.approval != Approval.RETURNED
        fields[f"p{row.form_id}-outcome"] = Outcome.MATCHED.value if is_proposed else ""
        fields[f"p{row.form_id}-expected_pass"] = row.standing_pass_id or ""
    return fields


def _sheet(form: CollectionForm, typed: dict, corrections: list[card_match.Comparison]) -> dict:
    """What the entry page is sent to open with these corrections typed in: `fields` for the household, `lines` for each
    correction, behind the `typed` ones that stand there for other items."""
    new_items = {c.item for c in corrections}
    person = f"p{form.pk}-"
    kept = []
    for line in range(CORRECTION_LINES):
        names = [name for name in typed if name.startswith(f"{person}c{line}-")]
        values = {name.rsplit("-", 1)[1]: typed[name] for name in names}
        if values.get("field") and values["field"] not in new_items:
            kept.append(values)
    fields = {name: value for name, value in typed.items() if not name.startswith(person)}
    fields[f"{person}expected_pass"] = typed.get(f"{person}expected_pass", "")
    is_supplement = not kept and all(not c.on_form for c in corrections)
    fields[f"{person}outcome"] = (Outcome.SUPPLEMENTED if is_supplement else Outcome.CORRECTED).value
    for line, values in enumerate(kept):
        fields |= {f"{person}c{line}-{name}": value for name, value in values.items()}
    lines = []
    for line, correction in enumerate(corrections[: CORRECTION_LINES - len(kept)], start=len(kept)):
        values = {"field": correction.item, "new": correction.new, "source": SourcePaper.IDENTITY_CARD.value}
        lines.append((correction, [(f"{person}c{line}-{name}", value) for name, value in values.items()]))
    return {"fields": fields, "lines": lines, "typed": len(kept)}
