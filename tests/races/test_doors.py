"""One order through every door at once, and again a year later: one conversion."""

from datetime import timedelta
from functools import partial

import pytest
from django.test import Client
from django.utils import timezone

from accounts.services import create_api_key
from core.dispatch import deliver_due
from core.models import Delivery
from referrals.models import Event, InboundCall, Referral
from referrals.services import inbound
from referrals.services.batches import record_events
from referrals.services.inbound import translate_due
from referrals.services.sources import create_source
from rewards.models import Transfer
from tests.races.threads import at_once
from tests.referrals.inbound.doors import Doors
from tests.referrals.sources.payloads import SHOPIFY_SECRET, encode, shopify_order, sign_shopify
from tests.shop import Shop, assert_books_balance

pytestmark = pytest.mark.django_db(transaction=True)
ORDER = "820982911946154508"
BUYER = "115310627314723954"


@pytest.fixture
def doors():
    """The same order as the API, a file and the shop's webhook tell it: other event ids, other moments, one order."""
    shop = Shop()
    at = shop.now - timedelta(hours=1)
    code = shop.code_of("ann")
    _, key = create_api_key(name="shop", scopes=["write"])
    create_source(kind="shopify", slug="shop", secret=SHOPIFY_SECRET)
    notes = [{"name": "goodword_ref", "value": code}]
    body = encode(shopify_order(note_attributes=notes, processed_at=at.isoformat(), discount_codes=[]))
    by_api = shop.purchase(BUYER, at, ORDER, "59.90", code=code, event_id="order-paid")
    by_file = shop.purchase(BUYER, at - timedelta(minutes=5), ORDER, "59.90", code=code, event_id="csv-1")

    def api():
        headers = {"Authorization": f"Bearer {key}"}
        return Client().post("/api/v1/events", by_api, content_type="application/json", headers=headers).status_code

    def webhook(delivery="w-1"):
        headers = sign_shopify(body, "orders/paid", webhook_id=delivery)
        status = Client().post("/in/shopify/shop/", body, content_type="application/json", headers=headers).status_code
        translate_due(at=timezone.now())
        return status

    def file():
        return record_events(facts=[by_file], at=timezone.now(), source="csv")[0].refusal

    return shop, api, webhook, file


@pytest.fixture
def settle_all(settle):
    """Do what is due, webhooks that a race left behind included."""

    def do():
        InboundCall.objects.filter(state="due").update(due_at=timezone.now())
        settle()

    return do


def settle():
    InboundCall.objects.filter(state="due").update(due_at=timezone.now())
    translate_due(at=timezone.now())
    Delivery.objects.filter(state="due").update(due_at=timezone.now())
    while deliver_due(at=timezone.now()):
        pass


def test_one_order_by_api_webhook_and_file_at_once_is_one_conversion(doors):
    shop, api, webhook, file = doors

    results = at_once([api, webhook, file] * 6)
    settle()

    assert {result for result in results if isinstance(result, Exception)} == set()
    assert set(results[0::3]) <= {200, 201}
    assert set(results[1::3]) == {200}
    assert set(results[2::3]) == {None}
    assert (Event.objects.count(), Referral.objects.count(), InboundCall.objects.count()) == (1, 1, 1)
    assert InboundCall.objects.get().state == "done"
    assert shop.points("ann") == (0, 502, 0)
    assert_books_balance()


def test_one_order_by_every_door_again_a_year_later_changes_nothing(doors, time_machine):
    shop, api, webhook, file = doors
    api()
    moved = Transfer.objects.count()
    time_machine.move_to(timezone.now() + timedelta(days=365))

    results = [api(), webhook(), webhook("w-2"), file()]
    settle()

    assert results == [200, 200, 200, None]
    assert (Event.objects.count(), InboundCall.objects.count(), Transfer.objects.count()) == (1, 1, moved)
    assert_books_balance()
    assert shop.referral(BUYER).state == "qualified"


@pytest.mark.parametrize("kind", ["shopify", "woocommerce", "stripe", "hmac"])
@pytest.mark.parametrize("people", ["an id and an email", "a guest in the shop", "a guest over the API"])
def test_one_order_by_three_doors_at_once_and_again_a_year_later(tmp_path, settle_all, time_machine, kind, people):
    doors = Doors(tmp_path, kind=kind, people=people, currency="JPY")
    told = [doors.api, doors.webhook, doors.file] * 5

    results = at_once(told)
    settle_all()

    assert [one for one in results if isinstance(one, Exception)] == []
    assert set(results[0::3]) <= {"accepted", "duplicate", "request_in_progress"}
    assert InboundCall.objects.exclude(state="done").count() == 0
    assert {word.partition("rows: ")[2] for word in results[2::3]} <= {
        "1 recorded, 0 known already, 0 refused",
        "0 recorded, 1 known already, 0 refused",
    }
    doors.assert_one_conversion()
    time_machine.move_to(timezone.now() + timedelta(days=366))
    settle_all()
    moved = doors.moved()
    again = at_once(told)
    settle_all()

    assert [one for one in again if isinstance(one, Exception)] == []
    doors.assert_one_conversion()
    assert (doors.moved(), moved[1]) == (moved, "approved")


def test_receive_call_twenty_times_at_once_is_stored_once(doors):
    _, _, webhook, _ = doors

    statuses = at_once([partial(webhook, f"w-{number}") for number in range(20)])

    assert set(statuses) == {200}
    assert InboundCall.objects.count() == 1
    assert Event.objects.count() == 1


def test_translate_due_in_many_workers_takes_each_call_up_once(doors, monkeypatch):
    """The claim counts: what two workers took up at once would be tried twice."""
    for number in range(8):
        body = encode(shopify_order(id=number + 1))
        Client().post(
            "/in/shopify/shop/",
            body,
            content_type="application/json",
            headers=sign_shopify(body, "orders/paid", webhook_id=f"w-{number}"),
        )
    taken = []
    record = inbound._record
    monkeypatch.setattr(inbound, "_record", lambda call, at: (taken.append(call.pk), record(call, at))[1])

    counts = at_once([partial(translate_due, at=timezone.now())] * 4)

    assert sum(counts) == len(taken) == len(set(taken)) == 8
