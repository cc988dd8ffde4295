"""One order through three doors is one conversion, in every order of arrival, and again a year later."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.db import transaction
from django.utils import timezone

from core.models import IdempotentRequest
from referrals.models import Customer, Event, InboundCall
from referrals.services import events
from referrals.services.batches import record_events
from tests.referrals.inbound.doors import BUYER, DOORS, EMAIL, ORDER, PEOPLE, UNCLEAR, Doors

pytestmark = pytest.mark.django_db

CASES = [
    *(("shopify", people, "EUR") for people in PEOPLE if people != UNCLEAR),
    *((kind, "a guest in the shop", "JPY") for kind in ("shopify", "woocommerce", "stripe")),
    *((kind, "an id and an email", "KWD") for kind in ("shopify", "woocommerce", "stripe")),
    ("hmac", "a guest in the shop", "EUR"),
]
UNCLEAR_ORDERS = {("webhook", "file", "api"), ("file", "webhook", "api"), ("file", "api", "webhook")}


@pytest.mark.parametrize(("kind", "people", "currency"), CASES)
def test_one_order_by_every_door_is_one_conversion_and_again_a_year_later(
    tmp_path, settle, time_machine, kind, people, currency
):
    now = timezone.now()
    for order in permutations(DOORS):
        time_machine.move_to(now, tick=False)
        with transaction.atomic():
            doors = Doors(tmp_path, kind=kind, people=people, currency=currency)

            first = [getattr(doors, door)() for door in order]
            doors.assert_one_conversion()

            time_machine.move_to(now + timedelta(days=366), tick=False)
            settle()
            assert (InboundCall.objects.filter(raw__isnull=False).count(), IdempotentRequest.objects.count()) == (0, 0)
            moved = doors.moved()
            again = [getattr(doors, door)() for door in reversed(order)]
            settle()

            doors.assert_one_conversion()
            assert (doors.moved(), moved[1]) == (moved, "approved")
            words = {
                "api": ("accepted", "duplicate"),
                "webhook": ("done", "done"),
                "file": ("1 recorded, 0 known already, 0 refused", "0 recorded, 1 known already, 0 refused"),
            }
            told = [words[door][door != order[0]] for door in order]
            assert [word.removeprefix("1 rows: ") for word in first] == told, order
            assert [word.removeprefix("1 rows: ") for word in again] == [words[door][1] for door in reversed(order)]
            transaction.set_rollback(True)


@pytest.mark.parametrize("order", list(permutations(DOORS)), ids=" ".join)
def test_one_order_of_a_guest_whom_a_file_calls_by_another_name_is_still_one_conversion(tmp_path, order):
    """Where nothing says that 25 is the guest, the later door is refused and listed, never paid again."""
    doors = Doors(tmp_path, kind="shopify", people=UNCLEAR)

    words = [getattr(doors, door)() for door in order]

    doors.assert_one_conversion()
    refused = [word for word in words if "already bought" in word or word == "order_id_reused"]
    assert bool(refused) is (order in UNCLEAR_ORDERS)


def test_a_guest_gets_the_id_by_which_another_door_knows_the_buyer_of_the_order(tmp_path):
    doors = Doors(tmp_path, kind="shopify", people="a guest in the shop")

    words = [doors.webhook(), doors.api()]

    assert words == ["done", "duplicate"]
    [guest] = Customer.objects.exclude(external_id="ann")
    assert (guest.external_id, guest.guest_key is None) == (BUYER, False)
    doors.shop.report(doors.shop.purchase(BUYER, timezone.now(), "1002", "100.00"))
    assert doors.shop.points("ann") == (0, 507, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"customer": {"external_id": "26", "email": EMAIL}},
        {"customer": {"email": "rob@shop.example"}},
        {"order": {"id": ORDER, "amount": "59.91", "currency": "EUR"}},
        {"order": {"id": ORDER, "amount": "59.90", "currency": "USD"}},
    ],
    ids=["another id, though the same email", "another guest", "another amount", "another currency"],
)
def test_another_order_under_the_same_number_is_refused_and_changes_nothing(tmp_path, change):
    doors = Doors(tmp_path, kind="shopify")
    doors.file()
    moved = doors.moved()

    [result] = record_events(facts=[doors.fact("api", "other", doors.at, "59.90") | change], at=timezone.now())

    assert isinstance(result.refusal, events.OrderReused)
    assert doors.moved() == moved
    doors.assert_one_conversion()


def test_one_order_by_every_door_would_be_three_without_its_number(tmp_path, monkeypatch):
    """The sabotage twin: were orders not looked at, the ids that the doors give would be all there is."""
    doors = Doors(tmp_path, kind="shopify")
    columns = events.columns_of
    monkeypatch.setattr(events, "_known", lambda fact: None)
    monkeypatch.setattr(events, "columns_of", lambda fact: columns(fact) | {"order_id": fact.event_id})

    for door in DOORS:
        getattr(doors, door)()

    assert Event.objects.count() == 3
