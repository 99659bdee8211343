from typing import NamedTuple

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Fault(TextChoices):
    L01 = "L01", _("Birth day or month missing")
    L02 = "L02", _("Wrong birth date")
    L03 = "L03", _("Wrong name (spelling, marks)")
    L04 = "L04", _("Place of birth registration missing or wrong")
    L05 = "L05", _("Place of origin missing or wrong")
    L06 = "L06", _("Wrong sex")
    L07 = "L07", _("Number missing or of wrong length")
    L08 = "L08", _("Personal number of wrong structure")
    L09 = "L09", _("One person with several forms")
    L10 = "L10", _("One identity card number with two people")
    L11 = "L11", _("Deceased, still registered")
    L12 = "L12", _("Moved away or struck off")
    L13 = "L13", _("Absent, working far away")
    L14 = "L14", _("Gave up citizenship, settled abroad")
    L15 = "L15", _("Permanent residence missing or wrong")
    L16 = "L16", _("Present residence missing or wrong")
    L17 = "L17", _("Head of household missing or wrong")
    L18 = "L18", _("Relation to the head missing or wrong")
    L19 = "L19", _("Parents, spouse or representative missing or wrong")
    L20 = "L20", _("Ethnic group, religion or nationality wrong or missing")
    L21 = "L21", _("Blood type without a paper")
    L22 = "L22", _("Marital status out of date")
    L23 = "L23", _("Wrong household book number")
    L24 = "L24", _("Address wrong since units merged or were renamed")
    L25 = "L25", _("Signature or seal missing")
    L26 = "L26", _("Form blurred, torn, cannot be scanned")
    L27 = "L27", _("New person, no form yet")


class Suspicion(NamedTuple):
    """A fault the program suspects, and the item it concerns. Why is put into words only when it is read:
    the rules run over a whole province, the sentence is for one reader in her language."""

    fault: Fault
    field: str
    sentence: Promise
    values: dict | None = None

    @property
    def reason(self) -> str:
        return str(self.sentence) % self.values if self.values else str(self.sentence)
