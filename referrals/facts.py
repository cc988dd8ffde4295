"""Facts as the company reports them: one validation for the API, files and webhooks."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from core.errors import Invalid
from core.money import exponent_of, to_minor
from referrals.people import is_email

TYPES = ("signup", "purchase", "refund", "lead", "lead_stage", "support_closed", "custom")
STAGES = ("enquiry", "lead", "qualified", "won", "lost")
AHEAD = timedelta(hours=24)
_ORDER = {"purchase", "refund"}
_LEAD = {"lead", "lead_stage"}
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a body: the JSON pointer of the field and what was expected."""

    pointer: str
    detail: str


class BadFact(Invalid):
    """A reported fact that is not one: every problem found, with its pointer."""

    code = "invalid_event"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.pointer}: {p.detail}" for p in problems), pointer=problems[0].pointer)
        self.problems = problems

    @property
    def errors(self) -> list[tuple[str, str]]:
        """Every (pointer, detail) that is wrong."""
        return [(problem.pointer, problem.detail) for problem in self.problems]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A validated fact; `body` is the JSON value as sent, `fingerprint` its SHA-256 in canonical form.

    `external_id` is '' for a guest known by email alone. `amount_minor` is in minor units of `currency`:
    what was paid or given back, or a lead's value.
    """

    event_id: str
    type: str
    occurred_at: datetime
    external_id: str
    email: str
    name: str
    event_name: str = ""
    code: str = ""
    click_id: str = ""
    coupon: str = ""
    order_id: str = ""
    amount_minor: int | None = None
    currency: str = ""
    lead_id: str = ""
    lead_stage: str = ""
    channel: str = ""
    body: dict[str, Any]
    fingerprint: str


def fingerprint_of(body: object) -> str:
    """Return the SHA-256 of a JSON value, the same for the same value whatever its key order."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


class _Reader:
    """Reads fields of a body and collects what is wrong."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.problems: list[Problem] = []

    def wrong(self, pointer: str, detail: str) -> None:
        self.problems.append(Problem(pointer, detail))

    def section(self, name: str, allowed: set[str]) -> dict[str, Any]:
        value = self.body.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.wrong(f"/{name}", "expected an object")
            return {}
        self.unknown(value, allowed, f"/{name}")
        return value

    def unknown(self, value: dict[str, Any], allowed: set[str], pointer: str) -> None:
        for key in sorted(set(value) - allowed):
            self.wrong(f"{pointer}/{_escape(key)}", f"unknown field; expected one of {', '.join(sorted(allowed))}")

    def text(self, source: dict[str, Any], key: str, pointer: str, *, most: int, needed: bool = False) -> str:
        value = source.get(key)
        if value is None:
            if needed:
                self.wrong(pointer, "this field is required")
            return ""
        if not isinstance(value, str):
            self.wrong(pointer, "expected text")
            return ""
        return self._bounded(value, pointer, most, needed=needed)

    def _bounded(self, value: str, pointer: str, most: int, *, needed: bool) -> str:
        if any(ord(sign) < 32 or ord(sign) == 127 or 0xD800 <= ord(sign) <= 0xDFFF for sign in value):
            self.wrong(pointer, "control characters are not allowed")
        elif len(value) > most:
            self.wrong(pointer, f"expected at most {most} characters")
        elif needed and not value.strip():
            self.wrong(pointer, "this field may not be empty")
        else:
            return value.strip()
        return ""

    def choice(self, value: str, options: tuple[str, ...], pointer: str) -> None:
        if value and value not in options:
            self.wrong(pointer, f"{value!r} is not one of {', '.join(options)}")

    def attempt(self, pointer: str, read: Callable[[], Any], default: Any) -> Any:
        try:
            return read()
        except Invalid as error:
            self.wrong(pointer, error.detail)
            return default


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")[:100]


_TOP = {"event_id", "type", "name", "occurred_at", "customer", "referral", "order", "lead", "channel", "attributes"}


def fact_from_json(body: object, *, now: datetime) -> Fact:
    """Return the fact that a JSON value states; `BadFact` names every problem with its pointer.

    `now` bounds `occurred_at`: any past date is accepted, more than 24 hours ahead is not.
    """
    if not isinstance(body, dict):
        raise BadFact([Problem("", "expected a JSON object")])
    reader = _Reader(body)
    reader.unknown(body, _TOP, "")
    fields: dict[str, Any] = {
        "event_id": reader.text(body, "event_id", "/event_id", most=200, needed=True),
        "type": reader.text(body, "type", "/type", most=40, needed=True),
        "channel": reader.text(body, "channel", "/channel", most=20).lower(),
        "occurred_at": _occurred_at(reader, now),
    }
    reader.choice(fields["type"], TYPES, "/type")
    fields |= _customer(reader) | _referral(reader) | _event_name(reader, fields["type"])
    fields |= _order(reader, fields["type"]) or _lead(reader, fields["type"])
    _attributes(reader)
    if reader.problems:
        raise BadFact(reader.problems)
    return Fact(**fields, body=body, fingerprint=fingerprint_of(body))


def _attributes(reader: _Reader) -> None:
    value = reader.body.get("attributes")
    if value is None:
        return
    if not isinstance(value, dict):
        reader.wrong("/attributes", "expected an object")
        return
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        storable = "\\u0000" not in text and bool(text.encode())
    except (UnicodeEncodeError, ValueError):
        storable = False
    if not storable:
        reader.wrong("/attributes", "NUL characters, lone surrogates and infinite numbers are not allowed")


def _occurred_at(reader: _Reader, now: datetime) -> datetime:
    text = reader.text(reader.body, "occurred_at", "/occurred_at", most=40, needed=True)
    if not text:
        return now
    try:
        at = datetime.fromisoformat(text)
        aware = at.tzinfo is not None and at.utcoffset() is not None and at.timestamp() > -62_000_000_000
    except (ValueError, OverflowError):
        aware = False
    if not aware:
        reader.wrong("/occurred_at", "expected an ISO 8601 date and time with zone, such as 2026-03-01T10:00:00Z")
        return now
    if at > now + AHEAD:
        reader.wrong("/occurred_at", "lies more than 24 hours ahead")
    return at


def _customer(reader: _Reader) -> dict[str, Any]:
    if reader.body.get("customer") is None:
        reader.wrong("/customer", "this field is required")
        return {}
    customer = reader.section("customer", {"external_id", "email", "name"})
    external_id = reader.text(customer, "external_id", "/customer/external_id", most=200)
    email = reader.text(customer, "email", "/customer/email", most=254)
    if email and not is_email(email):
        reader.wrong("/customer/email", f"{email!r} is not an email address")
    if external_id.startswith("erased:"):
        reader.wrong("/customer/external_id", "'erased:' is kept for who was erased")
    if external_id.startswith("email:"):
        reader.wrong("/customer/external_id", "'email:' is kept for guests; send the email alone")
    if not external_id and not email:
        reader.wrong("/customer/external_id", "this field is required (or, for a guest, customer.email)")
    name = reader.text(customer, "name", "/customer/name", most=200)
    return {"external_id": external_id, "email": email, "name": name}


def _referral(reader: _Reader) -> dict[str, Any]:
    referral = reader.section("referral", {"code", "click_id", "coupon"})
    return {key: reader.text(referral, key, f"/referral/{key}", most=64) for key in ("code", "click_id", "coupon")}


def _event_name(reader: _Reader, kind: str) -> dict[str, Any]:
    name = reader.text(reader.body, "name", "/name", most=60, needed=kind == "custom")
    if name and kind != "custom":
        reader.wrong("/name", "only a custom event has a name")
    elif name and not _NAME.match(name):
        reader.wrong("/name", "expected letters, digits, '_', '.' or '-'")
    return {"event_name": name}


def _order(reader: _Reader, kind: str) -> dict[str, Any]:
    if reader.body.get("order") is None:
        if kind in _ORDER:
            reader.wrong("/order", f"a {kind} needs its order")
        return {}
    order = reader.section("order", {"id", "amount", "currency", "discount", "margin"})
    if kind not in _ORDER:
        reader.wrong("/order", "only a purchase or a refund has an order")
        return {}
    order_id = reader.text(order, "id", "/order/id", most=200, needed=True)
    return {"order_id": order_id} | _amount(
        reader, order, "/order", "amount", needed=True, extras=("discount", "margin")
    )


def _amount(
    reader: _Reader, source: dict[str, Any], pointer: str, key: str, *, needed: bool, extras: tuple[str, ...] = ()
) -> dict[str, Any]:
    text = reader.text(source, key, f"{pointer}/{key}", most=40, needed=needed)
    currency = reader.text(source, "currency", f"{pointer}/currency", most=3, needed=needed or bool(text))
    if not currency or reader.attempt(f"{pointer}/currency", lambda: exponent_of(currency), None) is None:
        return {}
    for extra in extras:
        more = reader.text(source, extra, f"{pointer}/{extra}", most=40)
        if more:
            reader.attempt(f"{pointer}/{extra}", partial(to_minor, more.removeprefix("-"), currency), 0)
    if not text:
        return {}
    return {
        "currency": currency,
        "amount_minor": reader.attempt(f"{pointer}/{key}", lambda: to_minor(text, currency), 0),
    }


def _lead(reader: _Reader, kind: str) -> dict[str, Any]:
    if reader.body.get("lead") is None:
        if kind in _LEAD:
            reader.wrong("/lead", f"a {kind} event needs its lead")
        return {}
    lead = reader.section("lead", {"id", "stage", "value", "currency"})
    if kind not in _LEAD:
        reader.wrong("/lead", "only a lead or lead_stage event has a lead")
        return {}
    stage = reader.text(lead, "stage", "/lead/stage", most=12, needed=True)
    reader.choice(stage, STAGES, "/lead/stage")
    found = {"lead_id": reader.text(lead, "id", "/lead/id", most=200, needed=True), "lead_stage": stage}
    return found | _amount(reader, lead, "/lead", "value", needed=False)
