"""When points expire and when their owner is told: pure values."""

from datetime import datetime, timedelta

STAGES = (timedelta(days=30), timedelta(days=7))
GRACE = timedelta(days=30)
GATHERED = timedelta(days=7)


def is_past(expires_at: datetime | None, *, at: datetime) -> bool:
    """Return whether points with that last instant are gone at `at`; at the instant itself they still count."""
    return expires_at is not None and expires_at < at


def first_warning(expires_at: datetime | None, *, since: datetime) -> datetime | None:
    """Return when to tell first: 30 or else 7 days before the end, never before the points are there."""
    if expires_at is None:
        return None
    return next((expires_at - ahead for ahead in STAGES if expires_at - ahead > since), None)


def stage_of(warn_at: datetime, expires_at: datetime) -> timedelta:
    """Return how long before the end a warning stands."""
    return expires_at - warn_at


def next_warning(expires_at: datetime, *, at: datetime) -> datetime | None:
    """Return when to tell again after having told at `at`; None where no warning is left."""
    return next((expires_at - ahead for ahead in STAGES if expires_at - ahead > at), None)
