"""One report as it stands: read once, never changed. The preview, the PDF, the Word file and the workbook say this."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as say

from census_verify import clock
from households.models import AdministrativeUnit
from reports.official import annexes, letter, reading, sentences
from reports.official.periods import Period, day_words
from verification.models import Round


@dataclass(frozen=True)
class Report:
    unit: AdministrativeUnit
    period: Period
    language: str
    cut_off: datetime  # the moment its files say they were made at, so that the same report is the same file
    letter: letter.Letter
    title: str
    subject: str
    notes: tuple[str, ...]  # that it is a draft, provisional, of people who do not exist
    opening: str
    sections: tuple[sentences.Section, ...]
    closing: str
    figures: Mapping[str, int | Decimal | None]
    tables: tuple[annexes.Table, ...]

    def table(self, key: str) -> annexes.Table | None:
        return next((table for table in self.tables if table.key == key), None)


def report_of(
    round: Round,
    unit: AdministrativeUnit,
    period: Period,
    *,
    dated_on: date | None = None,
    signs: letter.Signs = letter.Signs.HEAD,
    with_officers: bool = True,
) -> Report:
    """Of a unit down to the commune, in the language of the moment. Without its officers their annex has no lines."""
    figures = reading.read(round, unit, period, with_officers=with_officers)
    written = letter.letter_of(unit, dated_on or usual_date(round, period), signs)
    words = {"round": round.name, "office": written.office_in_text, "period": period.words}
    return Report(
        unit=unit,
        period=period,
        language=get_language(),
        cut_off=cut_off_of(round, period.last),
        letter=written,
        title=say("REPORT"),
        subject=say("Results of the re-verification of population forms %(period)s") % words,
        notes=tuple(_notes(figures)),
        opening=say("In the round “%(round)s” %(office)s reports the results %(period)s as follows:") % words,
        sections=sentences.sections_of(figures),
        closing=say(
            "This is the report on the results of the re-verification %(period)s, respectfully submitted by %(office)s./."
        )
        % words,
        figures=MappingProxyType(figures.figures),
        tables=annexes.tables_of(figures),
    )


def usual_date(round: Round, period: Period) -> date:
    """The day on which it can be signed: that of the cut-off where this falls before midnight, else the next."""
    return period.last if round.cut_off_hour < 24 else period.last + timedelta(days=1)


def cut_off_of(round: Round, day: date) -> datetime:
    midnight = datetime.combine(day, time(), timezone.get_default_timezone())
    return midnight + timedelta(hours=round.cut_off_hour)


def _notes(figures: reading.Reading) -> list[str]:
    notes = [say("DRAFT: not registered, not signed.")]
    if figures.provisional_at:
        values = {"day": day_words(figures.period.last), "time": figures.provisional_at}
        notes.append(
            say("Provisional: the cut-off of %(day)s has not fallen yet; the figures are those of %(time)s.") % values
        )
    if clock.training_day():
        notes.append(say("Demo data: these people do not exist."))
    return notes
