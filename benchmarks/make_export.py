"""`python -m benchmarks.make_export ID`: makes one export as the worker does, and says how long it took."""

import json
import sys
import time

from benchmarks import django_setup  # noqa: F401
from reports import exports

if __name__ == "__main__":
    started = time.perf_counter()
    exports.make(int(sys.argv[1]))
    print(json.dumps({"seconds": time.perf_counter() - started}))
