"""Which column of a file is which of our fields."""

from collections.abc import Mapping, Sequence

from households import text
from households.imports.fields import Field
from households.models import RememberedHeading

# The column that error files end in; a mended error file is uploaded with it, and it is not read.
ERROR_HEADING = "Lỗi"
NOT_READ = frozenset({"loi", "ghi chu", "stt", "so thu tu", "tt"})
MAX_HEADING = 100


def folded(heading: str) -> str:
    """What headings are compared by: no marks, no case, no punctuation, words apart by one blank."""
    words = "".join(c if c.isalnum() else " " for c in text.search_key(heading))
    return " ".join(words.split())[:MAX_HEADING]


def guess_columns(
    headings: Sequence[str], fields: Sequence[Field], remembered: Mapping[str, str] | None = None
) -> dict[str, int]:
    """Field name -> column, from 0. What somebody said about a heading (`remembered`: folded heading -> field name,
    "" for not read) goes before what the field calls itself. Of two columns that claim a field, the first has it."""
    columns: dict[str, int] = {}
    for column, names in enumerate(_claims(headings, fields, remembered or {})):
        for name in names:
            columns.setdefault(name, column)
    return columns


def repeated(
    headings: Sequence[str], fields: Sequence[Field], remembered: Mapping[str, str] | None = None
) -> dict[str, list[int]]:
    """The fields that more than one column claims, with those columns: somebody has to say which."""
    claims: dict[str, list[int]] = {}
    for column, names in enumerate(_claims(headings, fields, remembered or {})):
        for name in names:
            claims.setdefault(name, []).append(column)
    return {name: columns for name, columns in claims.items() if len(columns) > 1}


def _claims(headings: Sequence[str], fields: Sequence[Field], remembered: Mapping[str, str]) -> list[list[str]]:
    by_key = {folded(key): field.name for field in reversed(fields) for key in sorted(field.keys)}
    names = {field.name for field in fields}
    claims = []
    for heading in headings:
        key = folded(heading)
        name = (
            remembered[key]
            if key in remembered
            else ""
            if key in NOT_READ and key not in by_key
            else by_key.get(key, "")
        )
        claims.append([name] if name in names else [])
    return claims


def missing_required(columns: Mapping[str, int], fields: Sequence[Field]) -> list[Field]:
    return [field for field in fields if field.is_required and field.name not in columns]


def known_keys(fields: Sequence[Field]) -> frozenset[str]:
    """Every folded heading that one of the fields answers to: what finds the heading row below a title."""
    return frozenset(folded(key) for field in fields for key in field.keys)


def remembered_for(kind: str) -> dict[str, str]:
    return dict(RememberedHeading.objects.filter(kind=kind).values_list("heading", "field"))


def remember(kind: str, headings: Sequence[str], columns: Mapping[str, int]) -> None:
    """Keep what an officer confirmed, column by column, also that a column is not read. The last word counts."""
    field_of = {column: name for name, column in columns.items()}
    said: dict[str, RememberedHeading] = {}
    for column, heading in enumerate(headings):
        key = folded(heading)
        if key and key not in NOT_READ and (key not in said or column in field_of):
            said[key] = RememberedHeading(kind=kind, heading=key, field=field_of.get(column, ""))
    RememberedHeading.objects.bulk_create(
        said.values(), update_conflicts=True, unique_fields=["kind", "heading"], update_fields=["field"]
    )
