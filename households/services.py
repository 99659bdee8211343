"""The verbs of the register, one form at a time; an import has its own (`imports.form_load`)."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection
from django.db.models import Max

from census_verify import clock
from households import text
from households.models import CollectionForm, Household, SuspectedFault

# An import holds the forms as long as it loads, minutes perhaps; an officer is told so instead of waiting.
WAIT_FOR_IMPORT = "2s"


class RegisterBusy(Exception):
    """An import is loading; nothing can be added or taken away meanwhile."""


@contextmanager
def register_in_hand() -> Iterator[None]:
    """For the rest of the transaction no lock is waited for longer than WAIT_FOR_IMPORT. Raises RegisterBusy."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{WAIT_FOR_IMPORT}'")
    try:
        yield
    except OperationalError as error:
        if "lock timeout" not in str(error):
            raise
        raise RegisterBusy from error


def lock_household(household_id: int) -> Household:
    """The household, held until the transaction ends: its people get their lines one after the other."""
    Household.objects.select_for_update().get(pk=household_id)
    return Household.objects.select_related("commune__parent__parent", "hamlet").get(pk=household_id)


def new_form(household: Household) -> CollectionForm:
    """An empty form of a household, not saved: where it belongs, and that no scan has seen it yet."""
    return CollectionForm(
        province_id=household.province_id,
        commune_id=household.commune_id,
        hamlet_id=household.hamlet_id,
        # found today, so the commune of today is the one of collection
        collected_unit_id=household.commune_id,
        household=household,
        qualification=CollectionForm.Qualification.COLLECTED,
        is_synthetic=clock.training_day() is not None,
        sex=0,
    )


def add_form(*, form: CollectionForm) -> CollectionForm:
    """Put a form behind the others of its household, which the caller holds (`lock_household`)."""
    last = CollectionForm.objects.filter(household_id=form.household_id).aggregate(line=Max("line"))["line"]
    form.line = (last or 0) + 1
    form.search_key, form.sort_key = text.name_keys(form.full_name)
    form.save(force_insert=True)
    return form


def remove_form(*, form: CollectionForm) -> set[int]:
    """Take a form out of the register that was never of use. Returns the communes whose suspicions go with it.

    Raises ProtectedError where anything of the work refers to it.
    """
    named_it = SuspectedFault.objects.filter(other=form)
    communes = {form.commune_id, *named_it.values_list("commune_id", flat=True)}
    form.delete()
    return communes
