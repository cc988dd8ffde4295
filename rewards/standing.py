"""Standing earned by referrals: the tier that multiplies, the tier that is shown, the next milestone. Pure.

Moments are the `qualified_at` of the advocate's referrals in the program that are qualified or approved.
A day is 24 hours; an instant exactly `window_days` or `grace_days` later is still inside (rule 17).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from referrals.conditions import Value, evaluate
from referrals.terms import Level, Milestone, Tiers

LONGEST_WARNING = 30
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvocateStanding:
    """Where an advocate stands in a program at an instant.

    `level` is what the window alone gives (it multiplies), `shown` what is shown with the days of grace;
    `held_until` the last instant at which `shown` stands if nothing more happens (None: for good); `needed` how
    many more referrals by then keep it; `next_change_at` when time alone next changes anything of this.
    """

    count: int
    level: Level | None
    shown: Level | None
    rank: int
    next: Level | None
    to_next: int
    held_until: datetime | None
    at_risk: bool
    needed: int
    next_change_at: datetime | None

    @property
    def in_grace(self) -> bool:
        """Whether the shown level is only kept by the days of grace."""
        return self.shown != self.level


@dataclass(frozen=True, slots=True)
class NextMilestone:
    """The next milestone ahead and how many referrals are missing."""

    milestone: Milestone
    to_go: int


def count_in_window(moments: Iterable[datetime], at: datetime, window_days: int) -> int:
    """Return how many moments lie within `window_days` up to and including `at` (rule 3)."""
    start = at - timedelta(days=window_days)
    return sum(start <= moment <= at for moment in moments)


def level_for(tiers: Tiers, count: int, values: Mapping[str, Value], at: datetime) -> Level | None:
    """Return the highest level that `count` referrals reach and whose `when` holds of the advocate, or None."""
    reached = [level for level in tiers.levels if level.least <= count and _allowed(level, values, at)]
    return reached[-1] if reached else None


def _allowed(level: Level, values: Mapping[str, Value], at: datetime) -> bool:
    return level.when is None or evaluate(level.when, values, at=at).holds


def last_held(moments: Sequence[datetime], least: int, window_days: int) -> datetime | None:
    """Return the last instant at which `least` of the ascending moments lie in one window, or None if never."""
    window = timedelta(days=window_days)
    for index in range(len(moments) - least, -1, -1):
        if moments[index + least - 1] - moments[index] <= window:
            return moments[index] + window
    return None


def standing_at(
    tiers: Tiers, moments: Iterable[datetime], values: Mapping[str, Value], at: datetime
) -> AdvocateStanding:
    """Return where the advocate stands at `at`; later moments are not yet known then."""
    past = sorted(moment for moment in moments if moment <= at)
    count = count_in_window(past, at, tiers.window_days)
    rank, shown, held_until = _shown(tiers, past, values, at)
    following = next((level for level in tiers.levels[rank + 1 :] if _allowed(level, values, at)), None)
    warned_at = held_until - _warning(tiers) if held_until else None
    left = len(past) if held_until is None else count_in_window(past, held_until + TICK, tiers.window_days)
    return AdvocateStanding(
        count=count,
        level=level_for(tiers, count, values, at),
        shown=shown,
        rank=rank,
        next=following,
        to_next=max(0, following.least - count) if following else 0,
        held_until=held_until,
        at_risk=warned_at is not None and warned_at <= at,
        needed=max(0, shown.least - left) if shown else 0,
        next_change_at=_next_change(past, at, tiers.window_days, held_until, warned_at),
    )


def _shown(
    tiers: Tiers, past: Sequence[datetime], values: Mapping[str, Value], at: datetime
) -> tuple[int, Level | None, datetime | None]:
    """Return the index, the level and the last instant of what is shown: the highest one held or in its grace."""
    for rank in range(len(tiers.levels) - 1, -1, -1):
        level = tiers.levels[rank]
        if not _allowed(level, values, at):
            continue
        if level.least == 0:
            return rank, level, None
        held = last_held(past, level.least, tiers.window_days)
        if held is not None and at <= held + timedelta(days=tiers.grace_days):
            return rank, level, held + timedelta(days=tiers.grace_days)
    return -1, None, None


def _warning(tiers: Tiers) -> timedelta:
    """How long before its end a tier is at risk: a month, of a short window its last quarter."""
    return timedelta(days=min(LONGEST_WARNING, tiers.window_days // 4))


def _next_change(
    past: Iterable[datetime], at: datetime, window_days: int, held_until: datetime | None, warned_at: datetime | None
) -> datetime | None:
    """Return the next instant at which a referral leaves the window, the warning begins or the level is lost."""
    leaving = [moment + timedelta(days=window_days) + TICK for moment in past]
    ahead = [*leaving, warned_at, held_until + TICK if held_until else None]
    return min((moment for moment in ahead if moment is not None and moment > at), default=None)


def next_milestone(milestones: Iterable[Milestone], count: int) -> NextMilestone | None:
    """Return the lowest milestone above `count` referrals (rule 9), or None when all are reached."""
    ahead = [one for one in milestones if one.referrals > count]
    if not ahead:
        return None
    nearest = min(ahead, key=lambda one: one.referrals)
    return NextMilestone(nearest, nearest.referrals - count)
