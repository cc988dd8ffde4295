"""Webhooks in, through the front door: signature first, stored once for ever."""

import base64
import hashlib
import hmac
import random
from datetime import timedelta

import pytest
from django.test import Client

from core.webhooks import new_secret, signed_headers
from referrals.models import Event, InboundCall, Source
from referrals.services import inbound
from referrals.services.inbound import purge_raw_calls
from referrals.services.sources import BadSource, create_source, rotate_source_secret
from tests.referrals.inbound.calling import call, counts, flipped, outcomes, paid, signed, translate
from tests.referrals.sources.payloads import (
    NOON,
    encode,
    shopify_order,
    sign_shopify,
    sign_stripe,
)
from tests.shop import Shop, assert_books_balance

pytestmark = pytest.mark.django_db


def test_receive_stores_a_call_once_and_records_it_afterwards(source, settle):
    shop, stripe = Shop(), source("stripe")
    body = paid(metadata={"goodword_ref": shop.code_of("ann"), "goodword_customer": "bob"})

    answer = call(stripe, body, sign_stripe(body))
    assert (answer.status_code, answer.json()["status"], counts()) == (200, "accepted", (1, 0))
    translate(at=NOON)

    assert outcomes() == [("done", "")]
    assert Event.objects.values_list("source", "type", "order_id").get() == (
        "stripe",
        "purchase",
        "pi_1GszsK2eZvKYlo2CfhZyoZLp",
    )
    assert shop.referral("bob").state == "qualified"
    stored = InboundCall.objects.get()
    assert (bytes(stored.raw), stored.body_sha256) == (body, hashlib.sha256(body).hexdigest())
    assert stored.customer.external_id == "bob"
    assert Source.objects.get().last_received_at == NOON
    assert_books_balance()


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=365)])
def test_receive_a_replay_stores_and_records_nothing_more(source, later):
    shopify = source("shopify")
    body = encode(shopify_order())
    call(shopify, body, sign_shopify(body, "orders/paid"))
    translate(at=NOON)
    purge_raw_calls(at=NOON + later)

    again = call(shopify, body, sign_shopify(body, "orders/paid", webhook_id="another"), at=NOON + later)
    translate(at=NOON + later)

    assert (again.status_code, again.json()["status"], counts()) == (200, "duplicate", (1, 1))


def test_receive_without_the_hash_a_replay_under_another_id_would_be_stored(source, monkeypatch):
    """The sabotage twin: with a hash that differs each time, only the unsigned header would tell."""
    shopify = source("shopify")
    body = encode(shopify_order())
    call(shopify, body, sign_shopify(body, "orders/paid"))
    monkeypatch.setattr(inbound, "digest_of", lambda body: random.randbytes(32).hex())

    call(shopify, body, sign_shopify(body, "orders/paid", webhook_id="another"))

    assert InboundCall.objects.count() == 2


def test_receive_stripes_event_again_with_another_body_is_a_duplicate(source):
    stripe = source("stripe")
    first = paid()
    second = first.replace(b'"pending_webhooks": 1', b'"pending_webhooks": 0')
    call(stripe, first, sign_stripe(first))

    answer = call(stripe, second, sign_stripe(second))

    assert (answer.json()["status"], counts()) == ("duplicate", (1, 0))


@pytest.mark.parametrize("kind", ["stripe", "shopify", "woocommerce"])
def test_receive_a_flipped_bit_anywhere_is_401_and_only_counted(source, kind):
    row = source(kind)
    body, headers = signed(kind)
    places = random.Random(1).sample(range(len(body) * 8), 40)

    statuses = {call(row, flipped(body, place), headers).status_code for place in places}

    assert statuses == {401}
    assert counts() == (0, 0)
    assert Source.objects.get().bad_signatures == 40
    assert call(row, body, headers).status_code == 200


@pytest.mark.parametrize("kind", ["stripe", "shopify", "woocommerce"])
def test_receive_signed_with_another_secret_or_not_at_all_is_401(source, kind):
    row = source(kind)
    body, headers = signed(kind, "wrong-secret-wrong-secret")

    assert [call(row, body, one).status_code for one in (headers, {})] == [401, 401]
    assert counts() == (0, 0)


@pytest.mark.parametrize("kind", ["stripe", "shopify", "woocommerce"])
def test_receive_without_the_comparison_would_believe_anybody(source, kind, monkeypatch):
    """The sabotage twin."""
    monkeypatch.setattr(hmac, "compare_digest", lambda ours, theirs: True)
    row = source(kind)
    body, headers = signed(kind, "wrong-secret-wrong-secret")

    assert call(row, body, headers).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(0, 200), (300, 200), (-300, 200), (301, 401), (-301, 401)])
def test_receive_from_stripe_bounds_the_age(source, seconds, status):
    stripe = source("stripe")
    body = paid()

    assert call(stripe, body, sign_stripe(body), at=NOON + timedelta(seconds=seconds)).status_code == status


@pytest.mark.parametrize("header", ["", "t=,v1=", "v1=abc", "t=1,t=2,v1=abc", "t=x,v1=abc", "nonsense", "t=1772366400"])
def test_receive_from_stripe_with_a_broken_header_is_401(source, header):
    assert call(source("stripe"), paid(), {"stripe-signature": header}).status_code == 401


def test_receive_from_stripe_takes_any_of_several_signatures(source):
    body = paid()
    good = sign_stripe(body)["stripe-signature"]
    header = good.replace(",v1=", f",v1={'0' * 64},v1=")

    assert call(source("stripe"), body, {"stripe-signature": header}).status_code == 200


@pytest.mark.parametrize("kind", ["stripe", "shopify", "woocommerce"])
def test_rotate_source_secret_accepts_both_for_72_hours(source, kind):
    row = source(kind)
    rotate_source_secret(source=row, at=NOON - timedelta(hours=71), secret="brand-new-secret-0123456789")
    body, old = signed(kind)
    _, new = signed(kind, "brand-new-secret-0123456789")

    within = [call(row, body, headers).status_code for headers in (old, new)]
    Source.objects.update(previous_until=NOON)
    after = [call(row, body, headers).status_code for headers in (old, new)]

    assert (within, after) == ([200, 200], [401, 200])


def test_receive_over_1_mb_is_413_and_stores_nothing(source):
    stripe = source("stripe")
    body = b"x" * 1_000_001

    assert call(stripe, body, sign_stripe(body)).status_code == 413
    assert (counts(), Source.objects.get().bad_signatures) == ((0, 0), 0)


def test_receive_for_an_unknown_source_a_wrong_kind_or_one_that_is_off_is_404(source):
    stripe = source("stripe")
    body = paid()
    Source.objects.filter(pk=stripe.pk).update(active=False)

    statuses = [
        Client().post(path, body, content_type="application/json", headers=sign_stripe(body)).status_code
        for path in ("/in/stripe/my-stripe/", "/in/shopify/my-stripe/", "/in/stripe/other/", "/in/nothing/x/")
    ]

    assert statuses == [404] * 4
    assert counts() == (0, 0)


def test_receive_by_get_is_405(source):
    source("stripe")

    assert Client().get("/in/stripe/my-stripe/").status_code == 405


def test_receive_woocommerces_unsigned_ping_is_answered_and_not_stored(source):
    woo = source("woocommerce")

    answer = Client().post(
        "/in/woocommerce/my-woocommerce/", {"webhook_id": "17"}, content_type="application/x-www-form-urlencoded"
    )
    raw = Client().post(
        "/in/woocommerce/my-woocommerce/", b"webhook_id=17", content_type="application/x-www-form-urlencoded"
    )

    assert raw.status_code == 200
    assert answer.status_code in (200, 401)
    assert counts() == (0, 0)
    assert woo.pk


def test_receive_signed_nonsense_is_stored_and_listed(source):
    shopify = source("shopify")
    for body in (b"", b"\x00\xff", b"[1", b"[]", b'"text"', b"{" * 5000):
        assert call(shopify, body, sign_shopify(body, "orders/paid", webhook_id="")).status_code == 200
    translate(at=NOON)

    assert outcomes() == [("problem", "not_understood")] * 6
    assert all(InboundCall.objects.values_list("problem", flat=True))
    assert Event.objects.count() == 0


def test_receive_from_any_source_by_standard_webhooks(source):
    row = source("hmac")
    body = encode(Shop().signup("bob", NOON))
    headers = signed_headers(secrets=[row.secret], webhook_id="evt_1", at=NOON, body=body)

    statuses = [
        call(row, body, headers).status_code,
        call(row, body, signed_headers(secrets=[new_secret()], webhook_id="evt_1", at=NOON, body=body)).status_code,
        call(row, body, headers, at=NOON + timedelta(minutes=6)).status_code,
    ]
    translate(at=NOON)

    assert statuses == [200, 401, 401]
    assert (outcomes(), Event.objects.get().source) == ([("done", "")], "hmac")


@pytest.mark.parametrize("style", ["hex", "base64"])
def test_receive_from_any_source_by_a_plain_signature(source, style):
    row = source("hmac", signature=style, header="X-Shop-Sign")
    body = encode(Shop().signup("bob", NOON))
    digest = hmac.digest(row.secret.encode(), body, hashlib.sha256)
    text = digest.hex() if style == "hex" else base64.b64encode(digest).decode()

    statuses = [
        call(row, body, {"x-shop-sign": given}).status_code for given in (f"sha256={text}", text, text[:-1], "")
    ]

    assert statuses == [200, 200, 401, 401]


@pytest.mark.parametrize(
    ("kind", "secret", "options"),
    [("stripe", "short", {}), ("stripe", "with spaces in the secret", {}), ("hmac", "not-of-that-form-0123456789", {}),
     ("shopify", "x" * 20, {"nonsense": 1})],
)  # fmt: skip
def test_create_source_refuses_what_does_not_fit(kind, secret, options):
    with pytest.raises(BadSource):
        create_source(kind=kind, slug="a", secret=secret, options=options)

    assert Source.objects.count() == 0
