"""docs/indexes.md names every index of our tables, and none that is not there."""

import re
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection

PAGE = Path(settings.BASE_DIR) / "docs" / "indexes.md"
ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
OURS = ("households", "verification", "reports")


def test_every_index_says_what_it_is_for(db):
    tables = [model._meta.db_table for app in OURS for model in apps.get_app_config(app).get_models()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = ANY(%s)", [tables])
        in_database = {name for (name,) in cursor.fetchall()}
    named = ROW.findall(PAGE.read_text("utf-8"))
    assert sorted(in_database - set(named)) == [], "docs/indexes.md does not say what these serve"
    assert sorted(set(named) - in_database) == [], "docs/indexes.md names indexes that are not there"
    assert len(named) == len(set(named))
