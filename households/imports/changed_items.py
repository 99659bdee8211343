"""Rows of a file against what was corrected since the collection: the register's values stay, and the check says so.

A `changed_item` has of each item of a form that a correction in force changed the value that was collected, the one
that stands, and since when. Who corrects is a higher app's; it gives the query (`FormKind.changed_items`).
"""

import json
from collections.abc import Mapping

from django.conf import settings

from households.imports.problems import in_each_language
from households.models import CollectionForm, Import
from households.models.register import Sex

ITEMS_OF_CORRECTIONS = """
    full_name birth_date sex pin cmnd relation marital_status birth_registration_place origin_place residence_place
    present_place ethnicity religion nationality blood_type father_name mother_name spouse_name representative_name
    head_name book_number
"""
NAMED_BY_CORRECTIONS = ITEMS_OF_CORRECTIONS.split()
# What a row says of an item, written as corrections write it.
BIRTH_DATE = """concat_ws('/', lpad({row}.birth_day::text, 2, '0'), lpad({row}.birth_month::text, 2, '0'),
    {row}.birth_year::text)"""
NUMBERED = {"sex": Sex, "marital_status": CollectionForm.MaritalStatus}


def value_of(item: str, row: str) -> str:
    """In SQL."""
    if item == "birth_date":
        return BIRTH_DATE.format(row=row)
    return f"coalesce(nullif({row}.{item}, 0)::text, '')" if item in NUMBERED else f"{row}.{item}"


def find_by_collected_values(cursor, job: Import, changed_items: str, keeps: str) -> None:
    """A row without a barcode whose person was corrected since: an old list has the name, birth date or sex that was
    collected. Not found by it, the person would come in a second time."""
    table = job.staging_table
    cursor.execute("DROP TABLE IF EXISTS changed_item")
    cursor.execute(f"CREATE TEMP TABLE changed_item ON COMMIT DROP AS {changed_items}", {"province": job.area_id})
    if not cursor.rowcount:
        return
    cursor.execute("CREATE INDEX ON changed_item (form_id)")
    cursor.execute("ANALYZE changed_item")
    cursor.execute(
        f"""
        INSERT INTO {table}_existing (source_row, form_id, commune_id, is_kept)
        SELECT DISTINCT ON (s.source_row) s.source_row, f.id, f.commune_id, ({keeps})
        FROM (
            SELECT form_id, max(collected) FILTER (WHERE item = 'full_name') AS full_name,
                max(collected) FILTER (WHERE item = 'birth_date') AS birth_date,
                max(collected) FILTER (WHERE item = 'sex') AS sex
            FROM changed_item WHERE item IN ('full_name', 'birth_date', 'sex') GROUP BY form_id
        ) collected JOIN households_collectionform f ON f.id = collected.form_id
        JOIN {table} s ON s.commune_id = f.commune_id AND s.full_name = coalesce(collected.full_name, f.full_name)
            AND {value_of("birth_date", "s")} = coalesce(collected.birth_date, {value_of("birth_date", "f")})
            AND {value_of("sex", "s")} = coalesce(collected.sex, {value_of("sex", "f")})
        WHERE s.barcode = '' AND NOT EXISTS (SELECT FROM {table}_existing e WHERE e.source_row = s.source_row)
        ORDER BY s.source_row, f.id
        """
    )


def tell_what_stays(cursor, job: Import, headings: Mapping[str, str]) -> None:
    """Where the file says something else than what stands since a correction, the row is doubtful and says so."""
    table = job.staging_table
    said = [f"('{item}', {value_of(item, 's')}, %s)" for item in NAMED_BY_CORRECTIONS if item in headings]
    if not said:
        return
    words = {
        item: {str(value): in_each_language(lambda label=label: label) for value, label in choices.choices}
        for item, choices in NUMBERED.items()
    }
    cursor.execute(
        f"""
        INSERT INTO households_importproblem (of_import_id, row, "column", value, code, values, is_refusal)
        SELECT %s, s.source_row, said.heading,
            left(coalesce(words #>> ARRAY[said.item, said.value, 'vi'], said.value), 100), 'approved_value_stays',
            jsonb_build_object('day', to_char(changed.since AT TIME ZONE %s, 'FMDD/FMMM/YYYY'),
                'value', coalesce(words #> ARRAY[said.item, changed.value], to_jsonb(changed.value))), false
        FROM {table}_existing e JOIN {table} s USING (source_row) JOIN changed_item changed ON changed.form_id = e.form_id
        CROSS JOIN LATERAL (VALUES {", ".join(said)}) said (item, value, heading)
        CROSS JOIN (SELECT %s::jsonb AS words) of_numbers
        WHERE e.is_kept AND said.item = changed.item AND said.value <> '' AND said.value <> changed.value
        """,
        [
            *(job.pk, settings.TIME_ZONE),
            *(headings[item] for item in NAMED_BY_CORRECTIONS if item in headings),
            json.dumps(words),
        ],
    )
    cursor.execute(
        f"""
        UPDATE {table} SET is_doubtful = true WHERE NOT is_doubtful AND source_row IN (
            SELECT row FROM households_importproblem WHERE of_import_id = %s AND code = 'approved_value_stays')
        """,
        [job.pk],
    )
