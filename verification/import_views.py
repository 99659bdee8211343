"""The pages of imports: upload, name the columns, read what the check found, load or give up."""

from pathlib import Path

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from households.faults import Fault
from households.imports import files, headings, legacy_text, stages
from households.imports.problems import SENTENCES, FileRefused, sentence
from households.models import AdministrativeUnit, Import, ImportProblem
from households.permissions import import_areas_of
from verification import import_templates, imports, tasks
from verification.import_forms import ColumnsForm, ConfirmForm, UploadForm
from verification.rules import Conflict

Status = Import.Status
RUNNING = {Status.CHECKING, Status.LOADING}
COLUMNS_OPEN = {Status.UPLOADED, Status.CHECKED}
HAS_ERROR_FILE = {Status.CHECKED, Status.LOADING, Status.LOADED}
IMPORTS_A_PAGE = 50
PROBLEMS_A_PAGE = 100
FIRST_PROBLEMS = 20
ENCODING_NAMES = {"tcvn3": "TCVN3 (ABC)", "vni": "VNI"}
DELIMITER_NAMES = {",": _("comma"), ";": _("semicolon"), "\t": _("tab"), "|": _("vertical bar")}

# What `Import.changes` counts, in the order of the page; the kinds name them.
CHANGES = {
    "new_households": _("New households"),
    "new_forms": _("New forms"),
    "existing_forms": _("Forms already there"),
    "kept_forms": _("of these with a result: stay as they are"),
    "forms_qualified": _("Forms that become qualified"),
    "forms_refused": _("Forms that become refused at scanning"),
    "forms_unchanged": _("Forms that are so already"),
    "forms_into_round": _("Forms that enter the open round"),
    "new_results": _("New results"),
    "existing_results": _("Forms that have a result already"),
    "decided_results": _("of these decided by the district: stay as they are"),
    "unchanged_results": _("of these with the very same result"),
    "corrections": _("Corrections"),
    "left_out": _("Left out, for they changed after the check"),
}
STAGES = {
    "reading": _("Reading and checking the rows"),
    "comparing": _("Comparing with the register"),
    "households": _("Making households"),
    "forms": _("Loading the forms"),
    "suspected": _("Storing what the rules suspect"),
    "indexes": _("Building the indexes"),
    "register": _("Looking for persons and numbers that repeat"),
    "results": _("Recording the results"),
}


@require_GET
def import_list(request: HttpRequest) -> HttpResponse:
    areas = _areas(request)
    jobs = Import.objects.visible_to(request.user).select_related("by").order_by("-pk")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        jobs = jobs.filter(pk__lt=int(before))
    shown = list(jobs[: IMPORTS_A_PAGE + 1])
    context = {
        "jobs": shown[:IMPORTS_A_PAGE],
        "next_key": shown[IMPORTS_A_PAGE - 1].pk if len(shown) > IMPORTS_A_PAGE else None,
        "is_first_page": not before,
        "undecided": sum(job.status in COLUMNS_OPEN for job in shown),
        "kinds": [_kind_context(kind) for kind in imports.KINDS],
        "areas": areas,
    }
    return render(request, "verification/import_list.html", context)


@require_http_methods(["GET", "POST"])
def import_create(request: HttpRequest) -> HttpResponse:
    areas = _areas(request)
    kind = request.GET.get("kind", Import.Kind.FORMS)
    if kind not in imports.KINDS:
        raise Http404("there is no such kind of import")
    form = UploadForm(*([request.POST, request.FILES] if request.method == "POST" else []), areas=areas)
    context = {"kind": _kind_context(kind), "areas": areas, "form": form}
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            job = stages.receive(
                kind=kind,
                source=file,
                name=file.name,
                area=form.cleaned_data["area"],
                by=request.user,
                fields=imports.KINDS[kind].fields,
                again=form.cleaned_data["again"],
            )
        except FileRefused as refused:
            context |= {"refused": sentence(refused.code, refused.values), "file_name": file.name}
            context["is_same_file"] = refused.code == "same_file"
        else:
            return redirect("verification:import_columns", job.pk)
    status = 400 if request.method == "POST" else 200
    return render(request, "verification/import_new.html", context, status=status)


@require_http_methods(["GET", "POST"])
def import_columns(request: HttpRequest, pk: int) -> HttpResponse:
    """Which field each column is. Sheets and letters are chosen first, for headings and samples depend on them."""
    job = _job(request, pk)
    if job.status not in COLUMNS_OPEN:
        if request.method == "POST" and job.status != Status.CHECKING:
            return _conflict(request, job)
        return redirect("verification:import_detail", job.pk)
    chosen = request.POST if request.method == "POST" else request.GET
    kind = imports.KINDS[job.kind]
    context = {"job": job, "encodings": ENCODING_NAMES}
    try:
        look = _look(job, kind, chosen)
    except FileRefused as refused:
        context["refused"] = sentence(refused.code, refused.values)
        return render(request, "verification/import_unreadable.html", context, status=400)
    context |= {"look": look, "delimiter": DELIMITER_NAMES.get(look.layout.delimiter, look.layout.delimiter)}
    if _must_choose_letters(job, look, chosen):
        context |= {"suspected": ENCODING_NAMES.get(look.suspected_encoding, "")}
        return render(request, "verification/import_letters.html", context)
    remembered = headings.remembered_for(job.kind)
    is_as_before = look.headings == job.headings
    columns = job.columns if is_as_before else headings.guess_columns(look.headings, kind.fields, remembered)
    form = ColumnsForm(
        request.POST if request.method == "POST" else None,
        look=look,
        fields=kind.fields,
        remembered=remembered,
        columns=columns,
        collected_on=job.collected_on,
    )
    if request.method == "POST" and form.is_valid():
        try:
            job = stages.confirm_columns(
                job,
                columns=form.cleaned_data["columns"],
                layout=look.layout,
                file_headings=look.headings,
                collected_on=form.cleaned_data["collected_on"],
            )
        except stages.WrongState:
            return _conflict(request, _job(request, pk))
        tasks.ask_for_stage(job)
        return redirect("verification:import_detail", job.pk)
    rows = form.rows()
    context |= {
        "form": form,
        "rows": rows,
        "missing": headings.missing_required(columns, kind.fields),
        "unread": [row["heading"] for row in rows if not row["selected"]],
    }
    return render(request, "verification/import_columns.html", context, status=400 if form.errors else 200)


@require_GET
def import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    job = _job(request, pk)
    context = {"job": job, "is_running": job.status in RUNNING}
    if job.status in RUNNING:
        context |= _progress_context(job)
        if request.htmx:
            return render(request, "verification/_import_progress.html", context)
    elif request.htmx:
        return HttpResponseClientRefresh()
    elif job.status in (Status.CHECKED, Status.LOADED):
        problems = job.problems.order_by("-is_refusal", "row", "pk")[:FIRST_PROBLEMS]
        context |= {
            "problems": _placed(job, problems),
            # what a kind counts without a label of ours shows its own name rather than nothing
            "changes": [
                (CHANGES.get(key, key), job.changes[key])
                for key in sorted(job.changes, key=_place_of_change)
                if isinstance(job.changes[key], int) and key != "known_households"
            ],
            "suspected": [
                (code, dict(Fault.choices).get(code, ""), forms)
                for code, forms in job.changes.get("suspected", {}).items()
            ],
            "already_there": job.changes.get("existing_forms") or job.changes.get("existing_results"),
            "existing_choices": Import.Existing.choices,
        }
    elif job.status == Status.REFUSED:
        context["refused"] = sentence(job.refusal, job.refusal_values)
    return render(request, "verification/import_detail.html", context)


@require_GET
def import_problems(request: HttpRequest, pk: int) -> HttpResponse:
    """Every problem, row by row: refused rows, or doubtful ones, or those of one sentence."""
    job = _job(request, pk)
    which, code = request.GET.get("which", ""), request.GET.get("code", "")
    counts = list(
        job.problems.values("is_refusal", "code").annotate(problems=Count("pk")).order_by("is_refusal", "-problems")
    )
    refusals = {row["code"]: row["problems"] for row in counts if row["is_refusal"]}
    doubts = {row["code"]: row["problems"] for row in counts if not row["is_refusal"]}
    if which not in ("refused", "doubtful"):
        which = "refused" if refusals or not doubts else "doubtful"
    codes = refusals if which == "refused" else doubts
    problems = job.problems.filter(is_refusal=which == "refused").order_by("row", "pk")
    if code in codes:
        problems = problems.filter(code=code)
    else:
        code = ""
    if after := _problem_key(request.GET.get("after", "")):
        row, problem_id = after
        problems = problems.filter(Q(row__gt=row) | Q(row=row, pk__gt=problem_id), row__gte=row)
    shown = list(problems[: PROBLEMS_A_PAGE + 1])
    last = shown[PROBLEMS_A_PAGE - 1] if len(shown) > PROBLEMS_A_PAGE else None
    context = {
        "job": job,
        "which": which,
        "code": code,
        "codes": [(name, _short_sentence(name), number) for name, number in codes.items()],
        "tabs": [("refused", _("Refused"), sum(refusals.values())), ("doubtful", _("Doubtful"), sum(doubts.values()))],
        "problems": _placed(job, shown[:PROBLEMS_A_PAGE]),
        "next_key": f"{last.row}-{last.pk}" if last else "",
        "is_first_page": not after,
    }
    return render(request, "verification/import_problems.html", context)


@require_GET
def import_errors(request: HttpRequest, pk: int) -> HttpResponse:
    """The refused rows in the file's own format, to be mended and uploaded."""
    job = _job(request, pk)
    if job.status not in HAS_ERROR_FILE or not job.refused:
        raise Http404("no row was refused")
    name = Path(job.file_name)
    suffix = ".xlsx" if job.layout["format"] == "xlsx" else ".csv"
    return FileResponse(stages.error_file(job).open("rb"), as_attachment=True, filename=f"{name.stem}-loi{suffix}")


@require_POST
def import_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    job, form = _job(request, pk), ConfirmForm(request.POST)
    if not form.is_valid():
        return render(request, "400.html", {"sentence": say("Say what to do with forms already there.")}, status=400)
    if job.status not in (Status.LOADING, Status.LOADED):
        try:
            tasks.ask_for_stage(stages.confirm(job, existing=form.cleaned_data["existing"]))
        except stages.WrongState:
            return _conflict(request, _job(request, pk))
    return redirect("verification:import_detail", job.pk)


@require_POST
def import_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    job = _job(request, pk)
    if job.status != Status.CANCELLED:
        try:
            imports.cancel(job)
        except stages.WrongState:
            return _conflict(request, _job(request, pk))
    return redirect("verification:import_detail", job.pk)


@require_POST
def import_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Check once more: the check broke off, or the register has changed since."""
    job = _job(request, pk)
    if job.status != Status.CHECKING:
        try:
            tasks.ask_for_stage(stages.check_again(job))
        except stages.WrongState:
            return _conflict(request, _job(request, pk))
    return redirect("verification:import_detail", job.pk)


@require_GET
def import_template(request: HttpRequest, kind: str, format: str) -> HttpResponse:
    if kind not in imports.KINDS or format not in import_templates.FORMATS:
        raise Http404("there is no such template")
    _areas(request)
    file = import_templates.template_file(kind, imports.KINDS[kind].fields, format)
    answer = HttpResponse(file, content_type=import_templates.FORMATS[format])
    answer.headers["Content-Disposition"] = f'attachment; filename="mau-{kind}.{format}"'
    return answer


def _areas(request: HttpRequest) -> list[AdministrativeUnit]:
    if not (areas := import_areas_of(request.user)):
        raise PermissionDenied
    return areas


def _job(request: HttpRequest, pk: int) -> Import:
    return get_object_or_404(Import.objects.visible_to(request.user).select_related("by", "area"), pk=pk)


def _conflict(request: HttpRequest, job: Import) -> HttpResponse:
    """What was pressed belongs to an earlier step: somebody else, or a second window, has gone on."""
    refusal = Conflict(say("This import is now: %(status)s. Nothing was done.") % {"status": job.get_status_display()})
    return render(request, "409.html", {"refusal": refusal, "import_id": job.pk}, status=refusal.status)


def _kind_context(kind: str) -> dict:
    fields = imports.KINDS[kind].fields
    return {
        "value": kind,
        "label": Import.Kind(kind).label,
        "required": [field for field in fields if field.is_required],
        "optional": [field for field in fields if not field.is_required and field.is_in_template],
    }


def _look(job: Import, kind: stages.Kind, chosen) -> files.Look:
    sheets = chosen.getlist("sheets") or job.layout.get("sheets", [])
    encoding = chosen.get("encoding", "")
    if encoding not in ("unicode", *legacy_text.ENCODINGS):
        encoding = job.layout.get("encoding", "") if job.status == Status.CHECKED else ""
    return stages.look(job, kind.fields, sheets=sheets, encoding=encoding)


def _must_choose_letters(job: Import, look: files.Look, chosen) -> bool:
    """Old letters are suspected, and nobody has said yet what they are: nothing is converted silently."""
    is_said = chosen.get("encoding") in ("unicode", *legacy_text.ENCODINGS) or job.status == Status.CHECKED
    return look.layout.encoding == "unknown" or "letters" in chosen or bool(look.suspected_encoding and not is_said)


def _progress_context(job: Import) -> dict:
    progress = stages.progress(job)
    if progress is None:
        return {"progress": None}
    return {
        "progress": progress,
        "stage": STAGES.get(progress.stage, job.get_status_display()),
        "percent": 100 * progress.done // progress.total if progress.total else None,
        "time_left": _time_left(progress.seconds_left),
    }


def _time_left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return say("%(seconds)d s") % {"seconds": max(1, round(seconds))}
    return say("%(minutes)d min") % {"minutes": round(seconds / 60)}


def _placed(job: Import, problems) -> list[tuple[ImportProblem, str, int]]:
    """Each problem with the sheet and the row in it; the sheet is "" where there is but one."""
    layout = files.Layout.from_json(job.layout)
    return [(problem, *files.place_of(layout, problem.row)) for problem in problems]


def _problem_key(typed: str) -> tuple[int, int] | None:
    row, _dash, problem_id = typed.partition("-")
    if not (typed.isascii() and row.isdigit() and problem_id.isdigit() and len(row) < 10 and len(problem_id) < 19):
        return None
    return int(row), int(problem_id)


def _place_of_change(key: str) -> tuple[int, str]:
    return (list(CHANGES).index(key) if key in CHANGES else len(CHANGES)), key


def _short_sentence(code: str) -> str:
    """A sentence of the catalogue without the values of one cell, for the list of filters."""
    return str(SENTENCES[code]).split("%(")[0].rstrip(" (“") if code in SENTENCES else code
