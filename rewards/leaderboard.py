"""Ranks, periods and prizes of a leaderboard. Pure."""

from collections.abc import Collection, Iterable
from datetime import date

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def shared_ranks(counts: Collection[int]) -> list[int]:
    """Return the rank of each count, highest first: equal counts share a rank and the next one skips (1-2-2-4)."""
    first_place: dict[int, int] = {}
    for place, count in enumerate(sorted(counts, reverse=True), start=1):
        first_place.setdefault(count, place)
    return [first_place[count] for count in counts]


def period_of(period: str, day: date) -> tuple[date | None, date | None]:
    """Return the first day of the 'month', 'quarter', 'year' or 'all' of `day` and the first day after it."""
    months = _MONTHS.get(period)
    if months is None:
        return None, None
    start = date(day.year, (day.month - 1) // months * months + 1, 1)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return start, date(year, month + 1, 1)


def prizes_for(rank: int, prizes: Iterable[tuple[int, int, str]]) -> list[str]:
    """Return the prizes whose range (first rank, last rank, prize) the rank is in; who ties gets what the rank gets."""
    return [prize for first, last, prize in prizes if first <= rank <= last]
