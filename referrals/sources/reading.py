"""What the translators of webhooks have in common: what they return, and careful reading of strangers' JSON. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from core.errors import Invalid
from core.money import MAX_MINOR, exponent_of, to_text

CODE_KEYS = ("goodword_ref", "_goodword_ref", "ref")
CLICK_KEYS = ("goodword_click", "_goodword_click", "click")
CUSTOMER_KEYS = ("goodword_customer", "customer_id")
_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,12})?")


class NotUnderstood(Invalid):
    """A call whose body is not in the shape that its source documents; the detail says what was missing."""

    code = "not_understood"


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """The facts of a call as bodies of `POST /events`, in their order; none, and why, where it is none of ours.

    `aliases` are other names the provider has for the order (a payment, an invoice), by which later calls
    may speak of it. `order_alias` is such a name, where a refund knows no other.
    """

    bodies: tuple[dict[str, Any], ...] = ()
    ignored: str = ""
    aliases: tuple[str, ...] = ()
    order_alias: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What the staff set for a source; every translator takes what concerns it."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """Return a text among the options."""
        value = self.values.get(name, default)
        return value if isinstance(value, str) else default

    def is_on(self, name: str) -> bool:
        """Return whether an option is switched on."""
        return self.values.get(name) is True

    def table(self, name: str) -> Mapping[str, str]:
        """Return a table of texts among the options."""
        value = self.values.get(name)
        return {str(key): str(one) for key, one in value.items()} if isinstance(value, Mapping) else {}


def text_of(source: Mapping[str, Any], *path: str) -> str:
    """Return the text or number at a path as text, '' where there is none."""
    value: Any = source
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def section_of(source: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return the object at a path, an empty one where there is none."""
    value: Any = source
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def list_of(source: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the objects in a list, none where there is none."""
    value = source.get(name)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def needed(source: Mapping[str, Any], *path: str) -> str:
    """Return the text at a path; `NotUnderstood` where there is none."""
    found = text_of(source, *path)
    if not found:
        raise NotUnderstood(f"{'.'.join(path)} is missing")
    return found


def whole_of(source: Mapping[str, Any], *path: str) -> int:
    """Return the whole number at a path; `NotUnderstood` for anything else."""
    text = needed(source, *path)
    if not re.fullmatch(r"-?[0-9]{1,16}", text):
        raise NotUnderstood(f"{'.'.join(path)}: expected a whole number, got {text!r}")
    return int(text)


def decimal_of(source: Mapping[str, Any], *path: str, currency: str) -> str:
    """Return the decimal amount at a path with the currency's decimals; further zeros are dropped, a sign too."""
    text = needed(source, *path).removeprefix("-")
    if not _DECIMAL.fullmatch(text):
        raise NotUnderstood(f"{'.'.join(path)}: expected an amount, got {text!r}")
    whole, _, fraction = text.partition(".")
    places = exponent_of(currency)
    if fraction[places:].strip("0"):
        raise NotUnderstood(f"{'.'.join(path)}: {currency} has {places} decimals, {text!r} has more")
    fraction = fraction[:places].ljust(places, "0")
    return f"{int(whole)}.{fraction}" if places else str(int(whole))


def minor_text(minor: int, currency: str) -> str:
    """Return a whole number of ISO minor units as the decimal text of an amount."""
    if not 0 <= minor <= MAX_MINOR:
        raise NotUnderstood(f"expected an amount of 0 or more, got {minor}")
    return to_text(minor, currency)


def currency_of(source: Mapping[str, Any], *path: str) -> str:
    """Return the ISO 4217 currency at a path in capitals; `Invalid` for an unknown one."""
    currency = needed(source, *path).upper()
    exponent_of(currency)
    return currency


def moment_of(text: str, what: str) -> str:
    """Return a moment as ISO 8601 with zone, UTC where it names none; `NotUnderstood` where it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise NotUnderstood(f"{what}: expected a moment such as 2026-03-01T10:00:00Z, got {text!r}") from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).isoformat()


def epoch_of(source: Mapping[str, Any], *path: str) -> str:
    """Return a moment given in seconds since 1970 as ISO 8601."""
    return datetime.fromtimestamp(min(whole_of(source, *path), 32_503_680_000), UTC).isoformat()


def evidence_of(*sources: Mapping[str, str], address: str = "", coupon: str = "") -> dict[str, str]:
    """Return the `referral` of a fact: code and click from the first source that has them, then from an address."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()} if address else {}
    found: dict[str, str] = {}
    for name, keys in (("code", CODE_KEYS), ("click_id", CLICK_KEYS)):
        value = next((one[key] for one in (*sources, query) for key in keys if one.get(key)), "")
        if value:
            found[name] = value[:64]
    if coupon:
        found["coupon"] = coupon[:64]
    return found


def fact(
    *,
    event_id: str,
    type: str,
    occurred_at: str,
    customer: Mapping[str, str],
    referral: Mapping[str, str] | None = None,
    order: Mapping[str, str] | None = None,
    channel: str = "",
) -> dict[str, Any]:
    """Return the body of a fact; a customer of whom neither id nor email is known is `NotUnderstood`."""
    told = {name: value for name, value in customer.items() if value}
    if not (told.get("external_id") or told.get("email")):
        raise NotUnderstood("neither an id nor an email of the customer is given")
    body: dict[str, Any] = {"event_id": event_id, "type": type, "occurred_at": occurred_at, "customer": told}
    body |= {"referral": dict(referral)} if referral else {}
    body |= {"order": dict(order)} if order else {}
    body |= {"channel": channel} if channel else {}
    return body
