"""How the tables that change are kept (docs/decisions/0021-storage-of-what-changes.md).

RoundForm: a result never is a HOT update, for the roll-up's index holds the outcome; so no room is left in
its pages, but they are vacuumed every 1%: the roll-up reads index-only where the pages are known as all visible.
RollupMark: a queue that is always emptied; vacuumed by count, not by share.
"""

from django.db import migrations

KEEP = """
ALTER TABLE verification_roundform SET (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE verification_verificationpass SET (
    autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE verification_rollupmark SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 100000);
"""
AS_BEFORE = """
ALTER TABLE verification_roundform RESET (autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
ALTER TABLE verification_verificationpass RESET (
    autovacuum_vacuum_insert_scale_factor, autovacuum_analyze_scale_factor);
ALTER TABLE verification_rollupmark RESET (
    autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_insert_threshold,
    autovacuum_analyze_scale_factor, autovacuum_analyze_threshold);
"""


class Migration(migrations.Migration):
    dependencies = [("verification", "0002_history_is_appended")]

    operations = [migrations.RunSQL(KEEP, AS_BEFORE)]
