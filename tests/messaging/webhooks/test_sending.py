"""Sending webhooks: signed, tried ten times in three days, a dead endpoint costs the others little."""

import socket
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.core import mail

from core import http
from core.webhooks import LADDER
from messaging.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from messaging.services import (
    create_endpoint,
    send_due_webhooks,
    webhook_sending,
)
from messaging.webhook_types import WEBHOOK_TYPES
from tests.factories import UserFactory
from tests.messaging.webhooks.receiver import verified_by
from tests.messaging.webhooks.telling import NOW, endpoint_at, refused_port, states, tell

pytestmark = pytest.mark.django_db


def test_send_due_webhooks_posts_the_signed_event(receive):
    receiver = receive()
    endpoint = endpoint_at(receiver)
    event = tell()

    assert send_due_webhooks(at=NOW) == 1

    headers, body = receiver.calls[0]
    assert receiver.payloads == [
        {
            "type": "referral.qualified",
            "timestamp": "2026-03-01T12:00:00Z",
            "data": {**WEBHOOK_TYPES["referral.qualified"].sample, "id": "ref_1"},
            "version": 1,
        }
    ]
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == event.public_id
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert verified_by(endpoint.secret, headers, body)
    assert states() == [("delivered", 1, 200)]
    assert WebhookAttempt.objects.values_list("status", "body", "error", "at").get() == (200, "ok", "", NOW)
    assert send_due_webhooks(at=NOW + timedelta(days=5)) == 0


@pytest.mark.parametrize("status", [301, 302, 304, 400, 404, 429, 500, 503])
def test_send_due_webhooks_takes_all_but_2xx_as_failure(receive, status):
    inside = receive()
    receiver = receive(status=status, headers={"Location": inside.url}, body=b"" if status == 304 else b"no")
    endpoint_at(receiver)
    tell()

    send_due_webhooks(at=NOW)

    assert states() == [("due", 1, status)]
    assert inside.calls == []


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_send_due_webhooks_takes_2xx_as_delivered(receive, status):
    endpoint_at(receive(status=status, body=b""))
    tell()

    send_due_webhooks(at=NOW)

    assert states() == [("delivered", 1, status)]


def test_send_due_webhooks_tries_ten_times_in_three_days_and_gives_up(receive):
    receiver = receive(status=500, body=b"x" * 5000)
    endpoint_at(receiver)
    event = tell()
    tried, at = [], NOW
    for _ in range(40):
        tried += [at] * send_due_webhooks(at=at)
        row = WebhookDelivery.objects.get()
        if row.state == "dead":
            break
        rests = WebhookEndpoint.objects.get().rests_until
        at = max(row.due_at, rests or row.due_at)

    assert states() == [("dead", 10, 500)]
    assert len(tried) == 10
    assert timedelta(hours=70) < tried[-1] - tried[0] < timedelta(hours=90)
    waits = [after - before for before, after in pairwise(tried)]
    assert all(step <= wait <= step * 1.11 for step, wait in zip(LADDER, waits, strict=True))
    assert {headers["webhook-id"] for headers, _ in receiver.calls} == {event.public_id}
    assert {body for _, body in receiver.calls} == {receiver.calls[0][1]}
    assert {len(body) for body in WebhookAttempt.objects.values_list("body", flat=True)} == {2000}
    assert send_due_webhooks(at=at + timedelta(days=30)) == 0


def test_send_due_webhooks_heeds_retry_after(receive):
    endpoint_at(receive(status=503, headers={"Retry-After": "7200"}))
    tell()

    send_due_webhooks(at=NOW)

    assert timedelta(hours=2) <= WebhookDelivery.objects.get().due_at - NOW <= timedelta(hours=2.2)


def test_send_due_webhooks_told_410_switches_the_endpoint_off_and_tells_its_owner(receive, settle):
    endpoint = endpoint_at(receive(status=410), description="Shop", contact_email="dev@shop.example")
    tell()
    tell(object_id="ref_2")

    send_due_webhooks(at=NOW)
    settle()

    endpoint.refresh_from_db()
    assert (endpoint.active, endpoint.disabled_reason) == (False, "gone")
    assert [(sent.to, "Shop" in sent.subject) for sent in mail.outbox] == [(["dev@shop.example"], True)]
    assert "410" in mail.outbox[0].body
    assert tell() is not None
    assert send_due_webhooks(at=NOW + timedelta(days=1)) == 0


def test_send_due_webhooks_failing_for_120_hours_switches_off_and_tells_the_administrators(settle):
    boss = UserFactory(is_staff=True, is_superuser=True)
    UserFactory(is_staff=True)
    endpoint_at(refused_port())
    tell()
    send_due_webhooks(at=NOW)
    tell(object_id="ref_2")

    send_due_webhooks(at=NOW + timedelta(hours=119.9))
    assert WebhookEndpoint.objects.get().active
    send_due_webhooks(at=NOW + timedelta(hours=130))
    settle()

    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.active, endpoint.disabled_reason) == (False, "failing")
    assert [boss.email in sent.to[0] for sent in mail.outbox] == [True]
    assert "refused" in WebhookAttempt.objects.latest("pk").error.lower()


def test_send_due_webhooks_a_success_in_between_ends_the_failing(receive):
    receiver = receive(status=500)
    endpoint_at(receiver)
    tell()
    send_due_webhooks(at=NOW)
    receiver.status = 200
    send_due_webhooks(at=NOW + timedelta(hours=100))
    receiver.status = 500
    tell(object_id="ref_2", at=NOW + timedelta(hours=101))

    send_due_webhooks(at=NOW + timedelta(hours=130))

    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.active, endpoint.failures) == (True, 1)


def test_send_due_webhooks_rests_an_endpoint_after_five_straight_failures(receive):
    dead, alive = receive(status=500), receive()
    endpoint_at(dead)
    endpoint_at(alive)
    for number in range(20):
        tell(object_id=f"ref_{number}")

    send_due_webhooks(at=NOW)

    assert 5 <= len(dead.calls) <= 6  # two are under way at once
    assert len(alive.calls) == 20
    assert send_due_webhooks(at=NOW + timedelta(seconds=30)) == 0
    before = len(dead.calls)
    send_due_webhooks(at=NOW + timedelta(minutes=3))
    assert len(dead.calls) == before + 1  # one to see, then it rests longer


def test_send_due_webhooks_without_the_breaker_would_call_a_dead_endpoint_for_everything(receive, monkeypatch):
    """The sabotage twin."""
    monkeypatch.setattr(webhook_sending, "BREAKER", 10_000)
    dead = receive(status=500)
    endpoint_at(dead)
    for number in range(20):
        tell(object_id=f"ref_{number}")

    send_due_webhooks(at=NOW)

    assert len(dead.calls) == 20


def test_send_due_webhooks_a_hanging_endpoint_costs_the_others_little(receive, monkeypatch):
    monkeypatch.setattr(http, "TOTAL_SECONDS", 1.0)
    hanging, alive = receive(wait=5), receive()
    endpoint_at(hanging)
    endpoint_at(alive)
    for number in range(30):
        tell(object_id=f"ref_{number}")

    started = time.monotonic()
    send_due_webhooks(at=NOW)

    assert len(alive.calls) == 30
    assert time.monotonic() - started < 6
    assert 5 <= len(hanging.calls) <= 6


def test_send_due_webhooks_calls_one_endpoint_twice_at_once_at_most(receive):
    slow = receive(wait=0.05)
    endpoint_at(slow)
    for number in range(12):
        tell(object_id=f"ref_{number}")

    send_due_webhooks(at=NOW)

    assert (len(slow.calls), slow.most_at_once) == (12, 2)


def test_send_due_webhooks_never_calls_the_inside(receive, settings):
    receiver = receive()
    endpoint_at(receiver)
    tell()
    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = False

    send_due_webhooks(at=NOW)

    assert receiver.calls == []
    assert states() == [("due", 1, None)]
    assert WebhookAttempt.objects.get().error != ""


def test_close_expired_webhook_leases_sends_again_what_nobody_wrote_down(receive):
    receiver = receive()
    endpoint_at(receiver)
    tell()
    past = datetime(2020, 1, 1, tzinfo=UTC)
    WebhookDelivery.objects.update(state="sending", claimed_by="gone", lease_until=past, attempts=1)

    send_due_webhooks(at=NOW)

    assert states() == [("delivered", 2, 200)]


def test_send_due_webhooks_to_a_name_that_moves_inside_between_tries_connects_to_nothing(
    receive, settings, monkeypatch
):
    """The name is public when the endpoint is made and at the first try; at the second it leads to the loopback."""
    inside = receive()
    answers = iter(["93.184.216.34", "127.0.0.1"])
    dialled = []

    def resolve(host, port, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def dial(address, *args, **kwargs):
        dialled.append(address[0])
        raise OSError("nobody there")

    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = False
    monkeypatch.setattr(http.socket, "getaddrinfo", resolve)
    monkeypatch.setattr("urllib3.util.connection.create_connection", dial)
    create_endpoint(url="https://rebind.shop.example/hook", types=["*"])
    tell()

    send_due_webhooks(at=NOW)
    send_due_webhooks(at=NOW + timedelta(minutes=10))

    errors = list(WebhookAttempt.objects.order_by("pk").values_list("error", flat=True))
    assert (len(errors), dialled, inside.calls) == (2, ["93.184.216.34"], [])
    assert "127.0.0.1, which is not a public address" in errors[1]
