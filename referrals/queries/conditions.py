"""What conditions see: the values of an event, its friend and the advocate, by the names of `referrals.terms`."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from core.money import to_units
from referrals.conditions import Value
from referrals.models import Customer, Event, Referral


def event_values(event: Event, referral: Referral) -> dict[str, Value]:
    """Return what a reward's `when` may ask of an event of the referral's friend; the referral's channel goes first."""
    body: dict[str, Any] = event.body if isinstance(event.body, dict) else {}
    order = body.get("order") or {}
    return {
        "channel": referral.channel or event.channel or None,
        "method": referral.method,
        "event.type": event.type,
        "event.name": event.name or None,
        **dict(_attributes("event", body.get("attributes"))),
        **(_order(event, order) if event.type == Event.Type.PURCHASE else {}),
        **customer_values(referral.friend),
        **customer_values(referral.advocate, who="advocate"),
    }


def customer_values(customer: Customer, *, who: str = "customer") -> dict[str, Value]:
    """Return what a condition may ask of a person, under the name of their part."""
    _, at, domain = customer.email.rpartition("@")
    return {
        f"{who}.locale": customer.locale or None,
        f"{who}.email_domain": domain.lower() if at else None,
        **dict(_attributes(who, customer.attributes)),
    }


def _order(event: Event, order: Mapping[str, Any]) -> dict[str, Value]:
    return {
        "order.amount": to_units(event.amount_minor or 0, event.currency),
        "order.currency": event.currency,
        "order.discount": _decimal(order.get("discount")),
        "order.margin": _decimal(order.get("margin")),
    }


def _decimal(told: object) -> Decimal | None:
    try:
        return Decimal(told) if isinstance(told, str) else None
    except InvalidOperation:
        return None


def _attributes(who: str, given: object) -> Iterator[tuple[str, Value]]:
    if not isinstance(given, dict):
        return
    for name, value in given.items():
        if isinstance(value, float):
            value = Decimal(str(value))
        if isinstance(value, str | int | bool | Decimal):
            yield f"{who}.attributes.{name}", value
