"""Photos and scans of papers: sent beside a correction, attached to a recorded one, shown to whoever may see the person."""

import re
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as say
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from households.models import CollectionForm
from households.permissions import scope_of
from verification import items, proof_encode, proofs
from verification.models import Correction, Proof, VerificationPass
from verification.rules import InvalidEntry, Refusal

ID = re.compile(r"[0-9]{1,18}")
TYPES = {Proof.Kind.IMAGE: "image/jpeg", Proof.Kind.PDF: "application/pdf"}
# A picture or a document and nothing else, whatever the bytes say: no script, no form, no other address.
POLICY = "default-src 'none'; sandbox"


@require_POST
def household_proof(request: HttpRequest, pk: int) -> HttpResponse:
    """A photo or scan for a correction that is being typed. A script gets its key, a plain form the household again."""
    sent = request.POST.get("form", "")
    forms = CollectionForm.objects.visible_to(request.user).filter(household=pk)
    if not forms.exists():
        raise Http404
    try:
        form = forms.filter(pk=int(sent)).first() if ID.fullmatch(sent) else None
        if form is None:
            raise InvalidEntry(say("Say whose paper it is."), field="form")
        proof = proofs.receive(form=form, source=_file(request), by=request.user)
    except Refusal as refusal:
        if _is_script(request):
            return JsonResponse({"sentence": refusal.sentence}, status=refusal.status)
        return render(request, "400.html", {"sentence": refusal.sentence}, status=refusal.status)
    if not _is_script(request):
        return redirect(f"{reverse('verification:household_verify', args=[pk])}?person={form.pk}")
    name = str(getattr(request.FILES["file"], "name", ""))[:100]
    return JsonResponse({"id": str(proof.pk), "name": name, "kind": proof.kind, "bytes": proof.bytes}, status=201)


@require_http_methods(["GET", "POST"])
def correction_proof(request: HttpRequest, pk: int) -> HttpResponse:
    """The plain page that attaches a photo or scan to a recorded correction."""
    visible = Correction.objects.filter(scope_of(request.user).persons_filter("verification_pass__"))
    correction = get_object_or_404(visible.select_related("verification_pass__form"), pk=pk)
    return _attach_page(request, correction, correction.verification_pass, correction)


@require_http_methods(["GET", "POST"])
def pass_proof(request: HttpRequest, pk: int) -> HttpResponse:
    """The same for the paper behind a death or an emigration."""
    visible = VerificationPass.objects.visible_to(request.user).select_related("form")
    verification_pass = get_object_or_404(visible, pk=pk)
    return _attach_page(request, verification_pass, verification_pass)


def _attach_page(
    request: HttpRequest,
    to: Correction | VerificationPass,
    verification_pass: VerificationPass,
    correction: Correction | None = None,
) -> HttpResponse:
    refusal, is_open = None, False
    try:
        proofs.require_attachable(to, request.user)
        is_open = True
        if request.method == "POST":
            proofs.attach(to=to, source=_file(request), by=request.user)
            return redirect(f"{request.path}?attached=1")
    except Refusal as refused:
        refusal = refused
    context = {
        "form": verification_pass.form,
        "verification_pass": verification_pass,
        "correction": correction,
        "proofs": list(to.proofs.order_by("uploaded_at")),
        "is_open": is_open,
        "is_attached": request.method == "GET" and "attached" in request.GET,
        "refusal": refusal,
        "limit_mb": proofs.MAX_BYTES // 2**20,
        "page_limit": proof_encode.MAX_PAGES,
    }
    if correction:
        context |= {
            "item": items.ITEMS[correction.field].label,
            "old": items.readable(correction.field, correction.old),
            "new": items.readable(correction.field, correction.new),
        }
    status = refusal.status if refusal and (request.method == "POST" or refusal.status == 403) else 200
    return render(request, "verification/proof_attach.html", context, status=status)


@require_GET
def proof_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The file itself."""
    return _show(request, get_object_or_404(Proof.objects.seen_by(request.user), pk=pk))


@require_GET
def proof_small(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A photo as lists show it, some ten kilobytes."""
    photos = Proof.objects.seen_by(request.user).filter(kind=Proof.Kind.IMAGE)
    return _show(request, get_object_or_404(photos, pk=pk), small=True)


def _show(request: HttpRequest, proof: Proof, *, small: bool = False) -> HttpResponse:
    path = proofs.path_of(proof, small=small)
    try:
        file = path.open("rb")
    except FileNotFoundError:
        sentence = say("The photo or scan is recorded, but its file is not on this server. Tell the administrator.")
        return render(request, "404.html", {"sentence": sentence}, status=404)
    answer = FileResponse(file, content_type=TYPES[proof.kind], filename=f"giay-to-{path.name}")
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-Encoding"] = "identity"  # packed already: the middleware would pack it once more
    return answer


def _file(request: HttpRequest):
    file = request.FILES.get("file")
    if file is None:
        raise InvalidEntry(say("Choose a photo or a scan."), field="file")
    return file


def _is_script(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
