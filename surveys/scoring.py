"""The Net Promoter Score and its interval: integers until the last step."""

import math
from dataclasses import dataclass
from enum import StrEnum

_Z95 = 1.96


class Band(StrEnum):
    """Where an NPS answer belongs."""

    PROMOTER = "promoter"
    PASSIVE = "passive"
    DETRACTOR = "detractor"


def band_of(score: int) -> Band:
    """Return the band of an NPS answer: 9–10 promoter, 7–8 passive, 0–6 detractor."""
    if score >= 9:
        return Band.PROMOTER
    return Band.PASSIVE if score >= 7 else Band.DETRACTOR


@dataclass(frozen=True, slots=True)
class Tally:
    """How many answered in each band."""

    promoters: int = 0
    passives: int = 0
    detractors: int = 0

    @property
    def n(self) -> int:
        """How many answered at all."""
        return self.promoters + self.passives + self.detractors


def tally_of(counts: dict[int, int]) -> Tally:
    """Return the bands of a count per score."""
    bands = dict.fromkeys(Band, 0)
    for score, count in counts.items():
        bands[band_of(score)] += count
    return Tally(bands[Band.PROMOTER], bands[Band.PASSIVE], bands[Band.DETRACTOR])


def nps_of(tally: Tally) -> int | None:
    """Return 100 (P − D) / n, rounded once, half away from zero; None where nobody answered."""
    if tally.n == 0:
        return None
    balance = 100 * (tally.promoters - tally.detractors)
    size = (2 * abs(balance) + tally.n) // (2 * tally.n)
    return size if balance >= 0 else -size


def nps_interval(tally: Tally) -> tuple[float, float] | None:
    """Return the 95 % interval in points, to one decimal, within ±100; None where nobody answered.

    Adjusted Wald (Rocks 2016, "Interval estimation for the Net Promoter Score"): ¾, 1½ and ¾ are added to
    promoters, passives and detractors, so that it has a width even where all agree.
    """
    if tally.n == 0:
        return None
    middle, error = nps_parts(tally)
    low, high = max(-100.0, middle - _Z95 * error), min(100.0, middle + _Z95 * error)
    return round(low, 1) + 0.0, round(high, 1) + 0.0  # never minus zero


def nps_parts(tally: Tally) -> tuple[float, float]:
    """Return the adjusted score and its standard error, in points, with the same counts added as to the interval."""
    size = tally.n + 3
    p = (tally.promoters + 0.75) / size
    d = (tally.detractors + 0.75) / size
    return 100 * (p - d), 100 * math.sqrt((p + d - (p - d) ** 2) / size)
