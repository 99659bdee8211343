"""The log of files with persons: who had one made and who took it, of whom and what for (domain.md section 11)."""

from census_verify import clock
from households.models import User
from reports.models import Disclosure, Export


def write_down(export: Export, act: Disclosure.Act, *, by: User) -> None:
    """A line for a file that names persons; other files are not written down."""
    if export.kind not in Export.PERSONS:
        return
    Disclosure.objects.create(
        export=export,
        act=act,
        officer=by,
        unit=export.unit,
        at=clock.now(),
        kind=export.kind,
        format=export.format,
        options=export.options,
        reason=export.reason,
        rows=export.rows,
        sha256=export.sha256,
    )
