"""From the measured figures to the country: entries a second at the peak, machines, disk."""

import statistics
from math import ceil

PEOPLE, SHARE = 97_000_000, 0.85
DAYS, HOURS = 130, 8
PEAK = 9  # last days 2,7 × busiest hour 1,6 × burst within it 2
HOUSEHOLD = 4
PROVINCE = 1_478_997
OFFICERS, ROUND_SECONDS = 32_000, 40


def text(results: dict) -> str:
    """The section of the page; what a job has not measured yet is left out."""
    seconds = DAYS * HOURS * 3600
    mean = PEOPLE * SHARE / seconds
    peak = mean * PEAK
    lines = [
        "## The country: 97 million people",
        "",
        f"{_million(PEOPLE * SHARE)} million forms ({SHARE:.0%}) in six months = {DAYS} working days of {HOURS} hours = "
        f"{_dotted(seconds)} s: {mean:.0f} entries/s on average. The peak is {PEAK} times that (the last days 2,7 times the "
        f"average, the busiest hour 1,6, a burst within it 2): **{peak:.0f} entries/s, or {peak / HOUSEHOLD:.0f} households/s**. "
        f"Hà Tĩnh alone: {PROVINCE * SHARE / seconds * PEAK:.1f} entries/s.",
        "",
    ]
    saves = _reading(results, "entry", "save of a household of four: saves/s")
    if saves:
        entries = saves * HOUSEHOLD
        lines.append(
            f"- Entries: {saves:.0f} households/s = {entries:.0f} entries/s at 16 officers on this machine, database and load "
            f"generator included: the country's peak takes {ceil(peak / entries)} such machine(s), with half of each kept free "
            f"{ceil(2 * peak / entries)}. Saves of single persons are the worst case: {_single(results):.0f}/s."
        )
    each = _value(results, "growth", "bytes a form on disk, everything included")
    if each:
        lines.append(
            f"- Disk: {each:,.0f} bytes a form with its household, its row in the round, its pass, all indexes and figures: "
            f"{PROVINCE * each / 1e9:.1f} GB for Hà Tĩnh, {PEOPLE * each / 1e9:.0f} GB for the country; twice that with a "
            f"standby, and once more for a backup. A further round adds a row in the round and a pass for each form."
        )
    pages = _reading(results, "pages", "household page: requests/s")
    if pages and saves:
        # an officer's round: a household opened, looked at, saved
        rounds = 1 / (1 / pages + 1 / saves)
        lines.append(
            f"- People: {OFFICERS:,} at work at once (three a commune), one household in {ROUND_SECONDS} s each, are "
            f"{OFFICERS / ROUND_SECONDS:,.0f} households opened and saved a second, far above what the deadline asks for; this "
            f"machine opens and saves {rounds:.0f}/s, so {ceil(OFFICERS / ROUND_SECONDS / rounds)} of it serve everybody at once: "
            f"less than one for each of 63 provinces."
            if OFFICERS / ROUND_SECONDS / rounds < 63
            else f"- People: {OFFICERS:,} at work at once, one household in {ROUND_SECONDS} s each, want "
            f"{ceil(OFFICERS / ROUND_SECONDS / rounds)} machines like this one for pages and saves."
        )
    lines += [
        "- Whole country in one database: all costs that are asked by household, commune or hamlet stay as they are; how it would "
        "be cut by province stands in [decision 0016](decisions/0016-growth-and-partitions.md).",
    ]
    return "\n".join(lines) + "\n"


def _line(results: dict, job: str, what: str) -> dict | None:
    return next((line for line in results.get(job, {}).get("lines", []) if line["what"] == what), None)


def _reading(results: dict, job: str, what: str) -> float | None:
    line = _line(results, job, what)
    return statistics.median(line["ours"]) if line and line["ours"] else None


def _value(results: dict, job: str, what: str) -> float | None:
    line = _line(results, job, what)
    return statistics.median(line["values"]) if line else None


def _single(results: dict) -> float:
    return _reading(results, "entry", "save of a single person: saves/s") or float("nan")


def _million(count: float) -> str:
    return f"{count / 1e6:.1f}"


def _dotted(count: float) -> str:
    return f"{count:,.0f}".replace(",", ".")
