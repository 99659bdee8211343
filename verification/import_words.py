"""The words by which a file may name one of a closed list: its code, its label in either language, and others."""

from collections.abc import Iterable, Mapping

from households import text
from households.imports.problems import CellRefused, in_each_language


class Words(dict):
    """Folded word -> value. `others` are words of the field that no label has, by value."""

    def __init__(self, choices: Iterable[tuple[str, object]], others: Mapping[str, Iterable[str]] | None = None):
        super().__init__()
        self.choices = list(choices)
        for value, label in self.choices:
            for word in (str(value), *in_each_language(lambda label=label: label).values()):
                self.setdefault(text.search_key(word), value)
        for value, words in (others or {}).items():
            for word in words:
                self.setdefault(text.search_key(word), value)

    def find(self, cell: str, code: str, list_name: str) -> str:
        """The value that `cell` names. Raises CellRefused with the labels of all there are."""
        try:
            return self[text.search_key(cell.strip())]
        except KeyError:
            raise CellRefused(code, **{list_name: self.labels()}) from None

    def labels(self) -> dict[str, str]:
        return in_each_language(lambda: "; ".join(str(label) for _value, label in self.choices))
