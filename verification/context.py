from functools import cached_property

from django.http import HttpRequest

from households.permissions import scope_of
from verification import permissions, waiting
from verification.models import Round


class Queue:
    """For the navigation of every page: may she open the queue, and how many wait for her. Asked once a request,
    and only for those who may decide."""

    def __init__(self, request: HttpRequest):
        self.officer = getattr(request, "user", None)

    @cached_property
    def may_open(self) -> bool:
        return bool(self.officer) and permissions.can_see_queue(self.officer)

    @cached_property
    def waiting(self) -> int:
        if not scope_of(self.officer).roles & set(permissions.DECIDING_ROLES.values()):
            return 0
        round = Round.objects.current()
        units = permissions.units_to_decide_in(self.officer, round) if round else []
        return waiting.count_up_to_many(round, units)

    @property
    def are_many(self) -> bool:
        return self.waiting == waiting.MANY


def queue(request: HttpRequest) -> dict:
    return {"queue": Queue(request)}
