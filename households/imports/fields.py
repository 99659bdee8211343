"""What a column of an imported file can be."""

from dataclasses import dataclass, field

from households import text


@dataclass(frozen=True)
class Field:
    """One field of a kind of import.

    `heading` is what the template file calls it, in Vietnamese, for the files are; `aliases` are other
    headings it is known by, folded (`text.search_key`). What is not in the template is read where a file has it.
    """

    name: str
    heading: str
    aliases: frozenset[str] = field(default_factory=frozenset)
    is_required: bool = False
    example: str = ""
    is_in_template: bool = True

    @property
    def keys(self) -> set[str]:
        return {text.search_key(self.heading), self.name, *self.aliases}
