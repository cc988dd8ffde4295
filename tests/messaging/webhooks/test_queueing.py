"""Webhooks out: told in the transaction of their cause, to who asked; endpoints and their secrets."""

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction

from core.errors import Refused
from core.http import ForbiddenAddress
from messaging.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from messaging.services import (
    change_endpoint,
    create_endpoint,
    queue_webhook,
    rotate_endpoint_secret,
    send_due_webhooks,
)
from messaging.services.webhooks import WrongWebhook
from messaging.webhook_types import WEBHOOK_TYPES, family_of, is_wanted, is_wish
from tests.messaging.webhooks.receiver import verified_by
from tests.messaging.webhooks.telling import NOW, endpoint_at, tell

pytestmark = pytest.mark.django_db


def test_queue_webhook_tells_only_who_asked(receive):
    one, other, off = receive(), receive(), receive()
    endpoint_at(one, "referral.*")
    endpoint_at(other, "reward.available", "survey.response.*")
    change_endpoint(endpoint=endpoint_at(off, "*"), at=NOW, active=False)
    tell("referral.voided")
    tell("reward.available", "rwd_1")

    send_due_webhooks(at=NOW)

    assert [p["type"] for p in one.payloads] == ["referral.voided"]
    assert [p["type"] for p in other.payloads] == ["reward.available"]
    assert off.calls == []


def test_queue_webhook_without_an_endpoint_keeps_nothing():
    assert tell() is None
    assert WebhookEvent.objects.count() == 0


def test_queue_webhook_of_an_object_rises_its_version(receive):
    endpoint_at(receive())

    versions = [tell(*what).version for what in [
        ("referral.signed_up",), ("referral.qualified",), ("referral.signed_up", "ref_2"),
        ("reward.pending", "ref_1"), ("referral.approved",),
    ]]  # fmt: skip

    assert versions == [1, 2, 1, 1, 3]


def test_queue_webhook_rolled_back_with_its_cause_tells_nobody(receive):
    endpoint_at(receive())

    with transaction.atomic():
        tell()
        transaction.set_rollback(True)

    assert WebhookEvent.objects.count() == WebhookDelivery.objects.count() == 0


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("referral.qualified", {"id": "ref_1"}),
        ("referral.qualified", {**WEBHOOK_TYPES["referral.qualified"].sample, "email": "bob@shop.example"}),
        ("referral.qualified", {**WEBHOOK_TYPES["referral.qualified"].sample, "friend": "x" * 20_000}),
        ("referral.unheard", {}),
    ],
)
def test_queue_webhook_refuses_what_is_not_declared_or_too_large(receive, type_, data):
    endpoint_at(receive())

    with pytest.raises(WrongWebhook):
        queue_webhook(type=type_, object_id="ref_1", data=data)

    assert WebhookEvent.objects.count() == 0


def test_is_wish_and_is_wanted_know_types_beginnings_and_everything():
    assert [wish for wish in ("*", "referral.*", "reward.available", "survey.response.*") if not is_wish(wish)] == []
    assert [wish for wish in ("", "refer*", "referral.", "nothing.*", "referral.paid", ".*") if is_wish(wish)] == []
    assert is_wanted("survey.response.confirmed", ["survey.*"])
    assert not is_wanted("survey.detractor", ["survey.response.*", "referral.*"])
    assert {family_of(name) for name in WEBHOOK_TYPES} >= {"referral", "reward", "milestone", "survey", "preferences"}


def test_rotate_endpoint_secret_signs_with_both_for_72_hours(receive):
    receiver = receive()
    endpoint = endpoint_at(receiver)
    old = endpoint.secret

    new = rotate_endpoint_secret(endpoint=endpoint, at=NOW).secret

    seen = []
    for hours in (0, 71.9, 72):
        at = NOW + timedelta(hours=hours)
        tell(at=at, object_id=f"ref_{hours}")
        with time_machine.travel(at, tick=False):
            send_due_webhooks(at=at)
        headers, body = receiver.calls[-1]
        seen.append((verified_by(new, headers, body), verified_by(old, headers, body)))
    assert seen == [(True, True), (True, True), (True, False)]


@pytest.mark.parametrize(
    "url",
    ["http://shop.example/", "https://127.0.0.1/", "https://localhost/", "https://10.0.0.1/x", "https://[::1]/",
     "https://user@shop.example/", "https://shop.example:8443/", "ftp://shop.example/", "shop.example", ""],
)  # fmt: skip
def test_create_endpoint_refuses_addresses_that_may_not_be_called(settings, url):
    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = False

    with pytest.raises(ForbiddenAddress) as refusal:
        create_endpoint(url=url, types=["*"])

    assert refusal.value.pointer == "/url"
    assert WebhookEndpoint.objects.count() == 0


@pytest.mark.parametrize("types", [[], ["referral.paid"], ["*", "nonsense"]])
def test_create_endpoint_refuses_unknown_types_and_none(types):
    with pytest.raises(Refused) as refusal:
        create_endpoint(url="https://shop.example/", types=types)

    assert refusal.value.pointer == "/types"
    assert WebhookEndpoint.objects.count() == 0
