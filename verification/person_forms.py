"""The page of a new person: what was typed, as the entry that `new_people.add_person` takes, and where it is shown."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django import forms
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy as _

from households.models import CollectionForm, Household
from households.models.register import Sex
from verification import new_people
from verification.forms import CleanCharField, DayField
from verification.new_people import FORM_VERSION, ITEMS, REQUIRED, PersonEntry
from verification.rules import Doubt
from verification.terms import NewPersonReason, SourcePaper

NEEDED = {"reason", *REQUIRED, "paper", "found_on"}
LONGEST = 2000  # a value too long for its item is refused by the item's own sentence


class Chosen(CleanCharField):
    """One of a closed list, picked by its digit; whether it is one is for the rules to say."""

    def __init__(self, choices: Sequence[tuple], label, *, may_be_blank: bool = True):
        numbered = [
            (value, format_lazy("{} {}", n, capfirst(text))) for n, (value, text) in enumerate(choices, start=1)
        ]
        blank = [("", _("– choose –") if not may_be_blank else "–")]
        super().__init__(label=label, max_length=LONGEST, widget=forms.Select(choices=[*blank, *numbered]))


def _typed(name: str, **attrs: str) -> CleanCharField:
    return CleanCharField(label=ITEMS[name].label, max_length=LONGEST, widget=forms.TextInput(attrs))


class PersonForm(forms.Form):
    """The items in the order of the page; the closed lists by digit, everything else as typed."""

    submission = forms.UUIDField(widget=forms.HiddenInput)
    seen = CleanCharField(max_length=LONGEST, widget=forms.HiddenInput)

    reason = Chosen(NewPersonReason.choices, _("Why new"), may_be_blank=False)
    paper = Chosen(SourcePaper.choices, _("Paper that shows it"), may_be_blank=False)
    full_name = _typed("full_name", autocapitalize="characters")
    birth_date = _typed("birth_date", inputmode="numeric", placeholder="12/3/1956")
    sex = Chosen(Sex.choices[1:], ITEMS["sex"].label, may_be_blank=False)
    relation = _typed("relation", list="relations")
    found_on = DayField()

    birth_registration_place = _typed("birth_registration_place", list="places")
    origin_place = _typed("origin_place", list="places")
    residence_place = _typed("residence_place", list="places")
    present_place = _typed("present_place", list="places")

    father_name = _typed("father_name", list="men")
    father_number = _typed("father_number", inputmode="numeric")
    mother_name = _typed("mother_name", list="women")
    mother_number = _typed("mother_number", inputmode="numeric")
    spouse_name = _typed("spouse_name", list="people")
    spouse_number = _typed("spouse_number", inputmode="numeric")
    representative_name = _typed("representative_name", list="people")
    representative_number = _typed("representative_number", inputmode="numeric")

    pin = _typed("pin", inputmode="numeric")
    cmnd = _typed("cmnd", inputmode="numeric")
    marital_status = Chosen(CollectionForm.MaritalStatus.choices[1:], ITEMS["marital_status"].label)
    blood_type = Chosen(CollectionForm.BloodType.choices, ITEMS["blood_type"].label)
    ethnicity = _typed("ethnicity")
    religion = _typed("religion")
    nationality = _typed("nationality")
    other_nationality = _typed("other_nationality")

    head_name = _typed("head_name")
    head_number = _typed("head_number", inputmode="numeric")
    book_number = _typed("book_number")
    barcode = CleanCharField(label=_("Barcode of the paper form"), max_length=LONGEST)
    form_version = CleanCharField(
        label=_("Form version"), max_length=LONGEST, widget=forms.Select(choices=CollectionForm.FormVersion.choices)
    )

    GROUPS = (
        (_("Who, and why now"), "reason paper full_name birth_date sex relation found_on"),
        (_("Places"), "birth_registration_place origin_place residence_place present_place"),
        (
            _("Parents, spouse, legal representative"),
            "father_name father_number mother_name mother_number"
            " spouse_name spouse_number representative_name representative_number",
        ),
        (
            _("Numbers and the rest"),
            "pin cmnd marital_status blood_type ethnicity religion nationality other_nationality",
        ),
        (_("Household and paper"), "head_name head_number book_number barcode form_version"),
    )
    NOT_ITEMS = frozenset({"submission", "seen", "reason", "paper", "found_on", "barcode", "form_version"})

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["found_on"].label = _("Found on")
        self.fields["found_on"].widget.attrs["inputmode"] = "numeric"
        for name, field in self.fields.items():
            field.widget.attrs["autocomplete"] = "off"
            if name in NEEDED:
                field.widget.attrs["aria-required"] = "true"

    @classmethod
    def fresh(cls, household: Household, today) -> "PersonForm":
        values = new_people.proposed(household)
        found_on = f"{today.day}/{today.month}/{today.year}"
        return cls(
            initial=values | {"submission": uuid.uuid4(), "found_on": found_on, "form_version": FORM_VERSION.value}
        )

    def entry(self) -> PersonEntry:
        values = self.cleaned_data
        return PersonEntry(
            items={name: value for name, value in values.items() if name not in self.NOT_ITEMS},
            **{name: values[name] for name in ("reason", "found_on", "paper", "barcode", "form_version")},
        )

    def point_at(self, doubts: Sequence[Doubt]) -> None:
        """Begin at the first field that is wrong; where something is only doubted, the page
        begins at its button: Enter in a list of choices sends nothing."""
        wrong = next((name for name in self.fields if name in self.errors), None)
        if wrong or not doubts:
            self.fields[wrong or "reason"].widget.attrs["autofocus"] = True
        for name in {doubt.field for doubt in doubts}:
            self.fields[name].widget.attrs["aria-describedby"] = f"id_{name}_doubt"

    def groups(self, doubts: Sequence[Doubt]) -> list["Group"]:
        return [
            Group(title, [Line(self[name], [d for d in doubts if d.field == name]) for name in names.split()])
            for title, names in self.GROUPS
        ]


@dataclass(frozen=True)
class Line:
    """A field of the page and what is doubted about it."""

    field: forms.BoundField
    doubts: list[Doubt]

    @property
    def is_needed(self) -> bool:
        return self.field.name in NEEDED


@dataclass(frozen=True)
class Group:
    title: str
    lines: list[Line]


def suggestions(household: Household) -> Mapping[str, list[str]]:
    """What the fields of a household's new person offer while typing: its people and its places."""
    forms_of_home = list(household.forms.order_by("line", "pk"))

    def names(*sexes: int) -> list[str]:
        return list(dict.fromkeys(form.full_name for form in forms_of_home if form.sex in sexes))

    places = (
        place
        for f in forms_of_home
        for place in (f.residence_place, f.birth_registration_place, f.origin_place)
        if place
    )
    return {
        "men": names(Sex.MALE),
        "women": names(Sex.FEMALE),
        "people": names(*Sex.values),
        "places": list(dict.fromkeys(places)),
        "relations": RELATIONS,
    }


# As forms write them, the most frequent first (domain.md section 5); any other may be typed.
RELATIONS = [
    "Con",
    "Vợ",
    "Chồng",
    "Cháu nội",
    "Cháu ngoại",
    "Con dâu",
    "Con rể",
    "Bố đẻ",
    "Mẹ đẻ",
    "Chủ hộ",
    "Ở nhờ",
    "Ở thuê",
]
