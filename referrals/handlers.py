"""How referrals react to domain events."""

from django.utils import timezone

from referrals.events import EventRecorded
from referrals.models import Event
from referrals.services.judging import judge_event


def attribute(event: EventRecorded) -> None:
    """Bind and judge what the recorded event touches."""
    judge_event(event=Event.objects.select_related("customer").get(pk=event.event), at=timezone.now())
