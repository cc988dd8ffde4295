"""Any other system's webhooks: signed with a shared secret, read by a mapping of fields. Pure.

Options: `signature` ("standard": the headers of Standard Webhooks; "hex" or "base64": HMAC-SHA256 of the body),
`header` (default x-signature), `fields` (ours → path in their body), `constants` (ours → value), `types`
(their word → ours), `minor_units` (amounts are whole numbers of minor units). Without `fields` the body is
that of `POST /events`.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from core.webhooks import is_signed
from referrals.sources.reading import (
    NotUnderstood,
    Options,
    Translated,
    decimal_of,
    epoch_of,
    minor_text,
    moment_of,
    text_of,
    whole_of,
)

FIELDS = (
    *("event_id", "type", "occurred_at", "external_id", "email", "name", "order_id", "amount", "currency"),
    *("code", "click_id", "coupon", "channel", "event_name", "lead_id", "lead_stage"),
)
STYLES = ("standard", "hex", "base64")
DEFAULT_HEADER = "x-signature"


def is_genuine(
    *, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, at: datetime, options: Options
) -> bool:
    """Tell whether one of the secrets signed these bytes, in the style that the options name."""
    style = options.text("signature", "standard")
    if style == "standard":
        return is_signed(secrets=secrets, headers=headers, body=body, at=at)
    given = headers.get(options.text("header", DEFAULT_HEADER).lower(), "").strip()
    given = given.removeprefix("sha256=")
    wanted = [_digest(one, body, style) for one in secrets]
    return any(hmac.compare_digest(ours, given.encode()) for ours in wanted)


def _digest(secret: str, body: bytes, style: str) -> bytes:
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    return digest.hex().encode() if style == "hex" else base64.b64encode(digest)


def event_key(*, headers: Mapping[str, str], value: object, options: Options) -> str:
    """Return the sender's id of the call: Standard Webhooks' header, else the event id in the body."""
    if options.text("signature", "standard") == "standard":
        return headers.get("webhook-id", "")
    return _at(value, options.table("fields").get("event_id", "event_id"))


def topic_of(*, headers: Mapping[str, str], value: object, options: Options) -> str:
    """Return their word for what happened."""
    return _at(value, options.table("fields").get("type", "type"))


def translate(*, topic: str, value: object, options: Options) -> Translated:
    """Return the fact of a call; `NotUnderstood` where the mapping finds nothing."""
    if not isinstance(value, Mapping):
        raise NotUnderstood("expected a JSON object")
    fields, types = options.table("fields"), options.table("types")
    if not fields:
        return Translated(bodies=(dict(value),))
    told = {name: text_of(value, *path.split(".")) for name, path in fields.items() if name in FIELDS}
    told = {**options.table("constants"), **{name: text for name, text in told.items() if text}}
    if types and topic not in types and "type" not in options.table("constants"):
        return Translated(ignored=f"{topic or 'no type'}: not among the types of this source")
    told["type"] = types.get(topic, told.get("type", ""))
    return Translated(bodies=(_body(told, value, options),))


def _body(told: Mapping[str, str], value: Mapping[str, Any], options: Options) -> dict[str, Any]:
    for name in ("event_id", "type", "occurred_at"):
        if not told.get(name):
            raise NotUnderstood(f"{name} is not found; see the fields of this source")
    body: dict[str, Any] = {"event_id": told["event_id"], "type": told["type"], "occurred_at": _moment(told)}
    body["customer"] = _some(told, external_id="external_id", email="email", name="name")
    body |= (
        {"referral": evidence} if (evidence := _some(told, code="code", click_id="click_id", coupon="coupon")) else {}
    )
    body |= _some(told, channel="channel", name="event_name")
    money = _money(told, value, options)
    if told["type"] in ("lead", "lead_stage"):
        body["lead"] = _some(told, id="lead_id", stage="lead_stage")
        body["lead"] |= {"value": money["amount"], "currency": money["currency"]} if "amount" in money else {}
    elif told.get("order_id") or money:
        body["order"] = _some(told, id="order_id") | money
    return body


def _money(told: Mapping[str, str], value: Mapping[str, Any], options: Options) -> dict[str, str]:
    if not told.get("amount"):
        return {}
    currency = told.get("currency", "").upper()
    if not currency:
        raise NotUnderstood("an amount without a currency; name it in fields or constants")
    if options.is_on("minor_units"):
        return {"amount": minor_text(whole_of(told, "amount"), currency), "currency": currency}
    return {"amount": decimal_of(told, "amount", currency=currency), "currency": currency}


def _moment(told: Mapping[str, str]) -> str:
    text = told["occurred_at"]
    return epoch_of(told, "occurred_at") if text.isascii() and text.isdigit() else moment_of(text, "occurred_at")


def _some(told: Mapping[str, str], **names: str) -> dict[str, str]:
    return {ours: told[name] for ours, name in names.items() if told.get(name)}


def _at(value: object, path: str) -> str:
    return text_of(value, *path.split(".")) if isinstance(value, Mapping) else ""


def option_problems(values: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a generic source's options, in words; empty where nothing is."""
    known = {"signature", "header", "fields", "constants", "types", "minor_units"}
    found = [f"{name!r} is not an option; expected {', '.join(sorted(known))}" for name in sorted(set(values) - known)]
    if values.get("signature", "standard") not in STYLES:
        found.append(f"signature: expected one of {', '.join(STYLES)}")
    for table in ("fields", "constants"):
        given = values.get(table, {})
        if not isinstance(given, Mapping) or not all(isinstance(one, str) for one in given.values()):
            found.append(f"{table}: expected an object of texts")
            continue
        found += [f"{table}: {name!r} is not one of {', '.join(FIELDS)}" for name in given if name not in FIELDS]
    if not isinstance(values.get("types", {}), Mapping):
        found.append("types: expected an object of texts")
    return found
