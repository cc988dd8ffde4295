"""The calendar periods in which an advocate's rewarded referrals are counted (rule 10). Pure."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from core.periods import DAY, local_day, start_of_day

Bounds = tuple[datetime | None, datetime | None]


def period_bounds(at: datetime, period: str, zone: ZoneInfo) -> Bounds:
    """Return the half-open UTC interval of the calendar `day`, `month` or `year` of `at` in `zone`; 'total': no bounds.

    Days of 23 or 25 hours and months of any length included (rule 17).
    """
    if period == "total":
        return None, None
    day = local_day(at, zone)
    if period == "day":
        first, after = day, day + DAY
    elif period == "month":
        first = day.replace(day=1)
        after = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    elif period == "year":
        first, after = date(day.year, 1, 1), date(day.year + 1, 1, 1)
    else:
        raise ValueError(f"{period!r} is none of day, month, year, total")
    return start_of_day(first, zone), start_of_day(after, zone)
