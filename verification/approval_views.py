"""The district's queue: what waits, approved or returned one by one or many at once."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as say
from django.views.decorators.http import require_http_methods

from households import text
from households.models import AdministrativeUnit
from households.permissions import scope_of
from verification import approvals, permissions, waiting
from verification.forms import BROKEN, BROKEN_SENTENCE
from verification.models import Round
from verification.rules import InvalidEntry, Refusal
from verification.terms import Approval
from verification.views import current_round

ID = re.compile(r"[0-9]{1,18}")
REASON = re.compile(r"reason-([0-9]{1,18})")
CHOSEN = "chosen"  # what a button says that acts on everything ticked
DECISIONS = {"approve": Approval.APPROVED, "return": Approval.RETURNED}


@dataclass
class Sent:
    """What was pressed, ticked and typed. `target` is one pass, or CHOSEN."""

    decision: Approval | None = None
    target: str = ""
    ticked: set[int] = field(default_factory=set)
    reasons: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: QueryDict) -> "Sent":
        pressed = next((name for name in DECISIONS if name in data), "")
        reasons = {match[1]: data[name] for name in data if (match := REASON.fullmatch(name))}
        return cls(
            decision=DECISIONS.get(pressed),
            target=data.get(pressed, ""),
            ticked={int(value) for value in data.getlist("pass") if ID.fullmatch(value)},
            reasons=reasons | {CHOSEN: data.get("reason", "")},
        )

    @property
    def pass_ids(self) -> set[int]:
        return self.ticked if self.target == CHOSEN else {int(self.target)} if ID.fullmatch(self.target) else set()

    @property
    def reason(self) -> str:
        return self.reasons.get(self.target, "")


@require_http_methods(["GET", "POST"])
def approval_list(request: HttpRequest) -> HttpResponse:
    """The queue, oldest first. GET shows a page of it; POST decides and comes back to the same place."""
    if not permissions.can_see_queue(request.user):
        raise Http404("no queue of hers")
    round = current_round()
    if request.method == "GET":
        return _page(request, round)
    sent = Sent.read(request.POST)
    try:
        decided = _decide(request, round, sent)
    except Refusal as refusal:
        return _page(request, round, sent, refusal)
    return redirect(_back_to(request, sent, len(decided)))


def _decide(request: HttpRequest, round: Round, sent: Sent) -> list:
    if sent.decision is None:
        raise InvalidEntry(say("Nothing was decided: press “Approve” or “Return”."))
    if any(sign in sent.reason for sign in BROKEN):
        raise InvalidEntry(str(BROKEN_SENTENCE), field="reason")
    return approvals.decide(
        round=round, pass_ids=sent.pass_ids, approval=sent.decision, by=request.user, reason=text.clean(sent.reason)
    )


def _back_to(request: HttpRequest, sent: Sent, count: int) -> str:
    """The same filter and page; the fragment is where the keys go on."""
    asked = {name: request.GET[name] for name in ("commune", "kind", "after") if request.GET.get(name)}
    query = urlencode(asked | {"done": sent.decision.value, "count": count})
    going_on = request.POST.get("next", "")
    fragment = f"#w{going_on}" if ID.fullmatch(going_on) else ""
    return f"{reverse('verification:approval_list')}?{query}{fragment}"


def _page(request: HttpRequest, round: Round, sent: Sent | None = None, refusal: Refusal | None = None) -> HttpResponse:
    scope, kind = scope_of(request.user), request.GET.get("kind", "")
    kind = kind if kind in waiting.Kind.values else ""
    communes = waiting.communes_of(scope)
    counted = waiting.counts(round, communes)
    chosen = _commune(request, communes)
    within = [count for count in counted if chosen in (None, count.commune)]
    after = request.GET.get("after", "")
    shown, next_key = waiting.page_after(round, [count.commune for count in within], kind, after, scope)
    _keep(shown, sent, refusal)
    kinds = [(value, label, sum(count.of(value) for count in within)) for value, label in waiting.Kind.choices]
    context = {
        "round": round,
        "kind": kind,
        "kinds": [found for found in kinds if found[2] or found[0] != waiting.Kind.OTHERS],
        "commune": chosen,
        "counted": [(count.commune, count.of(kind)) for count in counted if count.of(kind) or count.commune == chosen],
        "in_all": waiting.Summary(
            sum(count.of("") for count in within), min((count.since for count in within), default=None)
        ),
        "items": shown,
        "next_key": next_key,
        "after": after,
        "can_decide": round.status == Round.Status.OPEN and bool(permissions.units_to_decide_in(request.user, round)),
        "refusal": refusal,
        "sent": sent,
        "target": sent.target if sent else "",
        "reason": sent.reasons[CHOSEN] if sent else "",
        "done": request.GET.get("done", ""),
        "done_count": int(count) if ID.fullmatch(count := request.GET.get("count", "")) else 0,
    }
    return render(request, "verification/approval_list.html", context, status=refusal.status if refusal else 200)


def _commune(request: HttpRequest, communes: list[AdministrativeUnit]) -> AdministrativeUnit | None:
    asked = request.GET.get("commune", "")
    if not asked:
        return None
    found = next((commune for commune in communes if str(commune.pk) == asked), None)
    if found is None:
        raise Http404("no commune of hers")
    return found


def _keep(shown: list[waiting.Item], sent: Sent | None, refusal: Refusal | None) -> None:
    """What was ticked and typed stays, and whoever stands in the way is told so in her place."""
    for item in shown if sent else ():
        item.is_chosen = item.made.pk in sent.ticked
        item.reason = sent.reasons.get(str(item.made.pk), "")
        item.problem = refusal.offenders.get(item.form.pk, "") if refusal else ""
