"""Officers, as many as a job wants, each posted to a commune; their password is the demo's."""

from datetime import date

from django.contrib.auth.hashers import make_password

from census_verify.supervisor import DEMO_PASSWORD
from households.models import Posting, User
from verification.models import Round


def officers(count: int) -> list[User]:
    """Commune officers over all communes of the round in turn. One hash for all: checking it costs what it costs."""
    communes = list(Round.objects.current().plans.order_by("commune__code").values_list("commune_id", flat=True))
    names = [f"benchmark.{number:03d}" for number in range(count)]
    known = set(User.objects.filter(username__in=names).values_list("username", flat=True))
    password = make_password(DEMO_PASSWORD)
    User.objects.bulk_create(
        User(username=name, full_name="Cán bộ đo tốc độ", password=password) for name in names if name not in known
    )
    made = list(User.objects.filter(username__in=names).order_by("username"))
    posted = set(Posting.objects.filter(user__in=made).values_list("user_id", flat=True))
    Posting.objects.bulk_create(
        Posting(user=user, role="commune_officer", unit_id=communes[place % len(communes)], valid_from=date(2020, 1, 1))
        for place, user in enumerate(made)
        if user.pk not in posted
    )
    return made
