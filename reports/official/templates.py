"""Word templates of a province's own: looked at before they are kept, kept as they came, withdrawn and not deleted."""

from hashlib import sha256

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from census_verify import clock
from households import text
from households.models import AdministrativeUnit, User
from reports.models import ReportTemplate
from reports.official import word
from reports.official.contents import report_of
from reports.official.forms import last_cut_off
from reports.official.periods import Kind, period_ending
from verification.models import Round
from verification.rules import Conflict, InvalidEntry

BYTES_AT_MOST = 512 * 1024
NAME_LENGTH = 80
REFUSALS = {
    "not_word": _(
        "This is no Word file (.docx), or it is damaged or has a password. Save it in Word once more as .docx."
    ),
    "macros": _("The file has macros. Save it in Word as .docx, without macros."),
    "bomb": _("Unpacked the file is larger than any template. Take large pictures out."),
    "embedded": _("The file holds other files (objects, controls). Take them out."),
    "external": _(
        "The file fetches something from elsewhere (a linked picture, a linked template). Take the link out."
    ),
    "no_tags": _("There is no tag like {{ title }} in the file, so no figure would come into it."),
    "no_draft": _("The file does not say that it is a draft. Put {{ draft }} where it can be seen."),
    "syntax": _(
        "A tag cannot be read: %(error)s. Tags look like {{ title }} or {%%p for note in notes %%} … {%%p endfor %%}."
    ),
    "unknown": _("No report has “%(name)s”. The names there are stand below."),
    "filter": _("“%(name)s” cannot be used behind a bar in a tag. There are upper, lower, title, capitalize, length."),
    "not_allowed": _("A tag does more than name, repeat or ask (%(what)s). Only names, for and if can be used."),
    "no_list": _("“%(name)s” is no list, so nothing can be repeated for it."),
    "deep": _("More than three repetitions stand inside each other."),
    "not_filled": _("The file could not be filled with a report: %(error)s."),
    "too_long": _("Filling the file with a report took too long or too much memory. Make it simpler."),
}


def too_large() -> str:
    return say("The file is larger than %(limit)d kB. Take large pictures out.") % {"limit": BYTES_AT_MOST // 1024}


def store(
    *, by: User, area: AdministrativeUnit, name: str, file_name: str, content: bytes, round: Round
) -> ReportTemplate:
    """Keep a template under a name, or raise InvalidEntry or Conflict with what is wrong. It is tried with the weekly
    report of its province; the very same file under the same name is no second one."""
    name = text.clean(name) or text.clean(file_name.rpartition(".")[0])
    if not name or len(name) > NAME_LENGTH:
        raise InvalidEntry(say("Give the template a name of at most %(most)d letters.") % {"most": NAME_LENGTH})
    digest = sha256(content).hexdigest()
    same = ReportTemplate.objects.standing().filter(area=area, name=name).first()
    if same and same.sha256 == digest:
        return same
    if same:
        raise Conflict(
            say("There is a template “%(name)s” already. Withdraw it first, or give another name.") % {"name": name}
        )
    check(file_name, content, area, round)
    try:
        with transaction.atomic():
            return ReportTemplate.objects.create(
                area=area, name=name, content=content, sha256=digest, uploaded_by=by, uploaded_at=clock.now()
            )
    except IntegrityError:  # pressed twice at once
        return ReportTemplate.objects.standing().get(area=area, name=name)


def check(file_name: str, content: bytes, area: AdministrativeUnit, round: Round) -> None:
    if not file_name.lower().endswith(".docx"):
        code = "macros" if file_name.lower().endswith((".docm", ".dotm")) else "not_word"
        raise InvalidEntry(str(REFUSALS[code]))
    if len(content) > BYTES_AT_MOST:
        raise InvalidEntry(too_large())
    if not content.startswith(b"PK"):
        raise InvalidEntry(str(REFUSALS["not_word"]))
    period = period_ending(Kind.WEEK, last_cut_off(round), starts_on=round.starts_on)
    try:
        refused = word.refusal_of(content, report_of(round, area, period))
    except word.WordFailed:
        refused = ("too_long", {})
    if refused:
        code, values = refused
        raise InvalidEntry(str(REFUSALS[code]) % values if values else str(REFUSALS[code]))


@transaction.atomic
def withdraw(*, by: User, template: ReportTemplate) -> ReportTemplate:
    """No new report is written in it; pressing twice is no mistake."""
    locked = ReportTemplate.objects.select_for_update(of=("self",)).defer("content").get(pk=template.pk)
    if locked.withdrawn_at is None:
        locked.withdrawn_by, locked.withdrawn_at = by, clock.now()
        locked.save(update_fields=["withdrawn_by", "withdrawn_at"])
    return locked


def names() -> list[tuple[str, str]]:
    """What a template may name, as it is written, and what stands there; for the page."""
    told = {
        "superior": _("the body above"),
        "office": _("the issuing body"),
        "number": _("the number, left blank"),
        "country": _("the name of the country"),
        "motto": _("the motto"),
        "place_and_date": _("place and date"),
        "title": _("the kind of document"),
        "subject": _("what it is about"),
        "draft": _("that it is a draft, in one line"),
        "addressee": _("to whom it goes"),
        "opening": _("the first sentence"),
        "closing": _("the last sentence"),
        "annex_list": _("the list of annexes"),
    }
    lists = {
        "notes": _("the same line by line: draft, provisional"),
        "powers": _("the lines above the signature"),
        "recipients": _("the recipients, line by line"),
        "sections": _("parts: section.heading, and section.paragraphs as a list"),
    }
    return [(f"{{{{ {name} }}}}", str(what)) for name, what in told.items()] + [
        (f"{{%p for … in {name} %}}", str(what)) for name, what in lists.items()
    ]
