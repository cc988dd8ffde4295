"""How analytics reacts to domain events: it marks, in the same transaction, what must be counted again."""

from datetime import date

from django.db.models import Q

from analytics.models import DirtyBucket
from analytics.services.marks import mark_days, mark_subject, mark_subjects
from referrals.events import (
    ClicksRecorded,
    CustomersMerged,
    EventRecorded,
    EventsRecorded,
    LinksExposed,
    OfferSeen,
    ReferralJudged,
    ShareRecorded,
)
from referrals.models import Event, Referral
from rewards.events import PointsMoved


def mark_event(event: EventRecorded) -> None:
    """Mark the fact: its day, and whatever other days it changes."""
    mark_subject(family=DirtyBucket.EVENT, subject=event.event)


def mark_events(event: EventsRecorded) -> None:
    """Mark facts that came together."""
    mark_subjects(family=DirtyBucket.EVENT, subjects=event.events)


def mark_referral(event: ReferralJudged) -> None:
    """Mark the referral: the days it counted on and those it counts on now."""
    mark_subject(family=DirtyBucket.REFERRAL, subject=event.referral)


def mark_merge(event: CustomersMerged) -> None:
    """Mark every fact and every referral of the person whom two customers have become."""
    events = Event.objects.filter(customer=event.customer).values_list("pk", flat=True)
    mark_subjects(family=DirtyBucket.EVENT, subjects=events)
    own = Q(advocate=event.customer) | Q(friend=event.customer)
    mark_subjects(family=DirtyBucket.REFERRAL, subjects=Referral.objects.filter(own).values_list("pk", flat=True))


def mark_clicks(event: ClicksRecorded) -> None:
    """Mark the days of the clicks."""
    mark_days(family="clicks", days=map(date.fromisoformat, event.days))


def mark_shares(event: ShareRecorded) -> None:
    """Mark the days of the shares."""
    mark_days(family="shares", days=map(date.fromisoformat, event.days))


def mark_exposed(event: LinksExposed) -> None:
    """Mark the days on which what happened to the links may now belong to a variant."""
    for family in ("shares", "clicks"):
        mark_days(family=family, days=map(date.fromisoformat, event.days))


def mark_views(event: OfferSeen) -> None:
    """Mark the days on which offers were seen."""
    mark_days(family="views", days=map(date.fromisoformat, event.days))


def mark_points(event: PointsMoved) -> None:
    """Mark the days of the transfers."""
    mark_days(family="points", days=map(date.fromisoformat, event.days))
