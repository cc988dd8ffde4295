"""Tests, replays and forgetting."""

from datetime import timedelta

import pytest

from messaging.models import WebhookAttempt, WebhookDelivery, WebhookEvent
from messaging.services import (
    EndpointOff,
    change_endpoint,
    forget_webhooks,
    replay_delivery,
    replay_span,
    send_due_webhooks,
    send_test_webhook,
)
from messaging.services.replaying import BeingSent, EmptySpan
from tests.messaging.webhooks.telling import NOW, endpoint_at, states, tell

pytestmark = pytest.mark.django_db


def test_send_test_webhook_reaches_this_endpoint_alone(receive):
    one, other = receive(), receive()
    endpoint = endpoint_at(one, "reward.*")
    endpoint_at(other)

    send_test_webhook(endpoint=endpoint, at=NOW)
    send_due_webhooks(at=NOW)

    assert [p["type"] for p in one.payloads] == ["webhook.test"]
    assert other.calls == []


def test_send_test_webhook_and_replays_refuse_an_endpoint_that_is_off(receive):
    endpoint = endpoint_at(receive())
    tell()
    endpoint = change_endpoint(endpoint=endpoint, at=NOW, active=False)
    delivery = WebhookDelivery.objects.select_related("endpoint").get()

    for call in (
        lambda: send_test_webhook(endpoint=endpoint, at=NOW),
        lambda: replay_delivery(delivery=delivery, at=NOW),
        lambda: replay_span(endpoint=endpoint, since=NOW, until=NOW + timedelta(days=1), at=NOW),
    ):
        with pytest.raises(EndpointOff):
            call()
    assert states() == [("due", 0, None)]


def test_replay_delivery_sends_the_same_event_with_new_tries(receive):
    receiver = receive()
    endpoint_at(receiver)
    tell()
    send_due_webhooks(at=NOW)

    replay_delivery(delivery=WebhookDelivery.objects.get(), at=NOW + timedelta(hours=1))
    send_due_webhooks(at=NOW + timedelta(hours=1))

    assert [headers["webhook-id"] for headers, _ in receiver.calls] == [WebhookEvent.objects.get().public_id] * 2
    assert receiver.payloads[0] == receiver.payloads[1]
    assert states() == [("delivered", 1, 200)]
    assert WebhookAttempt.objects.count() == 2


def test_replay_delivery_that_is_being_sent_is_refused(receive):
    endpoint_at(receive())
    tell()
    WebhookDelivery.objects.update(state="sending", lease_until=NOW)

    with pytest.raises(BeingSent):
        replay_delivery(delivery=WebhookDelivery.objects.get(), at=NOW)

    assert WebhookDelivery.objects.get().state == "sending"


def test_replay_span_sends_what_was_missed_while_it_was_off(receive):
    receiver = receive()
    endpoint = endpoint_at(receiver, "referral.*")
    tell(object_id="before")
    send_due_webhooks(at=NOW)
    change_endpoint(endpoint=endpoint, at=NOW, active=False)
    tell(object_id="missed", at=NOW + timedelta(hours=1))
    tell("reward.pending", "not-asked", at=NOW + timedelta(hours=1))
    tell(object_id="later", at=NOW + timedelta(hours=3))
    endpoint = change_endpoint(endpoint=endpoint, at=NOW, active=True)

    count = replay_span(endpoint=endpoint, since=NOW, until=NOW + timedelta(hours=2), at=NOW)
    send_due_webhooks(at=NOW)

    assert count == 1
    assert [p["data"]["id"] for p in receiver.payloads] == ["before", "missed"]


def test_replay_span_of_all_sends_delivered_ones_again(receive):
    receiver = receive()
    endpoint = endpoint_at(receiver)
    tell()
    send_due_webhooks(at=NOW)

    count = replay_span(endpoint=endpoint, since=NOW, until=NOW + timedelta(seconds=1), at=NOW, only="all")
    send_due_webhooks(at=NOW)

    assert (count, len(receiver.calls)) == (1, 2)


def test_replay_span_that_ends_before_it_begins_is_refused(receive):
    endpoint = endpoint_at(receive())

    with pytest.raises(EmptySpan):
        replay_span(endpoint=endpoint, since=NOW, until=NOW, at=NOW)


def test_forget_webhooks_forgets_old_ones_but_for_what_is_on_its_way(receive, settings):
    settings.MESSAGE_RETENTION_DAYS = 90
    endpoint_at(receive())
    tell(object_id="old")
    send_due_webhooks(at=NOW)
    tell(object_id="waiting")
    tell(object_id="young", at=NOW + timedelta(days=60))

    assert forget_webhooks(at=NOW + timedelta(days=91)) == 1
    assert list(WebhookEvent.objects.order_by("pk").values_list("object_id", flat=True)) == ["waiting", "young"]
