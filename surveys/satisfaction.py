"""CSAT, CES and whether a Net Promoter Score has changed: pure functions of counts, integers until the last step."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from core.proportions import Z95, wilson_interval
from surveys.scales import CSAT, SCALES, Level
from surveys.scoring import Tally, nps_parts

ENOUGH = 30
"""With fewer answers a score is shown as not enough yet."""
_SERIES_TO = 100


@dataclass(frozen=True, slots=True)
class Change:
    """The difference of two scores in points with its 95 % interval; `real` where that does not hold zero."""

    difference: float
    interval: tuple[float, float]

    @property
    def real(self) -> bool:
        """Whether chance alone is an unlikely explanation."""
        low, high = self.interval
        return low > 0 or high < 0


def satisfied_of(counts: Mapping[int, int]) -> int:
    """Return how many gave 4 or 5 of 5."""
    scale = SCALES[CSAT]
    return sum(count for score, count in counts.items() if scale.level_of(score) is Level.HIGH)


def csat_of(counts: Mapping[int, int]) -> int | None:
    """Return the share of 4 and 5 in percent, rounded once, half up; None where nobody answered."""
    n = sum(counts.values())
    return (200 * satisfied_of(counts) + n) // (2 * n) if n else None


def csat_interval(counts: Mapping[int, int]) -> tuple[float, float] | None:
    """Return Wilson's 95 % interval of the share in percent, to one decimal; None where nobody answered."""
    found = wilson_interval(satisfied_of(counts), sum(counts.values()))
    return None if found is None else (round(100 * found[0], 1), round(100 * found[1], 1))


def mean_of(counts: Mapping[int, int]) -> float | None:
    """Return the mean score to two decimals; None where nobody answered."""
    n = sum(counts.values())
    return (200 * sum(score * count for score, count in counts.items()) + n) // (2 * n) / 100 if n else None


def mean_interval(counts: Mapping[int, int], *, low: int, high: int) -> tuple[float, float] | None:
    """Return the 95 % t interval of the mean to two decimals, within the scale; None for fewer than two answers."""
    n = sum(counts.values())
    if n < 2:
        return None
    total = sum(score * count for score, count in counts.items())
    squares = sum(score * score * count for score, count in counts.items())
    error = math.sqrt((n * squares - total * total) / (n * n * (n - 1)))
    reach = t_quantile(n - 1) * error
    return round(max(float(low), total / n - reach), 2), round(min(float(high), total / n + reach), 2)


def nps_change(before: Tally, after: Tally) -> Change | None:
    """Return how the score changed between two disjoint periods; None where one of them has no answers.

    Adjusted Wald as in `nps_interval`: the difference of the adjusted scores ± 1.96 √(SE₁² + SE₂²).
    """
    if not before.n or not after.n:
        return None
    (score, error), (later, later_error) = nps_parts(before), nps_parts(after)
    reach = 1.96 * math.hypot(error, later_error)
    difference = later - score
    return Change(round(difference, 1), (round(difference - reach, 1), round(difference + reach, 1)))


def t_quantile(freedom: int) -> float:
    """Return the 97.5 % point of Student's t for whole degrees of freedom.

    Abramowitz and Stegun, Handbook of Mathematical Functions (1964): 26.7.3 and 26.7.4 inverted by halving, from
    100 degrees on the expansion 26.7.5.
    """
    if freedom >= _SERIES_TO:
        z = Z95
        first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
        return z + first / freedom + second / freedom**2
    low, high = 0.0, 64.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _central_share(middle, freedom) < 0.95 else (low, middle)
    return high


def _central_share(t: float, freedom: int) -> float:
    """Return the probability that Student's t lies within ±t."""
    angle = math.atan(t / math.sqrt(freedom))
    square = math.cos(angle) ** 2
    odd = freedom % 2
    term, total = 1.0, 0.0
    for step in range(1 + odd, freedom, 2):
        total += term
        term *= square * step / (step + 1)
    if odd:
        return 2 / math.pi * (angle + math.sin(angle) * math.cos(angle) * total)
    return math.sin(angle) * total
