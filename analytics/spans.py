"""Spans of calendar days: cutting a range into periods, joining scattered days into few spans."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

DAY = timedelta(days=1)


class By(StrEnum):
    """How a range is cut."""

    TOTAL = "total"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The days from `start`, inclusive, to `end`, exclusive."""

    start: date
    end: date

    @property
    def last(self) -> date:
        """The last day inside."""
        return self.end - DAY

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end


def period_start(day: date, by: By) -> date:
    """Return the first day of the week (Monday) or month that the day is in; the day itself for days."""
    if by is By.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if by is By.MONTH else day


def next_period(day: date, by: By) -> date:
    """Return the first day of the period after the one the day is in."""
    start = period_start(day, by)
    if by is By.MONTH:
        return (start + timedelta(days=31)).replace(day=1)
    return start + (timedelta(days=7) if by is By.WEEK else DAY)


def cut(span: Span, by: By) -> list[Span]:
    """Return the periods of the span in order; the first and the last end where the span does."""
    if by is By.TOTAL:
        return [span]
    periods: list[Span] = []
    start = span.start
    while start < span.end:
        end = min(next_period(start, by), span.end)
        periods.append(Span(start, end))
        start = end
    return periods


def before(span: Span) -> Span:
    """Return the span of the same length that ends where this one starts."""
    return Span(span.start - (span.end - span.start), span.start)


def join(days: Iterable[date], *, gap: int = 7, most: int = 20) -> list[Span]:
    """Return at most `most` spans that hold all the days; days up to `gap` apart share one.

    Counting a day again that did not change costs time and changes nothing, so wide spans are safe.
    """
    found = sorted(set(days))
    if not found:
        return []
    spaces = sorted(((later - day).days for day, later in pairwise(found)), reverse=True)
    widest = max(gap, spaces[most - 1] if len(spaces) >= most else 0)
    spans: list[Span] = []
    start = found[0]
    for day, later in zip(found, [*found[1:], None], strict=True):
        if later is None or (later - day).days > widest:
            spans.append(Span(start, day + DAY))
            start = later or day
    return spans
