"""Checking a password takes a quarter of a second of a core on purpose. So that a morning's three hundred log-ins
never keep the pages of those who are in waiting, each web process lets few of them in at once and asks the
rest to come again in a moment, which the page does by itself (decision 0019)."""

import threading
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse

# of the four threads of a web process: one checks a password, one stands behind it, two are for pages
AT_ONCE = 2
RETRY_SECONDS = 2

_inside = threading.BoundedSemaphore(AT_ONCE)
_checking = threading.Lock()


class OneLaneArgon2(Argon2PasswordHasher):
    """Django's memory and passes, in one lane: as dear to who searches a stolen table, less processor time for us, and
    never both cores at once."""

    parallelism = 1


class LogIn(LoginView):
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        with _turn() as is_mine:
            if is_mine:
                return super().post(request, *args, **kwargs)
        response = HttpResponse() if "X-Waits" in request.headers else self._ask_to_come_again(request)
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_SECONDS)
        return response

    def _ask_to_come_again(self, request: HttpRequest) -> HttpResponse:
        """For a browser without scripts; to the page that waits by itself the status is enough."""
        return self.render_to_response(self.get_context_data(form=None, typed=request.POST.get("username", "")))


@contextmanager
def _turn():
    if not _inside.acquire(blocking=False):
        yield False
        return
    try:
        with _checking:
            yield True
    finally:
        _inside.release()
