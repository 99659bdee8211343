"""Small rules that hold for every request."""

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin


class ChosenLanguageMiddleware(LocaleMiddleware):
    """Vietnamese unless the officer chose otherwise: many an office's browser asks for English by itself."""

    def process_request(self, request: HttpRequest) -> None:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        translation.activate(chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = translation.get_language()


class NeverStoredMiddleware(MiddlewareMixin):
    """Pages hold persons, and PCs are shared: no browser or proxy keeps one. Static files are served before this."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response.headers["Cache-Control"] = "no-store"
        return response


class HostileAddressMiddleware(MiddlewareMixin):
    """A NUL in an address is nobody's mistake, and PostgreSQL takes none: refused before anything reads it."""

    def process_request(self, request: HttpRequest) -> None:
        if "%00" in request.META.get("QUERY_STRING", "") or "\x00" in request.path:
            raise BadRequest("NUL in the address")


def client_address(request: HttpRequest) -> str:
    """The visitor's address, for the lock-out. Behind our own proxy it is the last one the proxy wrote down;
    without one the header is anybody's to invent."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_PROXY else ""
    return forwarded.split(",")[-1].strip() or request.META.get("REMOTE_ADDR", "")
