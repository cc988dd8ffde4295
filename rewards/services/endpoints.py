"""Where signed calls go: a new secret that does not break the old one at once, and a call to try it out."""

from datetime import datetime, timedelta

from django.db import transaction

from core.webhooks import new_secret
from rewards.models import FulfilmentEndpoint, OutboundCall

OLD_SECRET_FOR = timedelta(hours=72)


@transaction.atomic
def rotate_secret(*, endpoint: FulfilmentEndpoint, at: datetime) -> FulfilmentEndpoint:
    """Give the endpoint a new secret; for 72 hours calls carry the signatures of both."""
    endpoint.old_secret, endpoint.old_until = endpoint.secret, at + OLD_SECRET_FOR
    endpoint.secret = new_secret()
    endpoint.save(update_fields=["secret", "old_secret", "old_until"])
    return endpoint


@transaction.atomic
def call_to_test(*, endpoint: FulfilmentEndpoint, at: datetime) -> OutboundCall:
    """Have a call made that gives nothing, to see whether the other side answers and accepts the signature."""
    payload = {"kind": endpoint.kind, "message": "This is a test. Nothing is to be given."}
    return OutboundCall.objects.create(
        endpoint=endpoint, type=OutboundCall.Type.TEST, payload=payload, due_at=at, created_at=at
    )


@transaction.atomic
def call_again(*, call: OutboundCall, at: datetime) -> bool:
    """Make a call that waits or was given up due now, with the same id; tell whether there was one to make.

    A given up one that was to give something is started again where that stands, or done by hand.
    """
    State = OutboundCall.State  # noqa: N806 - an enum
    waiting = OutboundCall.objects.filter(pk=call.pk, state=State.DUE)
    if waiting.update(due_at=at):
        return True
    dead = OutboundCall.objects.filter(pk=call.pk, state=State.DEAD).exclude(type=OutboundCall.Type.FULFIL)
    return dead.update(state=State.DUE, attempts=0, due_at=at) == 1
