"""How rewards react to domain events."""

from django.utils import timezone

from referrals.events import ReferralJudged
from referrals.models import Event, Referral
from rewards.services.grants import settle_referral


def grant(event: ReferralJudged) -> None:
    """Bring the referral's rewards in line with how it was judged."""
    related = ("offer", "friend", "advocate", "qualifying_event")
    referral = Referral.objects.select_related(*related).get(pk=event.referral)
    cause = Event.objects.filter(pk=event.event).first()
    settle_referral(referral=referral, event=cause, at=timezone.now(), subject=event.subject)
