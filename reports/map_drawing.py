"""The map of some units as shapes on a sheet: which path in which class, the borders above them, and the names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from households.models import AdministrativeUnit
from reports import outlines
from reports.map import Measure, Place, goal_of
from reports.outlines import Box, Outlines, around
from reports.progress import Progress, UnitRow

WIDEST, HIGHEST = 1000, 680  # the sheet, which the shapes fill one way or the other
MARGIN = 8  # for the strokes at the edge
LINE, LETTER = 20, 9  # of a name: its height and the width of a letter, about
ON_A_TELEPHONE = 1.6  # times as large on the sheet, to be read there
HATCH = 9  # from one line of the hatching to the next
Type = AdministrativeUnit.Type
# As maps print them; a xã is what a commune is where nothing else is said.
SHORT_TYPES = {
    Type.CITY: "TP.",
    Type.TOWN: "TX.",
    Type.RURAL_DISTRICT: "H.",
    Type.WARD: "P.",
    Type.TOWNSHIP: "TT.",
}


@dataclass(frozen=True)
class Shape:
    place: Place
    path: str
    of_class: int


@dataclass(frozen=True)
class Label:
    x: int
    y: int
    text: str
    is_minor: bool = False  # left out on a telephone, where it would cover another


@dataclass(frozen=True)
class Drawing:
    box: Box
    scale: float
    shapes: list[Shape]
    borders: list[str]  # of the units above those drawn, or of the whole
    labels: list[Label]

    @property
    def width(self) -> int:
        return round(self.box.width * self.scale) + 2 * MARGIN

    @property
    def height(self) -> int:
        return round(self.box.height * self.scale) + 2 * MARGIN

    @property
    def transform(self) -> str:
        """From the grid of the outlines to the sheet."""
        left, top = MARGIN - self.box.left * self.scale, MARGIN - self.box.top * self.scale
        return f"translate({left:.2f} {top:.2f}) scale({self.scale:.4f})"


def draw(
    places: Sequence[Place],
    on: Outlines,
    measure: Measure,
    *,
    bordered: Iterable[AdministrativeUnit] = (),
    named: Iterable[AdministrativeUnit] = (),
) -> Drawing | None:
    """None where no unit has an outline."""
    found = [(place, outline) for place in places if (outline := on.of(place.unit))]
    box = around(outline for _place, outline in found)
    if box is None:
        return None
    scale = min((WIDEST - 2 * MARGIN) / box.width, (HIGHEST - 2 * MARGIN) / box.height)

    def label(unit: AdministrativeUnit, at: tuple[int, int]) -> Label:
        return Label(
            round((at[0] - box.left) * scale) + MARGIN, round((at[1] - box.top) * scale) + MARGIN, short_name(unit)
        )

    borders = [outline.path for unit in bordered if (outline := on.of(unit))]
    large_first = sorted(
        ((unit, outline) for unit in named if (outline := on.of(unit))),
        key=lambda each: each[1].box.width * each[1].box.height,
        reverse=True,
    )
    names = apart(told_apart([label(unit, outline.label) for unit, outline in large_first]))
    shapes = [Shape(place, outline.path, place.class_by(measure)) for place, outline in found]
    return Drawing(box, scale, shapes, borders, names)


def told_apart(labels: Iterable[Label]) -> list[Label]:
    """Which of them stay on a telephone, those that come first before the others."""
    stay: list[Label] = []
    found = []
    for label in labels:
        is_minor = any(_touch(label, other, ON_A_TELEPHONE) for other in stay)
        if not is_minor:
            stay.append(label)
        found.append(replace(label, is_minor=is_minor))
    return found


def apart(labels: Iterable[Label]) -> list[Label]:
    """From the top down, each pushed below those it would cover."""
    placed: list[Label] = []
    for label in sorted(labels, key=lambda label: (label.y, label.x)):
        while covered := next((other for other in placed if _touch(label, other)), None):
            label = replace(label, y=covered.y + LINE)
        placed.append(label)
    return placed


def _touch(one: Label, other: Label, larger: float = 1.0) -> bool:
    wide = (len(one.text) + len(other.text)) * LETTER * larger / 2
    return abs(one.x - other.x) < wide and abs(one.y - other.y) < LINE * larger


def small(shown: Progress, rows: Sequence[UnitRow]) -> tuple[list[Place], Drawing | None]:
    """Beside the figures of a province or district: the units of their table by the rate."""
    goal = goal_of(shown.round)
    places = [Place(row, goal, shown.round.starts_on) for row in rows]
    districts = [row.owner for row in rows if row.owner.level == AdministrativeUnit.Level.DISTRICT]
    drawn = draw(places, outlines.packaged(), Measure.RATE, bordered=districts or [shown.owner], named=districts)
    return places, drawn


def without_outline(places: Iterable[Place], on: Outlines) -> list[AdministrativeUnit]:
    return [place.unit for place in places if on.of(place.unit) is None]


def short_name(unit: AdministrativeUnit) -> str:
    short = SHORT_TYPES.get(unit.type, "")
    # numbered wards have their type in the name
    return f"{short} {unit.name}" if short and unit.full_name != unit.name else unit.name
