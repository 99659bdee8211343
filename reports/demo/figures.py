"""How many of everything: the sums the newspaper printed, scaled, and shared out among the communes."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

POPULATION, COLLECTED, QUALIFIED, VERIFIED = 1_496_921, 1_478_997, 1_472_612, 1_257_366
SMALLEST_SHARE = 0.002
COMPLETE_COMMUNES, SLOW_COMMUNES = 6, 5
SLOW, USUAL = (0.42, 0.585), (0.70, 0.98)
THOUSANDTHS = 1000


@dataclass(frozen=True)
class Figures:
    population: int
    collected: int
    qualified: int
    verified: int

    @property
    def refused(self) -> int:
        return self.collected - self.qualified

    @property
    def rates(self) -> tuple[str, str, str]:
        """To two decimals, as they are printed: collected, qualified, verified."""
        return (
            f"{100 * self.collected / self.population:.2f}",
            f"{100 * self.qualified / self.collected:.2f}",
            f"{100 * self.verified / self.collected:.2f}",
        )


PROVINCE = Figures(POPULATION, COLLECTED, QUALIFIED, VERIFIED)


@dataclass(frozen=True)
class CommuneOfCensus:
    code: str
    district_code: str
    population: int
    households: int


def totals(share: float) -> Figures:
    """The province's sums at a share of its size, with the same three rates to two decimals.

    A small number of forms cannot show every rate, so the nearest number that can is taken.
    """
    wanted = round(COLLECTED * share)
    for away in range(wanted):
        for collected in (wanted + away, wanted - away):
            figures = Figures(
                _round_from(collected, POPULATION),
                collected,
                _round_from(collected, QUALIFIED),
                _round_from(collected, VERIFIED),
            )
            if figures.rates == PROVINCE.rates:
                return figures
    raise ValueError(f"no number of forms near {wanted} has the province's rates")


def _round_from(collected: int, of_province: int) -> int:
    return (2 * of_province * collected + COLLECTED) // (2 * COLLECTED)


def apportion(total: int, weights: Sequence[int], caps: Sequence[int] | None = None) -> list[int]:
    """Whole numbers in proportion to `weights` that add up to `total`: the method of the largest remainder.

    With `caps` nobody gets more than her cap; what is over goes to those who have room.
    """
    whole = sum(weights)
    if not whole:
        if total:
            raise ValueError("nothing to share out by")
        return [0] * len(weights)
    parts = [divmod(total * weight, whole) for weight in weights]
    shares = [part for part, _ in parts]
    by_remainder = sorted(range(len(parts)), key=lambda place: (-parts[place][1], place))
    for place in by_remainder[: total - sum(shares)]:
        shares[place] += 1
    if caps is None:
        return shares
    if sum(caps) < total:
        raise ValueError(f"{total} do not fit under caps of {sum(caps)}")
    kept = [min(share, cap) for share, cap in zip(shares, caps, strict=True)]
    room = [cap - share for cap, share in zip(caps, kept, strict=True)]
    more = apportion(total - sum(kept), room)
    return [share + extra for share, extra in zip(kept, more, strict=True)]


def spread(
    communes: Sequence[CommuneOfCensus], province: Figures, fixed: dict[str, float], random: Random
) -> dict[str, Figures]:
    """Each commune's figures: they add up to the province's, and the communes stand unevenly."""
    collected = apportion(province.collected, [c.population for c in communes])
    rates = _rates(communes, collected, province.verified, fixed, random)
    complete = [rate == 1 for rate in rates]
    uneven = [random.randrange(THOUSANDTHS // 2, THOUSANDTHS * 3 // 2) for _ in communes]
    refused = apportion(
        province.refused,
        [0 if done else forms * weight for forms, weight, done in zip(collected, uneven, complete, strict=True)],
        [forms // 3 for forms in collected],
    )
    population = apportion(
        province.population - province.collected, [f * w for f, w in zip(collected, reversed(uneven), strict=True)]
    )
    verified = _verified(collected, refused, rates, province.verified)
    return {
        c.code: Figures(forms + missing, forms, forms - bad, done)
        for c, forms, missing, bad, done in zip(communes, collected, population, refused, verified, strict=True)
    }


def _verified(collected: list[int], refused: list[int], rates: list[float], total: int) -> list[int]:
    done = [forms if rate == 1 else 0 for forms, rate in zip(collected, rates, strict=True)]
    weights = [
        0 if rate == 1 else round(forms * rate * THOUSANDTHS) for forms, rate in zip(collected, rates, strict=True)
    ]
    caps = [0 if rate == 1 else f - bad for f, bad, rate in zip(collected, refused, rates, strict=True)]
    rest = apportion(total - sum(done), weights, caps)
    return [a + b for a, b in zip(done, rest, strict=True)]


def _rates(communes, collected: list[int], verified: int, fixed: dict[str, float], random: Random) -> list[float]:
    """A few communes done, a few far behind, the rest around its district's pace so that the sum comes out."""
    chosen = random.sample([c.code for c in communes if c.code not in fixed], COMPLETE_COMMUNES + SLOW_COMMUNES)
    set_rates = fixed | dict.fromkeys(chosen[:COMPLETE_COMMUNES], 1.0)
    set_rates |= {code: random.uniform(*SLOW) for code in chosen[COMPLETE_COMMUNES:]}
    pace = {code: random.uniform(-0.05, 0.05) for code in sorted({c.district_code for c in communes})}
    usual = [0.86 + pace[c.district_code] + random.gauss(0, 0.045) for c in communes]

    def shifted(by: float) -> list[float]:
        low, high = USUAL
        return [set_rates.get(c.code, min(high, max(low, rate + by))) for c, rate in zip(communes, usual, strict=True)]

    low, high = -1.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        enough = sum(f * r for f, r in zip(collected, shifted(middle), strict=True)) >= verified
        low, high = (low, middle) if enough else (middle, high)
    return shifted(high)
