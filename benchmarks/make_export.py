"""`python -m benchmarks.make_export KIND FORMAT`: asks for a file of the whole round and makes it as the worker does; says
which export it was and how long the making took. In one process, so that no worker that runs beside takes it up first."""

import json
import sys
import time

from benchmarks import django_setup  # noqa: F401
from census_verify import clock
from households.models import User
from reports import exports
from reports.models import Export
from verification.models import Round

if __name__ == "__main__":
    kind, format = sys.argv[1:]
    round = Round.objects.current()
    export = Export.objects.create(
        owner=User.objects.get(username="pc06"), round=round, kind=kind, format=format, unit=round.area,
        options={"state": "all"}, reason="benchmark", language="vi", asked_at=clock.now(),
    )  # fmt: skip
    started = time.perf_counter()
    exports.make(export.pk)
    print(json.dumps({"export": export.pk, "seconds": time.perf_counter() - started}))
