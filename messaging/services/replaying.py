"""Sending webhooks again: one delivery, or what an endpoint should have got in a span of time."""

from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.db import transaction

from core.doorbell import ring_on_commit
from core.errors import Invalid, Refused
from messaging.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from messaging.services.endpoints import EndpointOff
from messaging.webhook_types import TEST, is_wanted

Only = Literal["failed", "all"]
State = WebhookDelivery.State
CHUNK = 1000


class BeingSent(Refused):
    """The delivery is on its way at this moment."""

    code = "being_sent"


class EmptySpan(Invalid):
    """A span of time that ends before it begins."""

    code = "empty_span"


@transaction.atomic
def replay_delivery(*, delivery: WebhookDelivery, at: datetime) -> WebhookDelivery:
    """Send a delivery once more, with a new set of tries and the `webhook-id` it always had.

    Raises `EndpointOff`, or `BeingSent` where a try is under way.
    """
    _refuse_if_off(delivery.endpoint)
    resting = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(state=State.SENDING)
    if resting.update(state=State.DUE, attempts=0, due_at=at) != 1:
        raise BeingSent("the delivery is being sent; wait a moment")
    ring_on_commit("messaging.tasks.send_webhooks")
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def replay_span(
    *, endpoint: WebhookEndpoint, since: datetime, until: datetime, at: datetime, only: Only = "failed"
) -> int:
    """Send what happened from `since` to before `until` and the endpoint asks for; return how many.

    `failed`: what did not arrive, or was never sent because the endpoint was off or did not exist; `all`:
    everything. Raises `EndpointOff`, `EmptySpan`.
    """
    _refuse_if_off(endpoint)
    if until <= since:
        raise EmptySpan("expected a moment after 'from'", pointer="/to")
    happened = WebhookEvent.objects.filter(at__gte=since, at__lt=until).exclude(type=TEST)
    wanted = [pk for pk, type_ in happened.values_list("pk", "type") if is_wanted(type_, endpoint.types)]
    count = 0
    for start in range(0, len(wanted), CHUNK):
        count += _send_again(endpoint, wanted[start : start + CHUNK], at, only)
    if count:
        ring_on_commit("messaging.tasks.send_webhooks")
    return count


def _send_again(endpoint: WebhookEndpoint, events: list[int], at: datetime, only: Only) -> int:
    known = WebhookDelivery.objects.filter(endpoint=endpoint, event__in=events)
    missing = set(events) - set(known.values_list("event_id", flat=True))
    states = [State.DUE, State.DEAD, *([State.DELIVERED] if only == "all" else [])]
    again = known.filter(state__in=states).update(state=State.DUE, attempts=0, due_at=at)
    fresh = [WebhookDelivery(endpoint=endpoint, event_id=pk, due_at=at) for pk in sorted(missing)]
    WebhookDelivery.objects.bulk_create(fresh, ignore_conflicts=True)
    return again + len(fresh)


def _refuse_if_off(endpoint: WebhookEndpoint) -> None:
    if not endpoint.active:
        raise EndpointOff("the endpoint is switched off; switch it on first")


@transaction.atomic
def forget_webhooks(*, at: datetime) -> int:
    """Forget events, deliveries and answers older than MESSAGE_RETENTION_DAYS; return how many events."""
    old = WebhookEvent.objects.filter(at__lt=at - timedelta(days=settings.MESSAGE_RETENTION_DAYS))
    open_ones = WebhookDelivery.objects.filter(
        event__in=old, state__in=[State.DUE, State.SENDING], endpoint__active=True
    )
    gone = list(old.exclude(pk__in=open_ones.values("event")).values_list("pk", flat=True))
    WebhookEvent.objects.filter(pk__in=gone).delete()
    return len(gone)
