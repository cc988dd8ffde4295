"""Days and instants: stored moments are UTC, calendar days are those of the installation's zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """Return the calendar day that the instant belongs to in `zone`."""
    return at.astimezone(zone).date()


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which `day` begins in `zone` (days of 23, 24 or 25 hours included)."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the half-open UTC interval [start, end) of a calendar day in `zone`."""
    return start_of_day(day, zone), start_of_day(day + DAY, zone)
