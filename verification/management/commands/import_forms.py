"""An import without the pages: the same stages, run here and now instead of by a worker."""

import shutil
import sys
import threading
import time
from datetime import date, datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.formats import number_format
from django.utils.translation import gettext as say

from households.imports import files, headings, stages
from households.imports.problems import FileRefused, sentence
from households.models import AdministrativeUnit, Import, Posting, User
from households.permissions import import_areas_of
from verification import imports
from verification.import_views import CHANGES, ENCODING_NAMES, STAGES

Status = Import.Status
LOADED, REFUSED, ROWS_REFUSED = 0, 1, 2


class Command(BaseCommand):
    help = (
        "Load a file into the register. Exits 0 when it is loaded (or, with --dry-run, could be), 1 when the file or "
        "the way it was asked for is refused, 2 when nothing was loaded because rows were refused: mend them, or say --yes."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="CSV or XLSX")
        parser.add_argument("--kind", choices=list(imports.KINDS), default=Import.Kind.FORMS.value)
        parser.add_argument("--user", help="who loads it: an administrator (default: the only one there is)")
        parser.add_argument("--province", help="code of the province, where the administrator has several")
        parser.add_argument(
            "--yes", action="store_true", help="load the good and doubtful rows though others are refused"
        )
        parser.add_argument("--existing", choices=Import.Existing.values, default=Import.Existing.SKIP.value,
                            help="forms already there: leave as they are, or take the file's values")  # fmt: skip
        parser.add_argument("--encoding", choices=["tcvn3", "vni", "unicode"], default="",
                            help="what the letters are, where the file looks as if written before Unicode")  # fmt: skip
        parser.add_argument(
            "--sheet", action="append", default=[], help="sheet of a workbook; may be given several times"
        )
        parser.add_argument("--again", action="store_true", help="even if this very file was loaded before")
        parser.add_argument("--collected-on", type=_day, help="day of collection of rows that give none, 2018-09-15")
        parser.add_argument("--dry-run", action="store_true", help="check and say what loading would change")
        parser.add_argument("--errors", type=Path, help="write the refused rows here, each with what is wrong")

    def handle(self, *args, **options):
        if status := self._import(options):
            sys.exit(status)

    def _import(self, options) -> int:
        officer = _officer(options["user"])
        area = _area(officer, options["province"])
        job = None
        try:
            job = self._receive(options, officer, area)
            job = self._run(self._name_columns(job, options))
            return self._decide(job, options)
        except FileRefused as refused:
            self.stderr.write(sentence(refused.code, refused.values))
            _give_up(job)
            return REFUSED
        except (CommandError, KeyboardInterrupt):
            _give_up(job)
            raise

    def _receive(self, options, officer: User, area: AdministrativeUnit) -> Import:
        path: Path = options["file"]
        try:
            with path.open("rb") as source:
                return stages.receive(
                    kind=options["kind"], source=source, name=path.name, area=area, by=officer,
                    fields=imports.KINDS[options["kind"]].fields, again=options["again"],
                )  # fmt: skip
        except OSError as error:
            raise CommandError(
                say("%(file)s cannot be read: %(why)s") % {"file": path, "why": error.strerror}, returncode=REFUSED
            ) from None

    def _name_columns(self, job: Import, options) -> Import:
        """Columns as their headings say, or as somebody said on the page for an earlier file."""
        kind = imports.KINDS[job.kind]
        look = stages.look(job, kind.fields, sheets=options["sheet"], encoding=options["encoding"])
        if look.layout.encoding == "unknown" or (look.suspected_encoding and not options["encoding"]):
            raise CommandError(_letters_sentence(look), returncode=REFUSED)
        columns = headings.guess_columns(look.headings, kind.fields, headings.remembered_for(job.kind))
        if missing := headings.missing_required(columns, kind.fields):
            names = ", ".join(field.heading for field in missing)
            raise CommandError(
                say("No column is taken for: %(names)s. These are needed.") % {"names": names}, returncode=REFUSED
            )
        unread = [heading for column, heading in enumerate(look.headings) if column not in columns.values()]
        if unread:
            self.stderr.write(say("Not read: %(headings)s") % {"headings": ", ".join(unread)})
        return stages.confirm_columns(
            job, columns=columns, layout=look.layout, file_headings=look.headings, collected_on=options["collected_on"]
        )

    def _decide(self, job: Import, options) -> int:
        if job.status == Status.REFUSED:
            self.stderr.write(sentence(job.refusal, job.refusal_values))
            return REFUSED
        if job.status != Status.CHECKED:
            raise CommandError(say("The program made a mistake; it is in the log."), returncode=REFUSED)
        self._say_what_was_found(job)
        if options["errors"] and job.refused:
            shutil.copyfile(stages.error_file(job), options["errors"])
            self.stderr.write(say("Refused rows: %(file)s") % {"file": options["errors"]})
        if job.refused and not options["yes"]:
            _give_up(job)
            self.stderr.write(say("Nothing was loaded. Mend the refused rows, or say --yes to load the others."))
            return ROWS_REFUSED
        if options["dry_run"]:
            _give_up(job)
            self.stdout.write(say("Nothing was loaded: this was a trial."))
            return LOADED
        if not job.good and not job.doubtful:
            _give_up(job)
            self.stderr.write(say("No row can be loaded."))
            return ROWS_REFUSED
        job = self._run(stages.confirm(job, existing=options["existing"]))
        if job.status != Status.LOADED:
            raise CommandError(
                say("Nothing was loaded; the import is now: %(status)s.") % {"status": job.get_status_display()},
                returncode=REFUSED,
            )
        self.stdout.write(say("Loaded: %(rows)s rows.") % {"rows": _count(job.good + job.doubtful)})
        return LOADED

    def _run(self, job: Import) -> Import:
        """The stages up to the next decision. None from a stage: a worker has taken it up, so wait for it."""
        with _ProgressLine(job, self.stderr):
            while job.status in (Status.CHECKING, Status.LOADING):
                step = imports.check if job.status == Status.CHECKING else imports.load
                if step(job.pk) is None:
                    time.sleep(0.5)
                job = Import.objects.get(pk=job.pk)
        return job

    def _say_what_was_found(self, job: Import) -> None:
        self.stdout.write(
            say("%(good)s rows good, %(doubtful)s doubtful, %(refused)s refused.")
            % {"good": _count(job.good), "doubtful": _count(job.doubtful), "refused": _count(job.refused)}
        )
        for key, label in CHANGES.items():
            if key in job.changes:
                self.stdout.write(f"  {label}: {_count(job.changes[key])}")
        layout = files.Layout.from_json(job.layout)
        for problem in job.problems.filter(is_refusal=True).order_by("row", "pk")[:10]:
            sheet, row = files.place_of(layout, problem.row)
            place = f"{sheet}: {row}" if sheet else f"{row}"
            self.stderr.write(
                "  "
                + say("row %(place)s, %(column)s, “%(value)s”: %(sentence)s")
                % {"place": place, "column": problem.column, "value": problem.value, "sentence": problem.sentence}
            )


class _ProgressLine:
    """One line on a terminal, rewritten while a stage runs; nothing where stderr is a file."""

    def __init__(self, job: Import, stream):
        self.job, self.stream, self.ended = job, stream, threading.Event()
        self.thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self):
        if self.stream.isatty():
            self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        if self.thread.ident:
            self.thread.join()
            self.stream.write("\r\033[K", ending="")

    def _write(self) -> None:
        while not self.ended.wait(0.5):
            if progress := stages.progress(self.job):
                self.stream.write(f"\r\033[K{_line_of(progress)}", ending="")
                self.stream.flush()


def _line_of(progress: stages.Progress) -> str:
    parts = [str(STAGES.get(progress.stage, progress.stage))]
    if progress.total:
        parts.append(f"{100 * progress.done // progress.total}%")
    if progress.rows_per_second >= 1:
        parts.append(say("%(speed)s rows a second") % {"speed": _count(round(progress.rows_per_second))})
    if progress.seconds_left is not None:
        parts.append(say("%(seconds)d s left") % {"seconds": round(progress.seconds_left)})
    return " · ".join(parts)


def _letters_sentence(look: files.Look) -> str:
    name = ENCODING_NAMES.get(look.suspected_encoding, "TCVN3 / VNI")
    shown = "\n".join(f"  {written} → {converted}" for written, converted in look.preview[:5])
    asked = say("The letters look like %(name)s, as written before Unicode. Say --encoding tcvn3, vni or unicode.")
    return asked % {"name": name} + ("\n" + shown if shown else "")


def _officer(username: str | None) -> User:
    """Whoever is named, or the one administrator there is."""
    if username:
        officer = User.objects.filter(username=username, is_active=True).first()
        if officer is None:
            raise CommandError(say("There is no officer called “%(name)s”.") % {"name": username}, returncode=REFUSED)
        return officer
    posted = User.objects.filter(is_active=True, postings__role=Posting.Role.ADMINISTRATOR).distinct()
    administrators = [officer for officer in posted.order_by("pk")[:20] if import_areas_of(officer)]
    if len(administrators) != 1:
        raise CommandError(say("Say with --user which administrator loads the file."), returncode=REFUSED)
    return administrators[0]


def _area(officer: User, code: str | None) -> AdministrativeUnit:
    areas = [area for area in import_areas_of(officer) if code in (None, area.code)]
    if not areas:
        raise CommandError(
            say("%(officer)s is not administrator of a province, or not of that one.") % {"officer": officer},
            returncode=REFUSED,
        )
    if len(areas) > 1:
        raise CommandError(say("Say with --province which province the file belongs to."), returncode=REFUSED)
    return areas[0]


def _give_up(job: Import | None) -> None:
    if job is not None and Import.objects.get(pk=job.pk).status not in (Status.REFUSED, Status.LOADED):
        imports.cancel(job)


def _count(number: int) -> str:
    return number_format(number, force_grouping=True, use_l10n=True)


def _day(typed: str) -> date:
    return datetime.strptime(typed, "%Y-%m-%d").date()  # noqa: DTZ007
