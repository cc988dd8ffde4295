"""Statistics of the KPIs: pure functions of counts."""


def is_enough(successes: int, trials: int, *, minimum: int) -> bool:
    """Return whether a proportion may be shown without greying it.

    At least `minimum` trials, and at least five on the rarer side (the usual bound below which the
    count of a handful of people decides the number).
    """
    return trials >= minimum and min(successes, trials - successes) >= 5
