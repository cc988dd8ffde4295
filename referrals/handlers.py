"""How referrals react to domain events."""

from referrals.events import EventRecorded


def attribute(event: EventRecorded) -> None:
    """Bind and judge what the recorded event touches."""
