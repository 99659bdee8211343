from functools import cached_property

from django.http import HttpRequest

from reports.alerts.bell import unread_of


class Bell:
    """For the navigation of every page; asked once a request, and only where a page shows it."""

    def __init__(self, request: HttpRequest):
        self.officer = getattr(request, "user", None)

    @cached_property
    def unread(self) -> int:
        return unread_of(self.officer) if self.officer and self.officer.is_authenticated else 0


def bell(request: HttpRequest) -> dict:
    return {"bell": Bell(request)}
