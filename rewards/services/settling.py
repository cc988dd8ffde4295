"""Trying again what a failing rule left undone for an event."""

from datetime import datetime

from core.dispatch import deliver_due, make_due
from referrals.models import Event


def settle_event(*, event: Event, at: datetime) -> int:
    """Retry at once every delivery of the event that is due or dead; return how many succeeded."""
    subject = f"event:{event.pk}"
    make_due(subject=subject, at=at)
    return deliver_due(at=at, subject=subject)
