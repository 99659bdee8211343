"""Server time of the search, over the province and inside a commune, on the register as it stands.

Beside each over the province: the bare trigram SQL of the same words; inside a commune: a view that only knows who
asks (session and officer). Medians and 95th percentiles of one process, rounds interleaved.
"""

import os
import statistics
import sys
import time
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "census_verify.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402

from census_verify import urls  # noqa: E402
from households import text  # noqa: E402
from households.models import User  # noqa: E402
from households.models.register import FORM_WORD_STARTS  # noqa: E402

ROUNDS = 20
BARE = (
    f"SELECT id, full_name FROM households_collectionform WHERE {FORM_WORD_STARTS} LIKE %s ORDER BY sort_key LIMIT 20"
)
PARTS = ["quynh uyen", "thi huong", "xuan an", "nguyen thi huong", "van duc", "nguyen van"]
OTHERS = ["nguyễn thị hường 85", "nguyen van an 17/5/1980", "ng", "nguye v", "van thi", "zzzz", "85", "17/5/1980",
          "183000", "350000002", "lan thon 5", "nguyen van an huong tra", "nguyen van thi dang tran le pham",
          "an " * 15, "x" * 500, "% _ \\", "👮"]  # fmt: skip


def spent(action) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95) - 1]


def logged_in(username: str) -> Client:
    client = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    client.force_login(User.objects.get(username=username), "django.contrib.auth.backends.ModelBackend")
    return client


def bare(typed: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BARE, [f"%{text.search_key(typed)}%"])
        cursor.fetchall()


def main() -> None:
    urls.urlpatterns.insert(0, path("who/", lambda request: HttpResponse(request.user.username)))
    pc06, officer = logged_in("pc06"), logged_in("xa.huongtra")

    def panel(client: Client, typed: str) -> None:
        assert client.get("/search/", {"q": typed}, headers={"HX-Request": "true"}).status_code == 200

    print(f"{'over the province':36} {'bare SQL':>9} {'median':>8} {'p95':>8} {'ratio':>6}")
    all_of = []
    for typed in [*PARTS, *OTHERS]:
        panel(pc06, typed)
        pairs = []
        for _ in range(ROUNDS):
            limit = spent(lambda typed=typed: bare(typed)) if typed in PARTS else 0
            pairs.append((limit, spent(lambda typed=typed: panel(pc06, typed))))
        limit, ours = map(list, zip(*pairs, strict=True))
        all_of += ours
        ratio = statistics.median(o / b for b, o in pairs) if typed in PARTS else 0
        print(
            f"{typed[:36]!r:38} {statistics.median(limit):7.1f} {statistics.median(ours):8.1f} {p95(ours):8.1f} {ratio:6.2f}"
        )
    print(f"all: p95 {p95(all_of):.1f} ms")
    who, inside = [], []
    for typed in [*PARTS, *OTHERS] * 3:
        who.append(spent(lambda: officer.get("/who/")))
        inside.append(spent(lambda typed=typed: panel(officer, typed)))
    print(f"inside a commune: median {statistics.median(inside):.1f}, p95 {p95(inside):.1f}; who: median"
          f" {statistics.median(who):.1f}, p95 {p95(who):.1f}; ratio {statistics.median(inside) / statistics.median(who):.2f},"
          f" of p95 {p95(inside) / p95(who):.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
