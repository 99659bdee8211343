"""Server time of the pages of figures over the demo that is loaded: made anew, and kept since the last roll-up.

    python -m benchmarks.figure_pages [rounds]

In process, without the network; with what `./run --full` prints as DATABASE_URL. What it gave last: docs/figure_pages.md.
"""

import sys
from statistics import median, quantiles
from time import perf_counter

from django.conf import settings
from django.core.cache import caches
from django.test import Client
from django.urls import reverse

from census_verify import wsgi  # noqa: F401 as the web processes are, before our models
from households.models import AdministrativeUnit, User
from reports.alerts.bell import unread_of
from reports.alerts.making import make_alerts

Level = AdministrativeUnit.Level


def timed(work) -> float:
    start = perf_counter()
    work()
    return 1000 * (perf_counter() - start)


def told(name: str, *series: list[float]) -> None:
    cells = (f"{median(each):.1f} / {quantiles(each, n=20)[-1]:.1f}" for each in series)
    print(f"| {name} | {' | '.join(cells)} |")


def main(rounds: int) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    pc06 = User.objects.get(username="pc06")
    province = pc06.postings.get().unit
    district = AdministrativeUnit.objects.filter(parent=province).in_order().first()
    commune = AdministrativeUnit.objects.filter(parent=district).in_order().first()
    client = Client()
    client.force_login(pc06)
    pages = {
        "province": reverse("reports:unit_detail", args=[province.pk]),
        "district": reverse("reports:unit_detail", args=[district.pk]),
        "commune": reverse("reports:unit_figures", args=[commune.pk]),
        "teams": reverse("reports:team_list"),
        "province, a day that is over": reverse("reports:unit_detail", args=[province.pk]) + "?as_of=10/6/2020",
        "map by rate": reverse("reports:unit_map", args=[province.pk]),
        "map by days to spare": reverse("reports:unit_map", args=[province.pk]) + "?by=slack",
        "alerts": reverse("reports:alert_list"),
    }
    print("| page, ms p50 / p95 | made anew | kept |\n| --- | --: | --: |")
    for name, address in pages.items():
        made, kept = [], []
        for _ in range(rounds):
            caches["pages"].clear()
            made.append(timed(lambda address=address: client.get(address)))
            kept.append(timed(lambda address=address: client.get(address)))
        told(name, made, kept)
    bell = [timed(lambda: unread_of(pc06)) for _ in range(10 * rounds)]
    alerts = [timed(make_alerts) for _ in range(max(rounds // 6, 2))]
    told("the bell of every page", bell, bell)
    told("a pass over all alerts", alerts, alerts)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
