"""Who writes to whom, by the tree of the police (domain.md section 8), in the forms of Nghị định 30/2020/NĐ-CP."""

from dataclasses import dataclass
from datetime import date

from django.db.models import TextChoices
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from households.models import AdministrativeUnit

Level, Type = AdministrativeUnit.Level, AdministrativeUnit.Type
# Behind the number of a document; PC06 writes for the province.
ABBREVIATIONS = {
    Type.COUNTRY: "C06",
    Type.PROVINCE: "PC06",
    Type.CITY: "CATP",
    Type.TOWN: "CATX",
    Type.RURAL_DISTRICT: "CAH",
    Type.WARD: "CAP",
    Type.TOWNSHIP: "CATT",
    Type.RURAL_COMMUNE: "CAX",
}


class Signs(TextChoices):
    """Who signs."""

    HEAD = "head", _("the head")
    DEPUTY = "deputy", _("a deputy, for the head")


@dataclass(frozen=True)
class Letter:
    """What stands around the text. Number, signature and name are blank: what comes out is a draft."""

    country: str
    motto: str
    superior: str
    office: str
    number: str
    place_and_date: str
    addressee: str
    powers: tuple[str, ...]  # one line each, above the signature
    recipients: tuple[str, ...]
    office_in_text: str  # the office as it stands in a sentence


def letter_of(unit: AdministrativeUnit, dated_on: date, signs: Signs) -> Letter:
    superior, office = _superior(unit), _office(unit)
    return Letter(
        country=say("SOCIALIST REPUBLIC OF VIET NAM"),
        motto=say("Independence - Freedom - Happiness"),
        superior=superior.upper(),
        office=office.upper(),
        number=say("No.:          /BC-%(office)s") % {"office": ABBREVIATIONS.get(unit.type, "CA")},
        place_and_date=place_and_date(unit.name if unit.level else "Hà Nội", dated_on),
        addressee=_addressee(unit),
        powers=_powers(unit, signs),
        recipients=tuple(_recipients(unit)),
        office_in_text=office,
    )


def place_and_date(place: str, day: date) -> str:
    """A zero before days under 10, and before the months 1 and 2 only."""
    month = f"{day.month:02}" if day.month < 3 else f"{day.month}"
    values = {"place": place, "day": f"{day.day:02}", "month": month, "year": day.year}
    return say("%(place)s, %(day)s/%(month)s/%(year)s") % values


def _police_of(unit: AdministrativeUnit) -> str:
    return say("Police of %(unit)s") % {"unit": unit.mid_sentence_name}


def _superior(unit: AdministrativeUnit) -> str:
    if unit.level == Level.COUNTRY:
        return say("Ministry of Public Security")
    return _police_of(unit if unit.level == Level.PROVINCE else unit.parent)


def _office(unit: AdministrativeUnit) -> str:
    if unit.level == Level.COUNTRY:
        return say("Department of Administrative Police for Social Order")
    if unit.level == Level.PROVINCE:
        return say("Division of Administrative Police for Social Order")
    return _police_of(unit)


def _addressee(unit: AdministrativeUnit) -> str:
    """Reports go from the commune to the district, from there to PC06, and on to the head of the police above."""
    if unit.level == Level.DISTRICT:
        return f"{say('Division of Administrative Police for Social Order')}, {_police_of(unit.parent)}"
    return _superior(unit)


def _powers(unit: AdministrativeUnit, signs: Signs) -> tuple[str, ...]:
    head, deputy, for_the_head = {
        Level.COUNTRY: (say("HEAD OF DEPARTMENT"), say("DEPUTY HEAD OF DEPARTMENT"), say("FOR THE HEAD OF DEPARTMENT")),
        Level.PROVINCE: (say("HEAD OF DIVISION"), say("DEPUTY HEAD OF DIVISION"), say("FOR THE HEAD OF DIVISION")),
    }.get(unit.level, (say("CHIEF OF POLICE"), say("DEPUTY CHIEF OF POLICE"), say("FOR THE CHIEF OF POLICE")))
    return (head,) if signs == Signs.HEAD else (for_the_head, deputy)


def _recipients(unit: AdministrativeUnit) -> list[str]:
    """As above, whom it concerns below, and what is kept."""
    below = {
        Level.COUNTRY: say("Police of provinces and cities"),
        Level.PROVINCE: say("Police of districts, towns and cities"),
        Level.DISTRICT: say("Police of communes, wards and townships"),
    }.get(unit.level)
    return [
        say("As above"),
        *([below] if below else []),
        say("Kept: records, %(office)s") % {"office": ABBREVIATIONS.get(unit.type, "CA")},
    ]
