"""Calls through the front door, and what became of them."""

from datetime import datetime

import time_machine
from django.test import Client

from core.clocks import clock_at
from referrals.models import Event, InboundCall, Source
from referrals.services import inbound
from tests.referrals.sources.payloads import (
    NOON,
    SHOPIFY_SECRET,
    STRIPE_SECRET,
    WOO_SECRET,
    encode,
    shopify_order,
    sign_shopify,
    sign_stripe,
    sign_woo,
    stripe_checkout,
    stripe_event,
    woo_order,
)

SECRETS = {"stripe": STRIPE_SECRET, "shopify": SHOPIFY_SECRET, "woocommerce": WOO_SECRET}


def call(source: Source, body: bytes, headers: dict, *, at: datetime = NOON):
    with time_machine.travel(at, tick=False):
        return Client().post(
            f"/in/{source.kind}/{source.slug}/", body, content_type="application/json", headers=headers
        )


def translate(*, at: datetime) -> int:
    """Do what is due at `at`, with the clock of the run."""
    with clock_at(at):
        return inbound.translate_due(at=at)


def paid(**changes) -> bytes:
    return encode(stripe_event("checkout.session.completed", stripe_checkout(**changes)))


def outcomes():
    return list(InboundCall.objects.order_by("pk").values_list("state", "code"))


def counts():
    return InboundCall.objects.count(), Event.objects.count()


def flipped(body: bytes, place: int) -> bytes:
    changed = bytearray(body)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def signed(kind: str, secret: str = "") -> tuple[bytes, dict]:
    secret = secret or SECRETS[kind]
    if kind == "stripe":
        body = paid()
        return body, sign_stripe(body, secret=secret)
    if kind == "shopify":
        body = encode(shopify_order())
        return body, sign_shopify(body, "orders/paid", secret=secret)
    body = encode(woo_order())
    return body, sign_woo(body, "order.updated", secret=secret)
