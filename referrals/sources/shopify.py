"""Shopify's webhooks: signature and translation (shopify.dev/docs/apps/build/webhooks). Pure.

Evidence comes from the order's note attributes `goodword_ref` and `goodword_click`, else from `ref` and `click`
of the address the visit began at (`landing_site`); a discount code is told as the coupon.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from referrals.sources.reading import (
    NotUnderstood,
    Options,
    Translated,
    currency_of,
    decimal_of,
    evidence_of,
    fact,
    list_of,
    moment_of,
    needed,
    section_of,
    text_of,
)

SIGNATURE = "x-shopify-hmac-sha256"
TOPIC = "x-shopify-topic"
EVENT_ID = "x-shopify-webhook-id"
ORDER_FIELDS = ("id", "name", "order_number")


def is_genuine(*, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, at: datetime) -> bool:
    """Tell whether one of the secrets signed these bytes; Shopify signs no moment, so `at` does not matter."""
    given = headers.get(SIGNATURE, "").encode()
    wanted = [base64.b64encode(hmac.digest(one.encode(), body, hashlib.sha256)) for one in secrets]
    return any(hmac.compare_digest(ours, given) for ours in wanted)


def event_key(*, headers: Mapping[str, str], value: object) -> str:
    """Return Shopify's id of the webhook, the same in every delivery of it."""
    return headers.get(EVENT_ID, "")


def topic_of(*, headers: Mapping[str, str], value: object) -> str:
    """Return the topic, such as 'orders/paid'."""
    return headers.get(TOPIC, "")


def translate(*, topic: str, value: object, options: Options) -> Translated:
    """Return the facts of a call; `NotUnderstood` where it is not in Shopify's shape."""
    if not isinstance(value, Mapping):
        raise NotUnderstood("expected a JSON object")
    if value.get("test") is True and not options.is_on("accept_test"):
        return Translated(ignored="a test order")
    work = {"orders/paid": _paid, "refunds/create": _refund, "customers/create": _signup}.get(topic)
    if work is None:
        return Translated(ignored=f"{topic or 'no topic'}: nothing follows from such a call")
    return work(value, options)


def _paid(order: Mapping[str, Any], options: Options) -> Translated:
    number = needed(order, "id")
    currency = currency_of(order, "currency")
    coupon = next((text_of(one, "code") for one in list_of(order, "discount_codes")), "")
    moment = text_of(order, "processed_at") or needed(order, "created_at")
    amount = decimal_of(order, "total_price", currency=currency)
    body = fact(
        event_id=f"shopify-order-{number}",
        type="purchase",
        occurred_at=moment_of(moment, "processed_at"),
        customer=_person(order),
        referral=evidence_of(_notes(order), address=text_of(order, "landing_site"), coupon=coupon),
        order={"id": _order_name(order, options), "amount": amount, "currency": currency},
    )
    return Translated(bodies=(body,), aliases=(number,))


def _refund(refund: Mapping[str, Any], options: Options) -> Translated:
    """What was given back: the refund's successful transactions."""
    given = [
        one
        for one in list_of(refund, "transactions")
        if text_of(one, "kind") == "refund" and text_of(one, "status") == "success"
    ]
    if not given:
        return Translated(ignored="nothing was given back")
    number, order = needed(refund, "id"), needed(refund, "order_id")
    bodies = []
    for one in given:
        currency = currency_of(one, "currency")
        amount = decimal_of(one, "amount", currency=currency)
        body = {
            "event_id": f"shopify-refund-{number}-{needed(one, 'id')}",
            "type": "refund",
            "occurred_at": moment_of(text_of(refund, "processed_at") or needed(refund, "created_at"), "processed_at"),
            "customer": {},  # a refund belongs to its order; whose it is is looked up there
            "order": {"id": order, "amount": amount, "currency": currency},
        }
        bodies.append(body)
    return Translated(bodies=tuple(bodies), order_alias=order)


def _signup(customer: Mapping[str, Any], options: Options) -> Translated:
    person = {"external_id": needed(customer, "id"), "email": text_of(customer, "email"), "name": _name(customer)}
    body = fact(
        event_id=f"shopify-customer-{person['external_id']}",
        type="signup",
        occurred_at=moment_of(needed(customer, "created_at"), "created_at"),
        customer=person,
    )
    return Translated(bodies=(body,))


def _person(order: Mapping[str, Any]) -> dict[str, str]:
    customer = section_of(order, "customer")
    email = text_of(order, "email") or text_of(order, "contact_email") or text_of(customer, "email")
    return {"external_id": text_of(customer, "id"), "email": email, "name": _name(customer)}


def _name(customer: Mapping[str, Any]) -> str:
    return f"{text_of(customer, 'first_name')} {text_of(customer, 'last_name')}".strip()


def _notes(order: Mapping[str, Any]) -> dict[str, str]:
    return {text_of(one, "name"): text_of(one, "value") for one in list_of(order, "note_attributes")}


def _order_name(order: Mapping[str, Any], options: Options) -> str:
    field = options.text("order_id", "id")
    return needed(order, field if field in ORDER_FIELDS else "id")
