"""Many senders of webhooks at once: each event arrives once, and one endpoint is called twice at once at most."""

import threading
from collections import Counter
from functools import partial

import pytest
from django.db import transaction
from django.utils import timezone

from messaging.models import WebhookDelivery
from messaging.services import create_endpoint, queue_webhook, send_due_webhooks, webhook_sending
from messaging.webhook_types import WEBHOOK_TYPES
from tests.messaging.webhooks.receiver import Receiver
from tests.races.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver(settings):
    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = True
    receiver = Receiver(wait=0.05)
    create_endpoint(url=receiver.url, types=["*"])
    yield receiver
    receiver.close()


def tell(number, object_id=None):
    with transaction.atomic():
        sample = WEBHOOK_TYPES["referral.qualified"].sample
        return queue_webhook(type="referral.qualified", object_id=object_id or f"ref_{number}", data=sample).version


def ids(receiver):
    return Counter(headers["webhook-id"] for headers, _ in receiver.calls)


def test_send_due_webhooks_by_many_senders_calls_once_each_and_two_at_once(receiver):
    for number in range(12):
        tell(number)

    at_once([partial(send_due_webhooks, at=timezone.now())] * 4)
    send_due_webhooks(at=timezone.now())  # what all found busy

    assert sorted(ids(receiver).values()) == [1] * 12
    assert receiver.most_at_once == 2
    assert set(WebhookDelivery.objects.values_list("state", "attempts")) == {("delivered", 1)}


def test_send_due_webhooks_without_the_condition_of_its_claim_would_send_twice(receiver, monkeypatch):
    """The sabotage twin: no lock of the endpoint, no condition on the state."""
    for number in range(3):
        tell(number)

    gate = threading.Barrier(4)
    seen = threading.local()

    def careless(endpoint_pk, at, room):
        if getattr(seen, "before", False):
            return []
        seen.before = True
        rows = list(WebhookDelivery.objects.select_related("event", "endpoint").filter(state="due"))
        gate.wait(timeout=10)
        WebhookDelivery.objects.filter(pk__in=[row.pk for row in rows]).update(
            state="sending", lease_until=timezone.now() + webhook_sending.LEASE
        )
        return [webhook_sending._prepare(row, row.endpoint) for row in rows]

    monkeypatch.setattr(webhook_sending, "_claim", careless)
    at_once([partial(send_due_webhooks, at=timezone.now())] * 4)

    assert max(ids(receiver).values()) > 1


def test_queue_webhook_of_one_object_at_once_gives_every_version_once(receiver):
    versions = at_once([partial(tell, number, "ref_1") for number in range(12)])

    assert sorted(versions) == list(range(1, 13))
