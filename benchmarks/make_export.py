"""`python -m benchmarks.make_export KIND FORMAT [CODE]`: asks for a file of the whole round, or of the unit with this
code, and makes it as the worker does; says which export it was, its rows, and how long the making took. In one process, so
that no worker that runs beside takes it up first."""

import json
import sys
import time

from benchmarks import django_setup  # noqa: F401
from census_verify import clock
from households.models import AdministrativeUnit, User
from reports import exports
from reports.models import Export
from verification.models import Round

if __name__ == "__main__":
    kind, format, *codes = sys.argv[1:]
    round = Round.objects.current()
    unit = AdministrativeUnit.objects.get(code=codes[0], valid_to=None) if codes else round.area
    export = Export.objects.create(
        owner=User.objects.get(username="pc06"), round=round, kind=kind, format=format, unit=unit,
        options={"state": "all"}, reason="benchmark", language="vi", asked_at=clock.now(),
    )  # fmt: skip
    started = time.perf_counter()
    exports.make(export.pk)
    seconds = time.perf_counter() - started
    export.refresh_from_db()
    print(json.dumps({"export": export.pk, "rows": export.rows, "seconds": seconds}))
