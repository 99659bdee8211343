"""The Word templates of a province, for its administrators."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from households.models import AdministrativeUnit
from reports import permissions
from reports.models import ReportTemplate
from reports.official import templates, word
from reports.views import current_round
from verification.rules import InvalidEntry, Refusal

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@require_http_methods(["GET", "POST"])
def template_list(request: HttpRequest) -> HttpResponse:
    """Those that stand, what a template may name, and the place to bring a new one."""
    area = _area(request)
    refused, status = "", 200
    if request.method == "POST":
        try:
            _store(request, area)
        except Refusal as refusal:
            refused, status = refusal.sentence, refusal.status
        else:
            return redirect("reports:template_list")
    context = {
        "area": area,
        "refused": refused,
        "name": request.POST.get("name", ""),
        "templates": ReportTemplate.objects.standing().filter(area=area).select_related("uploaded_by"),
        "names": templates.names(),
        "figures": word.FIGURES,
        "annexes": word.shape()["annexes"],
    }
    return render(request, "reports/template_list.html", context, status=status)


@require_GET
def template_standard(request: HttpRequest) -> HttpResponse:
    """The standard template, to begin one's own from."""
    _area(request)
    return _as_file(word.standard_template(), "report-template.docx")


@require_GET
def template_file(request: HttpRequest, pk: int) -> HttpResponse:
    template = _template(request, pk)
    return _as_file(bytes(template.content), f"{template.name}.docx")


@require_POST
def template_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    templates.withdraw(by=request.user, template=_template(request, pk))
    return redirect("reports:template_list")


def _area(request: HttpRequest) -> AdministrativeUnit:
    areas = permissions.template_areas_of(request.user)
    if not areas:
        raise Http404
    return areas[0]


def _template(request: HttpRequest, pk: int) -> ReportTemplate:
    return get_object_or_404(ReportTemplate, pk=pk, area__in=permissions.template_areas_of(request.user))


def _store(request: HttpRequest, area: AdministrativeUnit) -> None:
    file = request.FILES.get("file")
    if file is None:
        raise InvalidEntry(str(templates.REFUSALS["not_word"]))
    if file.size > templates.BYTES_AT_MOST:
        raise InvalidEntry(templates.too_large())
    templates.store(
        by=request.user,
        area=area,
        name=request.POST.get("name", ""),
        file_name=file.name,
        content=file.read(),
        round=current_round(),
    )


def _as_file(content: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=WORD)
    answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return answer
