"""Intervals of proportions, and whether counts fit what was planned: pure functions of counts."""

import math
from collections.abc import Sequence

Z95 = 1.959963984540054


def wilson_interval(successes: int, trials: int) -> tuple[float, float] | None:
    """Return the 95 % score interval of a proportion, within 0 and 1; None without trials.

    Wilson 1927; recommended over the simple interval by Newcombe, Statistics in Medicine 17 (1998) 857-872.
    None, too, where there are more successes than trials: then it is no proportion.
    """
    if trials <= 0 or not 0 <= successes <= trials:
        return None
    share = successes / trials
    square = Z95**2 / trials
    middle = (share + square / 2) / (1 + square)
    reach = Z95 * math.sqrt(share * (1 - share) / trials + square / (4 * trials)) / (1 + square)
    low = 0.0 if successes == 0 else max(0.0, middle - reach)
    high = 1.0 if successes == trials else min(1.0, middle + reach)
    return low, high


def split_p_value(counts: Sequence[int], weights: Sequence[int]) -> float | None:
    """Return how probable a split at least as uneven as `counts` is, if the parts were drawn by `weights`.

    Pearson's chi-square test of goodness of fit (1900), one degree of freedom fewer than there are parts;
    None without counts or with fewer than two parts.
    """
    total, whole = sum(counts), sum(weights)
    if not total or len(counts) < 2:
        return None
    expected = [total * weight / whole for weight in weights]
    square = sum((count - wanted) ** 2 / wanted for count, wanted in zip(counts, expected, strict=True))
    return _chi_square_tail(square, len(counts) - 1)


def _chi_square_tail(square: float, freedom: int) -> float:
    """Return the upper tail of the chi-square distribution, by its recurrence in steps of two degrees of freedom."""
    half, odd = square / 2, freedom % 2
    tail, shape = (math.erfc(math.sqrt(half)), 0.5) if odd else (math.exp(-half), 1.0)
    while shape < freedom / 2:
        tail += half**shape * math.exp(-half) / math.gamma(shape + 1)
        shape += 1
    return tail
