"""Stripe's webhooks: signature and translation (docs.stripe.com/webhooks). Pure.

Evidence comes from `metadata` of the checkout session, payment or invoice: `goodword_ref`, `goodword_click`,
`goodword_customer` (the shop's own id of the person) and `order_id` (the shop's own id of the order).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.money import exponent_of
from referrals.sources.reading import (
    CUSTOMER_KEYS,
    NotUnderstood,
    Options,
    Translated,
    currency_of,
    epoch_of,
    evidence_of,
    fact,
    list_of,
    minor_text,
    needed,
    section_of,
    text_of,
    whole_of,
)

SIGNATURE = "stripe-signature"
TOLERANCE = timedelta(seconds=300)
# docs.stripe.com/currencies: amounts come in whole units; ISK and UGX, though without decimals, come in hundredths.
_WHOLE = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_THOUSANDTHS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


def is_genuine(*, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, at: datetime) -> bool:
    """Tell whether one of the secrets signed these bytes at most 300 s from `at`; any of several `v1` will do."""
    pairs = [part.strip().partition("=") for part in headers.get(SIGNATURE, "").split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    given = [value.encode() for name, _, value in pairs if name == "v1"]
    if len(stamps) != 1 or not re.fullmatch(r"[0-9]{1,12}", stamps[0]):
        return False
    if abs(at.timestamp() - int(stamps[0])) > TOLERANCE.total_seconds():
        return False
    signed = f"{stamps[0]}.".encode() + body
    wanted = [hmac.new(one.encode(), signed, hashlib.sha256).hexdigest().encode() for one in secrets]
    return any(hmac.compare_digest(ours, theirs) for ours in wanted for theirs in given)


def event_key(*, headers: Mapping[str, str], value: object) -> str:
    """Return Stripe's id of the event ('evt_…'), the same in every delivery though the body changes."""
    return text_of(value, "id") if isinstance(value, Mapping) else ""


def topic_of(*, headers: Mapping[str, str], value: object) -> str:
    """Return the type of the event, such as 'invoice.paid'."""
    return text_of(value, "type") if isinstance(value, Mapping) else ""


def translate(*, topic: str, value: object, options: Options) -> Translated:
    """Return the facts of an event; `NotUnderstood` where it is not in Stripe's shape."""
    if not isinstance(value, Mapping):
        raise NotUnderstood("expected a JSON object")
    if value.get("livemode") is False and not options.is_on("accept_test"):
        return Translated(ignored="made in test mode")
    work = _TRANSLATORS.get(topic)
    if work is None:
        return Translated(ignored=f"{topic or 'no type'}: nothing follows from such an event")
    return work(value, section_of(value, "data", "object"), options)


def _checkout(event: Mapping[str, Any], session: Mapping[str, Any], options: Options) -> Translated:
    if text_of(session, "mode") == "setup":
        return Translated(ignored="a checkout that takes no payment")
    if text_of(session, "payment_status") not in ("paid", "no_payment_required"):
        return Translated(ignored=f"not paid yet ({text_of(session, 'payment_status') or 'unknown'})")
    names = (_id_of(session, "payment_intent"), _id_of(session, "invoice"), needed(session, "id"))
    meta = section_of(session, "metadata")
    return _purchase(event, session, options, meta=meta, names=names, amount="amount_total", buyer=_session_buyer)


def _invoice(event: Mapping[str, Any], invoice: Mapping[str, Any], options: Options) -> Translated:
    payments = [
        _id_of(section_of(one, "payment"), "payment_intent") for one in list_of(section_of(invoice, "payments"), "data")
    ]
    names = (needed(invoice, "id"), _id_of(invoice, "payment_intent"), _id_of(invoice, "charge"), *payments)
    subscription = section_of(invoice, "subscription_details", "metadata") or section_of(
        invoice, "parent", "subscription_details", "metadata"
    )
    # A subscription's metadata names who brought the person, never the order of each month.
    inherited = {name: one for name, one in subscription.items() if name != "order_id"}
    meta = {**inherited, **section_of(invoice, "metadata")}
    return _purchase(event, invoice, options, meta=meta, names=names, amount="amount_paid", buyer=_invoice_buyer)


def _purchase(
    event: Mapping[str, Any],
    thing: Mapping[str, Any],
    options: Options,
    *,
    meta: Mapping[str, Any],
    names: tuple[str, ...],
    amount: str,
    buyer: Any,
) -> Translated:
    aliases = tuple(dict.fromkeys(name for name in names if name))
    order_id = text_of(meta, "order_id") or (_id_of(thing, "invoice") or aliases[0])
    order = {"id": order_id} | _money(thing, amount)
    body = fact(
        event_id=f"stripe-{needed(event, 'id')}",
        type="purchase",
        occurred_at=epoch_of(event, "created"),
        customer=_person(thing, meta, options) | buyer(thing),
        referral=evidence_of(_texts(meta)),
        order=order,
    )
    return Translated(bodies=(body,), aliases=aliases)


def _refund(event: Mapping[str, Any], charge: Mapping[str, Any], options: Options) -> Translated:
    """What this event gave back: the charge names the sum so far, and what it was before."""
    before = section_of(event, "data", "previous_attributes")
    currency = currency_of(charge, "currency")
    minor = whole_of(charge, "amount_refunded") - (whole_of(before, "amount_refunded") if before else 0)
    if minor <= 0:
        return Translated(ignored="nothing was given back")
    meta = section_of(charge, "metadata")
    alias = _id_of(charge, "invoice") or _id_of(charge, "payment_intent") or needed(charge, "id")
    body = fact(
        event_id=f"stripe-{needed(event, 'id')}",
        type="refund",
        occurred_at=epoch_of(event, "created"),
        customer=_person(charge, meta, options)
        | {"email": text_of(charge, "billing_details", "email") or text_of(charge, "receipt_email")},
        order={"id": text_of(meta, "order_id") or alias, "amount": _amount(minor, currency), "currency": currency},
    )
    return Translated(bodies=(body,), order_alias="" if text_of(meta, "order_id") else alias)


def _signup(event: Mapping[str, Any], customer: Mapping[str, Any], options: Options) -> Translated:
    meta = section_of(customer, "metadata")
    person = _person(customer, meta, options)
    person |= {"email": text_of(customer, "email"), "name": text_of(customer, "name")}
    if not (person.get("external_id") or person["email"]):
        return Translated(ignored="a customer without an email")
    body = fact(
        event_id=f"stripe-{needed(event, 'id')}",
        type="signup",
        occurred_at=epoch_of(event, "created"),
        customer=person,
        referral=evidence_of(_texts(meta)),
    )
    return Translated(bodies=(body,))


def _person(thing: Mapping[str, Any], meta: Mapping[str, Any], options: Options) -> dict[str, str]:
    """Return the shop's own id of the person where one is told; else the email alone names them."""
    own = next((text_of(meta, key) for key in CUSTOMER_KEYS if text_of(meta, key)), "")
    if not own and options.text("customer") == "client_reference_id":
        own = text_of(thing, "client_reference_id")
    return {"external_id": own}


def _payments(invoice: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list_of(section_of(invoice, "payments"), "data")


def _session_buyer(session: Mapping[str, Any]) -> dict[str, str]:
    email = text_of(session, "customer_details", "email") or text_of(session, "customer_email")
    return {"email": email, "name": text_of(session, "customer_details", "name")}


def _invoice_buyer(invoice: Mapping[str, Any]) -> dict[str, str]:
    return {"email": text_of(invoice, "customer_email"), "name": text_of(invoice, "customer_name")}


def _id_of(source: Mapping[str, Any], name: str) -> str:
    """Return an id that may come alone or as the expanded object."""
    return text_of(source, name) or text_of(source, name, "id")


def _texts(meta: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): text_of(meta, name) for name in meta}


def _money(source: Mapping[str, Any], name: str) -> dict[str, str]:
    currency = currency_of(source, "currency")
    return {"amount": _amount(whole_of(source, name), currency), "currency": currency}


def _amount(stripe_minor: int, currency: str) -> str:
    """Return Stripe's whole number of minor units as the decimal text of an amount."""
    theirs = 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2
    minor = Decimal(stripe_minor).scaleb(exponent_of(currency) - theirs)
    if minor != int(minor):
        raise NotUnderstood(f"{stripe_minor} is no amount in {currency}, which has {exponent_of(currency)} decimals")
    return minor_text(int(minor), currency)


_TRANSLATORS = {
    "checkout.session.completed": _checkout,
    "checkout.session.async_payment_succeeded": _checkout,
    "invoice.paid": _invoice,
    "charge.refunded": _refund,
    "customer.created": _signup,
}
