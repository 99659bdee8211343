"""The outlines of units as they are drawn: paths on a grid of whole numbers, packaged (docs/data.md).

Made by `manage.py make_outlines`. Codes are reused in time, so an outline is of the unit that bore its code on the
day of the file."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from households.models import AdministrativeUnit

FILE = Path(str(resources.files("reports") / "data" / "outlines_hatinh_2020.json"))


class Box(NamedTuple):
    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


@dataclass(frozen=True)
class Outline:
    path: str  # as SVG has it, absolute at its start, so that paths may be put one behind the other
    box: Box
    label: tuple[int, int]  # where its name stands


@dataclass(frozen=True)
class Outlines:
    day: date
    of_code: dict[str, Outline]

    def of(self, unit: AdministrativeUnit) -> Outline | None:
        """None where there is none, and where the unit bore its code at another time."""
        if (unit.valid_from and unit.valid_from > self.day) or (unit.valid_to and unit.valid_to <= self.day):
            return None
        return self.of_code.get(unit.code)


@cache
def packaged() -> Outlines:
    return read(FILE)


def read(path: Path) -> Outlines:
    stored = json.loads(path.read_text("utf-8"))
    units = {
        code: Outline(unit["path"], Box(*unit["box"]), tuple(unit["label"])) for code, unit in stored["units"].items()
    }
    return Outlines(date.fromisoformat(stored["day"]), units)


def around(outlines: Iterable[Outline]) -> Box | None:
    """The box that holds them all."""
    boxes = [outline.box for outline in outlines]
    if not boxes:
        return None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms))
