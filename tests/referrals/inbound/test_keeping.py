"""Running again, forgetting, and the pages for staff."""

from datetime import timedelta

import pytest
from django.urls import reverse

from referrals.models import Customer, InboundCall, Source
from referrals.services.erasing import erase_customer, export_customer
from referrals.services.inbound import CannotRunAgain, purge_inbound_of, purge_raw_calls, run_call_again
from tests.referrals.inbound.calling import call, outcomes, paid, translate
from tests.referrals.sources.payloads import (
    NOON,
    STRIPE_SECRET,
    encode,
    shopify_order,
    sign_shopify,
    sign_stripe,
    stripe_event,
)

pytestmark = pytest.mark.django_db


def test_run_call_again_refuses_what_was_used_and_what_is_no_longer_kept(source):
    stripe = source("stripe")
    body = paid()
    call(stripe, body, sign_stripe(body))
    translate(at=NOON)

    with pytest.raises(CannotRunAgain):
        run_call_again(call=InboundCall.objects.get(), at=NOON)
    InboundCall.objects.update(state="problem", problem="x", raw=None)
    with pytest.raises(CannotRunAgain):
        run_call_again(call=InboundCall.objects.get(), at=NOON)

    assert InboundCall.objects.get().state == "problem"


def test_purge_raw_calls_forgets_texts_after_90_days_and_keeps_hashes(source):
    stripe = source("stripe")
    body = paid()
    call(stripe, body, sign_stripe(body))

    assert purge_raw_calls(at=NOON + timedelta(days=89)) == 0
    assert purge_raw_calls(at=NOON + timedelta(days=90)) == 1

    stored = InboundCall.objects.get()
    assert (stored.raw, stored.state, len(stored.body_sha256)) == (None, "problem", 64)


def test_purge_inbound_of_forgets_the_persons_texts_understood_or_not(source):
    stripe, shopify = source("stripe"), source("shopify")
    about_bob = [
        paid(),
        encode(stripe_event("payment_intent.created", {"receipt_email": "BOB@shop.example"}, id_="evt_2")),
    ]
    for body in about_bob:
        call(stripe, body, sign_stripe(body))
    other = encode(shopify_order(email="eve@shop.example", contact_email="", customer={"id": 7}))
    call(shopify, other, sign_shopify(other, "orders/paid"))
    translate(at=NOON)

    count = purge_inbound_of(customer=Customer.objects.get(email="bob@shop.example"))

    kept = [call.pk for call in InboundCall.objects.all() if call.raw is not None]
    assert (count, kept) == (2, [InboundCall.objects.latest("pk").pk])


def test_admin_makes_a_source_and_shows_a_made_secret_once(admin_client):
    form = {"kind": "hmac", "slug": "till", "name": "Till", "active": "on", "options": "{}", "new_secret": ""}

    answer = admin_client.post(reverse("admin:referrals_source_add"), form, follow=True)

    made = Source.objects.get()
    assert made.secret in answer.content.decode()
    page = admin_client.get(reverse("admin:referrals_source_change", args=[made.pk])).content.decode()
    assert made.secret not in page
    assert "/in/hmac/till/" in page


def test_admin_rotates_a_typed_secret_and_refuses_a_bad_one(admin_client, source):
    row = source("stripe")
    address = reverse("admin:referrals_source_change", args=[row.pk])
    form = {"name": "", "active": "on", "options": "{}"}

    bad = admin_client.post(address, form | {"new_secret": "short"})
    good = admin_client.post(address, form | {"new_secret": "whsec_another_secret_0123"})

    row.refresh_from_db()
    assert (bad.status_code, good.status_code) == (200, 302)
    assert (row.secret, row.previous_secret) == ("whsec_another_secret_0123", STRIPE_SECRET)


def test_admin_lists_what_was_not_understood_and_runs_it_again(admin_client, source):
    shopify = source("shopify")
    body = encode(shopify_order(total_price="a lot"))
    call(shopify, body, sign_shopify(body, "orders/paid"))
    translate(at=NOON)
    address = reverse("admin:referrals_inboundcall_changelist")

    page = admin_client.get(address, {"state__exact": "problem"}).content.decode()
    row = InboundCall.objects.get()
    detail = admin_client.get(reverse("admin:referrals_inboundcall_change", args=[row.pk])).content.decode()
    admin_client.post(address, {"action": "run_again_action", "_selected_action": [row.pk]})

    assert "expected an amount" in page
    assert "a lot" in detail
    assert outcomes() == [("due", "")]


def test_erase_customer_forgets_the_calls_about_them(source):
    shopify = source("shopify")
    body = encode(shopify_order())
    call(shopify, body, sign_shopify(body, "orders/paid"))
    translate(at=NOON)
    bob = Customer.objects.get()
    told = export_customer(customer=bob)["referrals"]["shop_calls"]

    erase_customer(customer=bob, by="staff", at=NOON)

    assert [one["topic"] for one in told] == ["orders/paid"]
    assert "bob@shop.example" in told[0]["text"]
    stored = InboundCall.objects.get()
    assert (stored.raw, stored.events, len(stored.body_sha256)) == (None, [], 64)
    again = call(shopify, body, sign_shopify(body, "orders/paid", webhook_id="again"))
    assert again.json()["status"] == "duplicate"
