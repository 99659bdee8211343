"""Everything an import may have to say about a file or a cell: a code, and its sentence in the reader's language.

A sentence says what is wrong and what to do. Row, column and value stand beside it, not in it.
"""

from django.utils.translation import gettext_lazy as _

SENTENCES = {
    # the whole file
    "same_file": _("This very file was loaded on %(day)s by %(officer)s. Loading it again must be asked for."),
    # a cell
    "missing": _("The cell is empty; this column is needed."),
    "too_long": _("At most %(limit)d characters."),
}


class FileRefused(Exception):
    """The whole file cannot be read. `code` is one of SENTENCES."""

    def __init__(self, code: str, **values):
        self.code, self.values = code, values
        super().__init__(code)


class CellRefused(ValueError):
    """A cell that cannot be read; its row is refused."""

    def __init__(self, code: str, **values):
        self.code, self.values = code, values
        super().__init__(code)


def sentence(code: str, values: dict) -> str:
    return str(SENTENCES[code]) % values
