"""The clock that decisions are dated by: now, or the moment that a run has been given (`run_due --as-of`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from django.utils import timezone

_moment: ContextVar[datetime | None] = ContextVar("moment", default=None)


def now() -> datetime:
    """Return the moment of the innermost `clock_at` of this thread or task, else the real one."""
    return _moment.get() or timezone.now()


def real_now() -> datetime:
    """Return the real time, in a sandbox too: for leases, and for what others compare with their own clocks."""
    return datetime.now(UTC)


@contextmanager
def clock_at(moment: datetime) -> Iterator[None]:
    """Let it be `moment` inside, for this thread or task only; leases and rate limits keep the real time."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)
