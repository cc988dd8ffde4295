"""Endpoints, events for them, and what became of those."""

from datetime import UTC, datetime

import time_machine

from messaging.models import WebhookDelivery
from messaging.services import (
    create_endpoint,
    queue_webhook,
)
from messaging.webhook_types import WEBHOOK_TYPES
from tests.messaging.webhooks.receiver import Receiver

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def endpoint_at(receiver, *types, **more):
    return create_endpoint(url=receiver.url, types=types or ["*"], **more)


def tell(type_="referral.qualified", object_id="ref_1", at=NOW, **changes):
    with time_machine.travel(at, tick=False):
        return queue_webhook(
            type=type_, object_id=object_id, data={**WEBHOOK_TYPES[type_].sample, "id": object_id, **changes}
        )


def states():
    return list(WebhookDelivery.objects.order_by("pk").values_list("state", "attempts", "last_status"))


def refused_port():
    receiver = Receiver()
    receiver.close()
    return receiver
