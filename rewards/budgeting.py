"""When a budget will run out, told by how it went of late. Pure values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, variance

WINDOW_DAYS = 28
ENOUGH_DAYS = 14
ENOUGH_SPENDING_DAYS = 5
SOON_DAYS = 14
STAGES = (80, 95)
SOON = "soon"
SPENT = "spent"
LONGEST_DAYS = 3650
AMPLE = 10
_T95 = {
    13: 2.160, 14: 2.145, 15: 2.131, 16: 2.120, 17: 2.110, 18: 2.101, 19: 2.093, 20: 2.086,
    21: 2.080, 22: 2.074, 23: 2.069, 24: 2.064, 25: 2.060, 26: 2.056, 27: 2.052,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOut:
    """In how many days what is left is spent; `latest` None: perhaps never. `per_day` is points a day."""

    per_day: float
    days: float
    earliest: float
    latest: float | None


def project_run_out(left: int, daily: Sequence[int]) -> RunOut | None:
    """Return when `left` points are spent if it goes on like the days of `daily` (net points, oldest first).

    At most the last 28 days count; None ("not enough yet") with fewer than 14 days, with fewer than 5 on which
    points went, or where none go on average. The interval is Fieller's (J. R. Stat. Soc. B 16 (1954) 175-185)
    for the day T on which a sum of T further days with mean m and deviation s, both known from k days only,
    reaches `left`: the T with (left - T m)^2 = t^2 s^2 (T + T^2 / k), t the 95 % quantile of Student's t with
    k - 1 degrees of freedom. Days are taken as independent.
    """
    days = daily[-WINDOW_DAYS:]
    if len(days) < ENOUGH_DAYS or sum(1 for points in days if points > 0) < ENOUGH_SPENDING_DAYS:
        return None
    mean = fmean(days)
    if mean <= 0:
        return None
    if left <= 0:
        return RunOut(per_day=mean, days=0.0, earliest=0.0, latest=0.0)
    noise = _T95[len(days) - 1] ** 2 * variance(days)
    lead = mean**2 - noise / len(days)
    middle = 2 * mean * left + noise
    root = math.sqrt(max(0.0, middle**2 - 4 * lead * left**2))
    latest = (middle + root) / (2 * lead) if lead > 0 else math.inf
    return RunOut(
        per_day=mean,
        days=left / mean,
        earliest=2 * left**2 / (middle + root),
        latest=latest if latest < LONGEST_DAYS else None,
    )


def stages_reached(budget: int, granted: int, run_out: RunOut | None) -> tuple[str, ...]:
    """Return what staff should know: '80' and '95' per cent granted, 'soon' where it runs out within 14 days."""
    reached = [str(stage) for stage in STAGES if granted * 100 >= budget * stage]
    soon = run_out is not None and run_out.days < SOON_DAYS
    return (*reached, *([SOON] if soon else []))


def typical_referral(points: Sequence[int], promised: int) -> int:
    """Return the points a referral usually takes: the median of what some took, else what the offer promises."""
    return math.ceil(median(points)) if points else promised


def is_spent(budget: int, granted: int, typical: int) -> bool:
    """Return whether a typical referral no longer fits into what is left."""
    return budget - granted < max(1, typical)


def is_ample(budget: int, granted: int, typical: int) -> bool:
    """Return whether points came back in such number that the program can go on for a while."""
    return budget - granted >= AMPLE * max(1, typical)
