"""What calls come to: facts, each once, or a reason for staff."""

from datetime import timedelta

import pytest

from referrals.models import Customer, Event, InboundCall
from referrals.services import inbound
from referrals.services.inbound import run_call_again
from tests.referrals.inbound.calling import call, outcomes, paid, translate
from tests.referrals.sources.payloads import (
    NOON,
    encode,
    shopify_order,
    shopify_refund,
    sign_shopify,
    sign_stripe,
    sign_woo,
    stripe_charge,
    stripe_event,
    woo_order,
)
from tests.shop import Shop, day

pytestmark = pytest.mark.django_db


def test_translate_due_matches_a_refund_to_its_order_by_the_payment(source):
    shop, stripe = Shop(), source("stripe")
    code = shop.code_of("ann")
    body = paid(metadata={"goodword_ref": code, "goodword_customer": "bob", "order_id": "1001"})
    back = encode(stripe_event("charge.refunded", stripe_charge(amount_refunded=5990), id_="evt_refund", at=day(1)))
    call(stripe, body, sign_stripe(body))
    call(stripe, back, sign_stripe(back))

    translate(at=day(1))

    assert list(Event.objects.order_by("pk").values_list("type", "order_id")) == [
        ("purchase", "1001"),
        ("refund", "1001"),
    ]
    assert shop.referral("bob").state == "reversed"


def test_translate_due_lets_a_refund_wait_for_its_order(source):
    shop, shopify = Shop(), source("shopify", order_id="name")
    back, body = (
        encode(shopify_refund()),
        encode(shopify_order(note_attributes=[{"name": "goodword_ref", "value": shop.code_of("ann")}])),
    )
    call(shopify, back, sign_shopify(back, "refunds/create", webhook_id="w-2"), at=day(4))
    translate(at=day(4))
    assert (outcomes(), InboundCall.objects.get().problem) == ([("due", "")], "waits for the order 820982911946154508")

    call(shopify, body, sign_shopify(body, "orders/paid"), at=day(4))
    translate(at=day(4) + timedelta(minutes=10))

    assert sorted(Event.objects.values_list("type", "order_id")) == [("purchase", "#1001"), ("refund", "#1001")]
    assert outcomes() == [("done", ""), ("done", "")]


def test_translate_due_lists_a_refund_whose_order_never_comes_and_runs_it_again(source):
    shopify = source("shopify")
    back, body = encode(shopify_refund()), encode(shopify_order())
    call(shopify, back, sign_shopify(back, "refunds/create", webhook_id="w-2"), at=day(4))
    for minutes in range(0, 90, 5):
        translate(at=day(4) + timedelta(minutes=minutes))
    assert outcomes() == [("problem", "not_understood")]
    call(shopify, body, sign_shopify(body, "orders/paid"), at=day(4))

    run_call_again(call=InboundCall.objects.earliest("pk"), at=day(4) + timedelta(hours=2))
    translate(at=day(4) + timedelta(hours=2))

    assert outcomes() == [("done", ""), ("done", "")]
    assert Event.objects.count() == 2


def test_translate_due_of_an_order_told_many_times_records_each_thing_once(source):
    woo = source("woocommerce")
    stories = [
        woo_order(),
        woo_order(status="completed", date_modified_gmt="2026-03-02T09:00:00", billing={"email": "bob@other.example"}),
        woo_order(status="completed", refunds=[{"id": 9, "total": "-20.00"}], date_modified_gmt="2026-03-03T09:00:00"),
        woo_order(status="completed", refunds=[{"id": 9, "total": "-20.00"}], date_modified_gmt="2026-03-04T09:00:00"),
    ]
    for number, story in enumerate(stories):
        body = encode(story)
        call(woo, body, sign_woo(body, "order.updated", delivery=str(number)))
    translate(at=day(4))

    assert outcomes() == [("done", "")] * 4
    assert list(Event.objects.order_by("pk").values_list("event_id", flat=True)) == [
        "woocommerce-order-727",
        "woocommerce-refund-9",
    ]


def test_translate_due_lists_an_order_that_was_told_otherwise_before(source):
    shop, shopify = Shop(), source("shopify")
    shop.report(shop.purchase("someone", day(0), "820982911946154508", "1.00"), at=day(0))
    body = encode(shopify_order())
    call(shopify, body, sign_shopify(body, "orders/paid"))
    translate(at=day(1))

    assert outcomes() == [("problem", "order_id_reused")]
    assert Event.objects.count() == 1


def test_translate_due_takes_an_email_for_the_one_customer_who_has_it(source):
    shop, stripe = Shop(), source("stripe")
    shop.code_of("c-2", email="Bob@shop.example")
    body = paid()
    call(stripe, body, sign_stripe(body))
    translate(at=NOON)

    assert Event.objects.get().customer.external_id == "c-2"


def test_translate_due_of_an_email_that_two_have_is_a_guests(source):
    shop, stripe = Shop(), source("stripe")
    for who in ("c-2", "c-3"):
        shop.code_of(who, email="bob@shop.example")
    body = paid()
    call(stripe, body, sign_stripe(body))
    translate(at=NOON)

    assert Event.objects.get().customer.external_id.startswith("email:")


def test_translate_due_gives_a_call_up_that_breaks_it(source, monkeypatch):
    stripe = source("stripe")
    body = paid()
    call(stripe, body, sign_stripe(body))
    monkeypatch.setattr(inbound, "record_event", lambda **_: 1 / 0)

    tries = sum(translate(at=day(number)) for number in range(10))

    assert (tries, outcomes()) == (5, [("problem", "given_up")])
    assert "ZeroDivisionError" in InboundCall.objects.get().problem


def test_translate_due_of_an_erased_person_keeps_no_text(source):
    shop, shopify = Shop(), source("shopify")
    shop.code_of("115310627314723954")
    Customer.objects.update(erased_at=NOON)
    body = encode(shopify_order())
    call(shopify, body, sign_shopify(body, "orders/paid"))
    translate(at=NOON)

    assert outcomes() == [("problem", "erased")]
    assert InboundCall.objects.get().raw is None
