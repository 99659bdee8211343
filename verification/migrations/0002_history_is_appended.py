"""A pass, an event and a correction are history: the database itself refuses to change them.

Only two things may still move: whether a pass stands (it follows the events), and the district's
decision on a correction.
"""

from django.db import migrations

GUARD = """
CREATE FUNCTION verification_keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - TG_ARGV = to_jsonb(NEW) - TG_ARGV THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is history: rows are appended, never changed', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE ON verification_verificationpass
    FOR EACH ROW EXECUTE FUNCTION verification_keep_history('is_standing');
CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE ON verification_correction
    FOR EACH ROW EXECUTE FUNCTION verification_keep_history('approval', 'decided_by_id', 'decided_at');
CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE ON verification_passevent
    FOR EACH ROW EXECUTE FUNCTION verification_keep_history();
CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE ON verification_planadjustment
    FOR EACH ROW EXECUTE FUNCTION verification_keep_history();
"""

UNGUARD = """
DROP TRIGGER keep_history ON verification_verificationpass;
DROP TRIGGER keep_history ON verification_correction;
DROP TRIGGER keep_history ON verification_passevent;
DROP TRIGGER keep_history ON verification_planadjustment;
DROP FUNCTION verification_keep_history();
"""


class Migration(migrations.Migration):
    dependencies = [("verification", "0001_initial")]

    operations = [migrations.RunSQL(GUARD, UNGUARD)]
