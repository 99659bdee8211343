"""`/healthz`: this process answers. `/readyz`: database, broker and worker answer too."""

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

WORKER_SEEN_KEY, WORKER_SEEN_SECONDS = "worker-seen", 30


@login_not_required
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when all parts answer, else 503 with the reason of each part that does not."""
    reasons = {}
    for part, ask in (("database", _ask_database), ("broker", _ask_broker)):
        try:
            ask()
        except Exception as gone:  # whatever it is, the part is not ready
            reasons[part] = type(gone).__name__
    if "broker" not in reasons and not cache.get(WORKER_SEEN_KEY):
        reasons["worker"] = f"not seen for {WORKER_SEEN_SECONDS} s"
    parts = {part: reasons.get(part, "ok") for part in ("database", "broker", "worker")}
    if "broker" in reasons:
        parts["worker"] = "not known without the broker"
    return JsonResponse({"status": "unready" if reasons else "ok", **parts}, status=503 if reasons else 200)


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_broker() -> None:
    cache.get(WORKER_SEEN_KEY)
