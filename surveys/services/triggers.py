"""Asking after something happened: occasions are noted with the fact and decided when their time has come."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from referrals.models import Event
from referrals.queries.segments import find_segment, is_member
from surveys.eligibility import Reason
from surveys.models import Occasion, Survey, Trigger
from surveys.services.invitations import keep_refusal, plan_invitation

LATEST = timedelta(days=7)
"""Who could not be asked in time, by an outage, is not asked so long after it."""
After = Trigger.After


@transaction.atomic
def note_occasions(*, events: Iterable[Event]) -> None:
    """Note for each active trigger the events it waits for, each once."""
    triggers = list(Trigger.objects.filter(active=True, survey__active=True))
    if not triggers:
        return
    found = [
        Occasion(trigger=trigger, event=event, due_at=event.occurred_at + timedelta(hours=trigger.delay_hours))
        for event in events
        for trigger in triggers
        if _waits_for(trigger, event)
    ]
    Occasion.objects.bulk_create(found, ignore_conflicts=True)


def ask_due(*, at: datetime) -> int:
    """Decide the occasions whose time has come by `at`; return how many."""
    due = Occasion.objects.filter(decided_at=None, due_at__lte=at).order_by("due_at", "pk")
    return sum(_decide(pk, at) for pk in list(due.values_list("pk", flat=True)))


@transaction.atomic
def _decide(pk: int, at: datetime) -> bool:
    if not Occasion.objects.filter(pk=pk, decided_at=None).update(decided_at=at):
        return False
    occasion = Occasion.objects.select_related("trigger__survey", "event__customer").get(pk=pk)
    trigger, event = occasion.trigger, occasion.event
    if trigger.after == After.FIRST_PURCHASE and not _is_first(event):
        return True
    cause = f"trigger:{trigger.pk}:{event.pk}"
    reason = _reason(occasion, at)
    survey, customer = trigger.survey, event.customer
    if reason:
        occasion.invitation = keep_refusal(survey=survey, customer=customer, at=at, cause=cause, reason=reason)
    else:
        occasion.invitation = plan_invitation(survey=survey, customer=customer, at=at, cause=cause)
    occasion.save(update_fields=["invitation"])
    return True


def _waits_for(trigger: Trigger, event: Event) -> bool:
    """Only for what happens from the trigger's making on: an imported history asks nobody."""
    wanted = Event.Type.PURCHASE if trigger.after == After.FIRST_PURCHASE else trigger.after
    return event.type == wanted and event.name == trigger.event_name and event.occurred_at >= trigger.created_at


def _is_first(event: Event) -> bool:
    earlier = Q(occurred_at__lt=event.occurred_at) | Q(occurred_at=event.occurred_at, pk__lt=event.pk)
    return not Event.objects.filter(earlier, customer=event.customer_id, type=Event.Type.PURCHASE).exists()


def _reason(occasion: Occasion, at: datetime) -> str:
    trigger, customer = occasion.trigger, occasion.event.customer
    if not trigger.active:
        return Reason.INACTIVE
    if at > occasion.due_at + LATEST:
        return Reason.TOO_LATE
    if not _is_drawn(trigger, occasion.event_id):
        return Reason.NOT_SAMPLED
    segment = find_segment(trigger.segment) if trigger.segment else None
    if trigger.segment and (segment is None or not is_member(segment, customer, at=at)):
        return Reason.NOT_IN_SEGMENT
    return ""


def _is_drawn(trigger: Trigger, event: int) -> bool:
    """Draw by a hash of both, so that the same occasion is always drawn alike."""
    digest = hashlib.sha256(f"{trigger.pk}:{event}".encode()).digest()
    return int.from_bytes(digest[:8]) % 100 < trigger.sample_percent


def triggers_with_segment(slug: str) -> list[str]:
    """Return in words which triggers ask only members of a segment."""
    surveys = Survey.objects.filter(triggers__segment=slug).distinct().order_by("name")
    return [f"survey {survey.name}" for survey in surveys]
