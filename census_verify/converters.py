from django.urls.converters import IntConverter


class IdConverter(IntConverter):
    """A number that can be a row's: a longer one is nobody's, and PostgreSQL would refuse it as no number of its own."""

    regex = "[0-9]{1,18}"
