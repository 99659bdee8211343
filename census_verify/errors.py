"""The pages of what went wrong. Where the database is away they do without it."""

import sys

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as say

from census_verify.uploads import AnswersTooBig, ProofTooBig, TemplateTooBig, UploadTooBig
from households.imports.files import MAX_BYTES
from reports.deliveries import answers
from reports.official import templates
from verification import proofs

DATABASE_AWAY = (OperationalError, InterfaceError)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, UploadTooBig):
        sentence = say("The file is larger than %(limit)d MB. Split it.") % {"limit": MAX_BYTES // 2**20}
        return _page(request, "400.html", 413, {"sentence": sentence})
    if isinstance(exception, ProofTooBig):
        return _sentence(request, 413, proofs.too_large())
    if isinstance(exception, AnswersTooBig):
        return _sentence(request, 413, answers.too_large().sentence)
    if isinstance(exception, TemplateTooBig):
        return _sentence(request, 413, templates.too_large())
    if isinstance(exception, RequestDataTooBig):
        sentence = say("More was sent than a household needs (1 MB at most). Nothing was recorded.")
        return _sentence(request, 413, sentence)
    return _page(request, "400.html", 400, {"sentence": getattr(exception, "sentence", "")})


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, "403.html", 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, "404.html", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """503 while the database restarts, since pressing again will do; 500 for a fault of ours."""
    if isinstance(sys.exc_info()[1], DATABASE_AWAY):
        return _database_away()
    return HttpResponse(render_to_string("500.html"), status=500)


def _sentence(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    """As a page, or for a script that sent a file and said what it can read."""
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse({"sentence": sentence}, status=status)
    return _page(request, "400.html", status, {"sentence": sentence})


def _page(request: HttpRequest, template: str, status: int, context: dict | None = None) -> HttpResponse:
    try:
        return render(request, template, context, status=status)
    except DATABASE_AWAY:
        return _database_away()


def _database_away() -> HttpResponse:
    return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "5"})
