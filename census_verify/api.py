from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_exception_handler

from verification.rules import Refusal


class ShallowJSONParser(JSONParser):
    """JSON; a body nested so deep that reading it would break off is refused like any other that is wrong."""

    def parse(self, stream, media_type=None, parser_context=None):
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError("nested too deep") from None


def exception_handler(exception: Exception, context: dict) -> Response | None:
    """A refusal of the rules answers with its sentence and the place it concerns."""
    if isinstance(exception, Refusal):
        place = {"form_id": exception.form_id, "field": exception.field}
        return Response({"detail": exception.sentence, **place}, status=exception.status)
    return rest_exception_handler(exception, context)
