"""WooCommerce's webhooks: signature and translation (woocommerce.com/document/webhooks). Pure.

An order is a purchase once it is `processing` or `completed`, each of its refunds a refund, whichever topic
tells of it. Evidence comes from the order's meta `goodword_ref` and `goodword_click`, else from `ref` and
`click` of the address the visit began at; a coupon line is told as the coupon.
"""

import base64
import hashlib
import hmac
import re
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

SIGNATURE = "x-wc-webhook-signature"
TOPIC = "x-wc-webhook-topic"
EVENT_ID = "x-wc-webhook-delivery-id"
ENTRY = "_wc_order_attribution_session_entry"
ORDER_FIELDS = ("id", "number")
PAID = frozenset({"processing", "completed", "refunded"})
_PING = re.compile(rb"webhook_id=[0-9]{1,20}")


def is_ping(body: bytes) -> bool:
    """Tell whether this is the unsigned call by which WooCommerce tries a new address out."""
    return _PING.fullmatch(body) is not None


def is_genuine(*, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, at: datetime) -> bool:
    """Tell whether one of the secrets signed these bytes; no moment is signed, so `at` does not matter."""
    given = headers.get(SIGNATURE, "").encode()
    wanted = [base64.b64encode(hmac.digest(one.encode(), body, hashlib.sha256)) for one in secrets]
    return any(hmac.compare_digest(ours, given) for ours in wanted)


def event_key(*, headers: Mapping[str, str], value: object) -> str:
    """Return WooCommerce's id of the delivery."""
    return headers.get(EVENT_ID, "")


def topic_of(*, headers: Mapping[str, str], value: object) -> str:
    """Return the topic, such as 'order.updated'."""
    return headers.get(TOPIC, "")


def translate(*, topic: str, value: object, options: Options) -> Translated:
    """Return the facts of a call; `NotUnderstood` where it is not in WooCommerce's shape."""
    if not isinstance(value, Mapping):
        raise NotUnderstood("expected a JSON object")
    if topic.startswith("order."):
        return _order(value, options)
    if topic == "customer.created":
        return _signup(value)
    return Translated(ignored=f"{topic or 'no topic'}: nothing follows from such a call")


def _order(order: Mapping[str, Any], options: Options) -> Translated:
    status = text_of(order, "status").removeprefix("wc-")
    if status not in PAID:
        return Translated(ignored=f"the order is {status or 'deleted'}: not paid")
    number, currency = needed(order, "id"), currency_of(order, "currency")
    field = options.text("order_id", "id")
    name = needed(order, field if field in ORDER_FIELDS else "id")
    person = _person(order)
    coupon = next((text_of(one, "code") for one in list_of(order, "coupon_lines")), "")
    paid_at = text_of(order, "date_paid_gmt") or needed(order, "date_created_gmt")
    purchase = fact(
        event_id=f"woocommerce-order-{number}",
        type="purchase",
        occurred_at=moment_of(paid_at, "date_paid_gmt"),
        customer=person,
        referral=evidence_of(_meta(order), address=_meta(order).get(ENTRY, ""), coupon=coupon),
        order={"id": name, "amount": decimal_of(order, "total", currency=currency), "currency": currency},
    )
    refunds = [
        fact(
            event_id=f"woocommerce-refund-{key}",
            type="refund",
            occurred_at=moment_of(text_of(order, "date_modified_gmt") or paid_at, "date_modified_gmt"),
            customer=person,
            order={"id": name, "amount": amount, "currency": currency},
        )
        for key, amount in _refunds(order, status, currency)
    ]
    return Translated(bodies=(purchase, *refunds), aliases=(number,))


def _refunds(order: Mapping[str, Any], status: str, currency: str) -> list[tuple[str, str]]:
    told = [(needed(one, "id"), decimal_of(one, "total", currency=currency)) for one in list_of(order, "refunds")]
    if not told and status == "refunded":
        return [(f"order-{needed(order, 'id')}", decimal_of(order, "total", currency=currency))]
    return [(key, amount) for key, amount in told if amount.strip("0.")]


def _signup(customer: Mapping[str, Any]) -> Translated:
    number = needed(customer, "id")
    body = fact(
        event_id=f"woocommerce-customer-{number}",
        type="signup",
        occurred_at=moment_of(needed(customer, "date_created_gmt"), "date_created_gmt"),
        customer={"external_id": number, "email": text_of(customer, "email"), "name": _name(customer)},
        referral=evidence_of(_meta(customer)),
    )
    return Translated(bodies=(body,))


def _person(order: Mapping[str, Any]) -> dict[str, str]:
    number = text_of(order, "customer_id")
    billing = section_of(order, "billing")
    own = number if number not in ("", "0") else ""  # 0: a guest, known by the email alone
    return {"external_id": own, "email": text_of(billing, "email"), "name": _name(billing)}


def _name(person: Mapping[str, Any]) -> str:
    return f"{text_of(person, 'first_name')} {text_of(person, 'last_name')}".strip()


def _meta(thing: Mapping[str, Any]) -> dict[str, str]:
    return {text_of(one, "key"): text_of(one, "value") for one in list_of(thing, "meta_data")}
