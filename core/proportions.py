"""Intervals of proportions: pure functions of counts."""

import math

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
