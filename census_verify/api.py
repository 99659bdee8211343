from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler

from verification.rules import Refusal


def exception_handler(exception: Exception, context: dict) -> Response | None:
    """A refusal of the rules answers with its sentence and the place it concerns."""
    if isinstance(exception, Refusal):
        place = {"form_id": exception.form_id, "field": exception.field}
        return Response({"detail": exception.sentence, **place}, status=exception.status)
    return rest_exception_handler(exception, context)
