"""How many alerts and finished files an officer has not opened yet: asked by the navigation of every page."""

from households.permissions import scope_of
from households.statements import Statement
from reports.models import reached_from

UNREAD = Statement(
    "unread_alerts_and_files",
    "bigint, text[], smallint[]",
    """
    SELECT count(*) + (
        SELECT count(*) FROM reports_export
        WHERE owner_id = $1 AND seen_at IS NULL AND status IN ('done', 'failed'))
    FROM reports_alert alert
    JOIN households_administrativeunit unit ON unit.id = alert.unit_id
    WHERE alert.ended_at IS NULL
        AND EXISTS (
            SELECT FROM unnest($2, $3) posted (path, reach)
            WHERE starts_with(unit.path, posted.path) AND alert.reach <= posted.reach)
        AND NOT EXISTS (
            SELECT FROM reports_alertreading reading
            WHERE reading.alert_id = alert.id AND reading.officer_id = $1 AND reading.read_at >= alert.told_at)""",
)


def unread_of(officer) -> int:
    """As `Alert.objects.open().visible_to(officer)` without those she has read, and `Export.objects.to_tell()` of hers."""
    units = [unit for _role, unit in scope_of(officer).postings]
    if not units:
        return 0
    paths, reaches = [unit.path for unit in units], [reached_from(unit.level) for unit in units]
    return UNREAD.row(officer.pk, paths, reaches)[0]
