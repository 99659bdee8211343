"""docs/performance.md, written from what each job measured last (docs/performance.json)."""

import json
import statistics
from pathlib import Path

from benchmarks import country_arithmetic
from benchmarks.measure import Line
from benchmarks.why import WHY

DOCS = Path(__file__).resolve().parent.parent / "docs"
STORE, PAGE = DOCS / "performance.json", DOCS / "performance.md"
HEAD = """# Performance

Written by `python -m benchmarks` (what each job does: [benchmarks/README.md](../benchmarks/README.md)); change nothing here by hand.

Each figure is a **ratio** of two readings of one round on one machine, the product's over its limit's, the limit measured
beside it; the median of the rounds, with the smallest and largest. Absolute figures move two-fold from hour to hour on a
shared machine, ratios do not. *must* and *aim* are what the figure has to reach and what would be close to the limit.
"""


def stored() -> dict:
    return json.loads(STORE.read_text("utf-8")) if STORE.exists() else {}


def keep(job: str, title: str, lines: list[Line], machine: dict, skipped: str = "", tables: str = "") -> None:
    """Put a job's figures in the place of its earlier ones. A job that was skipped keeps what it had."""
    results = stored()
    for line in lines:
        for name in ("values", "ours", "limit"):
            setattr(line, name, [float(f"{value:.4g}") for value in getattr(line, name)])
    if skipped and results.get(job, {}).get("lines"):
        results[job]["skipped"] = skipped
    else:
        results[job] = {
            "title": title,
            "lines": [line.as_dict() for line in lines],
            "machine": machine,
            "skipped": skipped,
            "tables": tables,
        }
    STORE.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", "utf-8")


def write(order: list[str]) -> None:
    results = stored()
    shown = [results[job] | {"name": job} for job in order if job in results]
    text = [HEAD, *_machines(shown), _summary(shown)]
    for job in shown:
        text += _job(job)
    text += [_misses(shown), country_arithmetic.text(results)]
    PAGE.write_text("\n".join(text), "utf-8")


def _machines(jobs: list[dict]) -> list[str]:
    """The machine, once where all jobs ran on the same one; the figures that differ from start to start are the last's."""
    by_machine: dict[tuple, list[dict]] = {}
    for job in jobs:
        by_machine.setdefault(
            tuple(job["machine"][key] for key in ("day", "machine", "versions", "server")), []
        ).append(job)
    text = []
    for same in by_machine.values():
        facts = same[-1]["machine"]
        text.append(
            f"Measured on {facts['day']}" + ("" if len(by_machine) == 1 else f": {', '.join(j['title'] for j in same)}")
        )
        text.append("\n" + "\n".join(f"- {key}: {value}" for key, value in facts.items() if key != "day") + "\n")
    return text


def _summary(jobs: list[dict]) -> str:
    lines = [Line(**line) for job in jobs for line in job["lines"]]
    with_must = [line for line in lines if line.must is not None]
    must, aim = (
        sum(bool(x.meets(x.must)) for x in with_must),
        sum(bool(x.meets(x.aim)) for x in lines if x.aim is not None),
    )
    aims = sum(line.aim is not None for line in lines)
    return f"**{must} of {len(with_must)} musts and {aim} of {aims} aims are reached.**\n"


def _job(job: dict) -> list[str]:
    text = [f"## {job['title']}\n"]
    if job["skipped"]:
        text.append(f"Not measured in the last run: {job['skipped']}\n")
    if job["lines"]:
        text += [
            "| what | against | median | min–max | must | aim | | readings (median) |",
            "| --- | --- | ---: | --- | ---: | ---: | --- | --- |",
            *(_row(Line(**line)) for line in job["lines"]),
            "",
        ]
    if job.get("tables"):
        text.append(job["tables"])
    return text


def _row(line: Line) -> str:
    sign = "≥ " if line.more else "≤ "
    goals = [f"{sign}{number(goal)}" if goal is not None else "" for goal in (line.must, line.aim)]
    spread = f"{number(min(line.values))}–{number(max(line.values))}" if len(line.values) > 1 else "one reading"
    readings = ""
    if line.ours:
        readings = f"{number(statistics.median(line.ours))} : {number(statistics.median(line.limit))} {line.read_in}"
    note = f"; {line.note}" if line.note else ""
    unit = "" if line.unit == "×" else f" {line.unit}"
    return (
        f"| {line.what} | {line.against} | **{number(line.median)}**{unit} | {spread} | {goals[0]} | {goals[1]} "
        f"| {verdict(line)} | {readings}{note} |"
    )


def verdict(line: Line) -> str:
    if line.must is None and line.aim is None:
        return ""
    if line.meets(line.must) is False:
        return "**missed**"
    return "must" if line.meets(line.aim) is False else "aim"


def _misses(jobs: list[dict]) -> str:
    text = ["## What stands in the way\n"]
    for job in jobs:
        for line in (Line(**line) for line in job["lines"]):
            if line.meets(line.must) is False or line.meets(line.aim) is False:
                why = WHY.get((job["name"], line.what), "Not looked into yet.")
                text.append(f"- **{job['title']}: {line.what}** ({verdict(line)}). {why}")
    return "\n".join(text) + "\n"


def number(value: float) -> str:
    """Three digits that count; thousands parted by dots, as everywhere in these papers."""
    if value != value or value in (float("inf"), float("-inf")):
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", ".")
    return f"{value:.3g}".replace(".", ",")
