"""Rules of the whole register: people and numbers that occur twice in a province. Evaluated in SQL, set by set.

A rule names what is compared (`key`), which forms have it, and who may share it: forms of the same `who`
are not each other's suspicion. All three are SQL over a collection form called `form`. `finds` is how an index
finds the forms with the same key as one called `known`; {FORM_WORDS} stands for what the index of search holds.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from households.faults.catalogue import Fault

PERSON = "concat_ws('|', form.search_key, form.birth_year, form.birth_month, form.birth_day, form.sex)"
ITSELF = "form.id::text"
# Through the index of search: every word of the name, and the year of birth as a word of its own.
WORDS_OF_KNOWN = r"""(
    SELECT string_agg('''' || replace(replace(word, '\', '\\'), '''', '''''') || '''', ' & ')
    FROM unnest(string_to_array(known.search_key || ' #' || known.birth_year, ' ')) word WHERE word <> '')::tsquery"""


@dataclass(frozen=True)
class RegisterRule:
    name: str
    fault: Fault
    field: str
    key: str
    has_key: str
    who: str
    finds: str
    sentence: Promise


REGISTER_RULES = (
    RegisterRule(
        "same_person",
        Fault.L09,
        "full_name",
        PERSON,
        "form.birth_day IS NOT NULL",
        ITSELF,
        f"{{FORM_WORDS}} @@ {WORDS_OF_KNOWN} AND {PERSON} = {PERSON.replace('form.', 'known.')}",
        _("another form has the same name, sex and birth date (%(other)s)"),
    ),
    RegisterRule(
        "same_personal_number",
        Fault.L09,
        "pin",
        "form.pin",
        "form.pin <> ''",
        ITSELF,
        "form.pin = known.pin",
        _("another form has the same personal number (%(other)s)"),
    ),
    RegisterRule(
        "same_card_number",
        Fault.L10,
        "cmnd",
        "form.cmnd",
        "form.cmnd <> ''",
        # one person on two forms is `same_person`
        PERSON,
        "form.cmnd = known.cmnd",
        _("somebody else has the same identity card number (%(other)s)"),
    ),
)
REGISTER_FAULTS = tuple(dict.fromkeys(rule.fault.value for rule in REGISTER_RULES))
SENTENCES = {(rule.fault.value, rule.field): rule.sentence for rule in REGISTER_RULES}


def reason_of(fault: str, field: str, other, *, may_see_other: bool) -> str:
    """Why a register rule suspects a form: names the `other` form as far as the reader may see it."""
    if may_see_other:
        where = say("form %(barcode)s, %(commune)s") % {
            "barcode": other.barcode or other.pk,
            "commune": other.commune.mid_sentence_name,
        }
    else:
        where = say("in another commune of %(district)s") % {"district": other.commune.parent.mid_sentence_name}
    return str(SENTENCES[fault, field]) % {"other": where}
