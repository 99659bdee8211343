"""Makes the packaged outlines of the map from polygons: once, when they change; the program never runs it.

Neighbours are simplified together, so a border that two communes share stays one line, and the border of a district
is made of those of its communes."""

import json
from datetime import date
from itertools import pairwise
from math import cos, radians
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from reports.outlines import FILE

GRID = 4000  # steps from west to east; for Hà Tĩnh 37 m each
TOLERANCE = 4.0  # the side of the square, in steps, by which a border may be cut short


class Command(BaseCommand):
    help = "Make the outlines of the map from a GeoJSON of communes (properties code, parent_code; WGS 84)."

    def add_arguments(self, parser):
        parser.add_argument("communes", type=Path)
        parser.add_argument("--day", type=date.fromisoformat, default=date(2020, 6, 1), help="a day the units stood")
        parser.add_argument("--out", type=Path, default=FILE)
        parser.add_argument("--tolerance", type=float, default=TOLERANCE)

    def handle(self, **options):
        try:
            import shapely
        except ImportError as missing:
            raise CommandError(
                "pip install shapely (requirements-test.txt has it); only this command needs it."
            ) from missing
        features = json.loads(options["communes"].read_text("utf-8"))["features"]
        codes = [feature["properties"]["code"] for feature in features]
        parents = [feature["properties"]["parent_code"] for feature in features]
        drawn = on_the_grid([shapely.geometry.shape(feature["geometry"]) for feature in features], options["tolerance"])
        shapes = dict(zip(codes, drawn, strict=True))
        for district in dict.fromkeys(parents):
            inside = [shape for shape, parent in zip(drawn, parents, strict=True) if parent == district]
            shapes[district] = shapely.coverage_union_all(inside)
        options["out"].write_text(written(shapes, options["day"]), "utf-8")
        self.stdout.write(f"{options['out']}: {len(codes)} communes, {len(shapes) - len(codes)} districts")


def on_the_grid(shapes: list, tolerance: float) -> list:
    """Simplified together and rounded to the grid, north up."""
    import shapely

    if not shapely.coverage_is_valid(shapes):
        raise CommandError("The polygons do not fit each other: borders overlap or differ.")
    west, south, east, north = shapely.total_bounds(shapes)
    narrowing = cos(radians((south + north) / 2))
    scale = GRID / (east - west)

    def place(points):
        points[:, 0] = (points[:, 0] - west) * scale
        points[:, 1] = (north - points[:, 1]) * scale / narrowing
        return points

    placed = [shapely.transform(shape, place) for shape in shapes]
    simple = shapely.coverage_simplify(placed, tolerance)
    return [shapely.transform(shape, lambda points: points.round()) for shape in simple]


def written(shapes: dict, day: date) -> str:
    """A line a unit, in the order of codes."""
    lines = [
        f'"{code}":{json.dumps(_unit(shape), separators=(",", ":"))}'
        for code, shape in sorted(shapes.items(), key=lambda each: (len(each[0]), each[0]))
    ]
    return f'{{"day":"{day}","units":{{\n' + ",\n".join(lines) + "\n}}\n"


def _unit(shape) -> dict:
    import shapely

    left, top, right, bottom = (int(side) for side in shape.bounds)
    widest = max(getattr(shape, "geoms", [shape]), key=lambda part: part.area)
    centre = shapely.maximum_inscribed_circle(widest, tolerance=2).coords[0]
    return {"label": [round(each) for each in centre], "box": [left, top, right, bottom], "path": path_of(shape)}


def path_of(shape) -> str:
    """Every ring from an absolute point on by steps."""
    rings = [ring for part in getattr(shape, "geoms", [shape]) for ring in (part.exterior, *part.interiors)]
    return "".join(_ring([(int(x), int(y)) for x, y in ring.coords]) for ring in rings)


def _ring(points: list[tuple[int, int]]) -> str:
    # the last point is the first again, which `z` says
    steps = [(x - x0, y - y0) for (x0, y0), (x, y) in pairwise(points[:-1]) if (x, y) != (x0, y0)]
    numbers = [number for step in steps for number in step]
    # a minus parts numbers as well as a blank does
    tail = "".join(f"{'' if number < 0 or not place else ' '}{number}" for place, number in enumerate(numbers))
    return f"M{points[0][0]} {points[0][1]}l{tail}z"
