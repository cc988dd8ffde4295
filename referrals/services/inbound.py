"""Webhooks in: a genuine call is stored once and answered; what it tells is recorded afterwards.

Recording is idempotent, fact by fact, so a call that was interrupted in the middle is simply taken up again.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from core import clocks
from core.doorbell import ring_on_commit
from core.errors import Refused
from referrals.facts import fact_from_json
from referrals.models import Customer, Event, InboundCall, OrderAlias, Source
from referrals.people import normalize_email
from referrals.services.events import OrderReused, record_event
from referrals.services.identities import Erased
from referrals.services.sources import secrets_of
from referrals.sources.reading import NotUnderstood, Options, Translated, section_of, text_of
from referrals.sources.registry import Tongue

KEPT = timedelta(days=90)
MAX_ATTEMPTS = 5
ORDER_AWAITED = timedelta(hours=1)
AGAIN = timedelta(minutes=5)
_ERASED = "erased with the person"
State = InboundCall.State

logger = logging.getLogger(__name__)


class BadSignature(Refused):
    """A call that no accepted secret of the source has signed."""

    code = "bad_signature"
    status = 401


class CannotRunAgain(Refused):
    """A call that was used already, or whose text is no longer kept."""

    code = "cannot_run_again"


class _Awaited(Exception):
    """The order that a refund speaks of has not been reported yet."""


@dataclass(frozen=True, slots=True)
class Received:
    """A call as it is stored, and whether it was known."""

    call: InboundCall
    duplicate: bool


def receive_call(*, source: Source, headers: Mapping[str, str], body: bytes, at: datetime) -> Received:
    """Store a genuine call once, by its hash and by the sender's id; raises `BadSignature`, of which it keeps a count.

    Header names are in lower case. Nothing is parsed before the signature has been checked.
    """
    tongue = tongue_of(source)
    if not tongue.is_genuine(secrets=secrets_of(source, at=at), headers=headers, body=body, at=clocks.real_now()):
        Source.objects.filter(pk=source.pk).update(bad_signatures=F("bad_signatures") + 1)
        raise BadSignature("no accepted secret of this source has signed this body")
    return _store(source, tongue, headers, body, at)


@transaction.atomic
def _store(source: Source, tongue: Tongue, headers: Mapping[str, str], body: bytes, at: datetime) -> Received:
    Source.objects.filter(pk=source.pk).update(last_received_at=at)
    value = _parsed(body)
    key = tongue.event_key(headers=headers, value=value).replace("\x00", "")
    topic = tongue.topic_of(headers=headers, value=value).replace("\x00", "")
    digest = digest_of(body)
    same = Q(body_sha256=digest) | (Q(provider_event_id=key) if key else Q(pk__in=[]))
    if known := InboundCall.objects.filter(same, source=source).first():
        return Received(known, duplicate=True)
    call = InboundCall(
        source=source, topic=topic, provider_event_id=key, body_sha256=digest, raw=body, received_at=at, due_at=at
    )
    try:
        with transaction.atomic():
            call.save(force_insert=True)
    except IntegrityError:
        return Received(InboundCall.objects.filter(same, source=source).get(), duplicate=True)
    ring_on_commit("referrals.tasks.translate_calls")
    return Received(call, duplicate=False)


def digest_of(body: bytes) -> str:
    """Return the SHA-256 by which a body is known for ever."""
    return hashlib.sha256(body).hexdigest()


def tongue_of(source: Source) -> Tongue:
    """Return how the source speaks."""
    return Tongue(source.kind, Options(source.options))


def translate_due(*, at: datetime, limit: int = 500) -> int:
    """Record what the calls due at `at` tell, oldest first; return how many were taken up."""
    due = InboundCall.objects.filter(state=State.DUE, due_at__lte=at).order_by("due_at", "pk")
    return sum(_take_up(pk, attempts, at) for pk, attempts in list(due.values_list("pk", "attempts")[:limit]))


def _take_up(pk: int, attempts: int, at: datetime) -> bool:
    """Claim a call, counting the try before it begins, and write down what came of it."""
    mine = InboundCall.objects.filter(pk=pk, state=State.DUE, attempts=attempts)
    if mine.update(attempts=attempts + 1, due_at=at + AGAIN * (attempts + 1)) != 1:
        return False
    call = InboundCall.objects.select_related("source").get(pk=pk)
    try:
        outcome = _record(call, at)
    except _Awaited as error:
        _settle(call, attempts=attempts, due_at=at + AGAIN, problem=str(error))
    except Erased as refusal:
        _settle(call, state=State.PROBLEM, code=refusal.code, problem=refusal.detail, raw=None)
    except Refused as refusal:
        _settle(call, state=State.PROBLEM, code=refusal.code, problem=refusal.detail[:500])
    except Exception as error:
        logger.exception("call %s of %s was not translated", call.public_id, call.source.slug)
        told = f"{type(error).__name__}: {error}"[:500]
        over = attempts + 1 >= MAX_ATTEMPTS
        _settle(call, problem=told, **({"state": State.PROBLEM, "code": "given_up"} if over else {}))
    else:
        _settle(call, **outcome)
    return True


def _settle(call: InboundCall, **changes: Any) -> None:
    InboundCall.objects.filter(pk=call.pk, state=State.DUE).update(**changes)


def _record(call: InboundCall, at: datetime) -> dict[str, Any]:
    if call.raw is None:
        raise NotUnderstood("the text of the call is no longer kept")
    value = _parsed(bytes(call.raw))
    if value is None:
        raise NotUnderstood("the body is not JSON")
    told = tongue_of(call.source).translate(topic=call.topic, value=value)
    if told.ignored:
        return {"state": State.IGNORED, "problem": told.ignored[:500], "code": ""}
    events = [_record_one(body, call, told, at) for body in told.bodies]
    _keep_aliases(call.source, told)
    return {
        "state": State.DONE,
        "problem": "",
        "code": "",
        "events": [event.event_id for event in events],
        "customer": events[0].customer_id if events else None,
    }


def _record_one(body: dict[str, Any], call: InboundCall, told: Translated, at: datetime) -> Event:
    if told.order_alias:
        body = body | {"order": body["order"] | {"id": _order_of(call, told.order_alias, at)}}
    known = _known(body, call.source)
    if known is not None:
        return known
    try:
        return _report(body, call.source, at)
    except OrderReused:
        # Whoever reported the order a moment before us may have told whose the email is.
        return _report(body, call.source, at)


def _report(body: dict[str, Any], source: Source, at: datetime) -> Event:
    fact = fact_from_json(body | {"customer": _named(body)}, now=at)
    event = record_event(fact=fact, at=at, source=source.kind).event
    if event is None:
        raise RuntimeError("a recorded fact has its event")
    return event


def _known(body: Mapping[str, Any], source: Source) -> Event | None:
    """Return the event that the same thing was recorded as, though a later call words it differently."""
    event_id = str(body.get("event_id", ""))[:200].replace("\x00", "")
    event = Event.objects.select_related("customer").filter(event_id=event_id, source=source.kind).first()
    if event is None or event.type != body.get("type"):
        return None
    before, now = section_of(event.body, "order"), section_of(body, "order")
    return event if all(before.get(name) == now.get(name) for name in ("id", "amount", "currency")) else None


def _named(body: Mapping[str, Any]) -> object:
    """Return whom the fact is about: by the id told, else the one customer with that email, else a guest."""
    person = body.get("customer")
    if not isinstance(person, Mapping) or person.get("external_id"):
        return person
    if not person:
        return _buyer_of(text_of(body, "order", "id"))
    email = normalize_email(text_of(person, "email"))
    same = Customer.objects.filter(email_normalized=email, erased_at=None).exclude(external_id__startswith="email:")
    found = list(same[:2]) if email and "\x00" not in email else []
    return {**person, "external_id": found[0].external_id} if len(found) == 1 else person


def _buyer_of(order: str) -> dict[str, str]:
    bought = Event.objects.select_related("customer").filter(type=Event.Type.PURCHASE, order_id=order).first()
    if bought is None:
        raise NotUnderstood(f"the call names nobody, and order {order!r} is not known")
    return _identity(bought.customer)


def _identity(customer: Customer) -> dict[str, str]:
    if customer.external_id.startswith("email:"):
        return {"email": customer.email}
    return {"external_id": customer.external_id}


def _order_of(call: InboundCall, alias: str, at: datetime) -> str:
    """Return the order that a refund speaks of; while it may still be on its way, wait."""
    found = OrderAlias.objects.filter(source=call.source, alias=alias).first()
    if found is not None:
        return found.order_id
    known = Event.objects.filter(type=Event.Type.PURCHASE, order_id=alias).exists()
    if not known and at - call.received_at < ORDER_AWAITED:
        raise _Awaited(f"waits for the order {alias}")
    return alias


def _keep_aliases(source: Source, told: Translated) -> None:
    orders = [body["order"]["id"] for body in told.bodies if body["type"] == Event.Type.PURCHASE and "order" in body]
    OrderAlias.objects.bulk_create(
        [
            OrderAlias(source=source, alias=alias, order_id=order)
            for order in orders[:1]
            for alias in told.aliases
            if alias != order
        ],
        ignore_conflicts=True,
    )


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


@transaction.atomic
def run_call_again(*, call: InboundCall, at: datetime) -> InboundCall:
    """Take up once more a call that could not be used or told nothing; `CannotRunAgain` otherwise."""
    again = InboundCall.objects.filter(pk=call.pk, state__in=[State.PROBLEM, State.IGNORED], raw__isnull=False)
    if again.update(state=State.DUE, attempts=0, due_at=at, problem="", code="") != 1:
        raise CannotRunAgain("only a call that was not used, and whose text is still kept, can be run again")
    ring_on_commit("referrals.tasks.translate_calls")
    call.refresh_from_db()
    return call


def purge_raw_calls(*, at: datetime) -> int:
    """Forget the texts received more than 90 days before `at`; hashes stay for ever. Return how many."""
    old = InboundCall.objects.filter(received_at__lte=at - KEPT, raw__isnull=False)
    return _forget(old, "its text was forgotten after 90 days before it was used")


@transaction.atomic
def purge_inbound_of(*, customer: Customer) -> int:
    """Forget the texts of all calls about a person, also of those that were never understood; return how many.

    Call it before the person's email and id are erased: by them the latter are found.
    """
    told = [customer.email.lower()] if customer.email else []
    unclear = InboundCall.objects.filter(customer=None, raw__isnull=False).only("pk", "raw")
    about = [
        call.pk for call in unclear.iterator(200) if _speaks_of(bytes(call.raw or b""), told, customer.external_id)
    ]
    mine = list(InboundCall.objects.filter(Q(customer=customer) | Q(pk__in=about)).values_list("pk", flat=True))
    calls = InboundCall.objects.filter(pk__in=mine)
    count = _forget(calls.filter(raw__isnull=False), _ERASED)
    calls.update(events=[])
    calls.exclude(problem="").update(problem=_ERASED)
    for text in told:
        calls.filter(provider_event_id__icontains=text).update(provider_event_id="")
        OrderAlias.objects.filter(Q(alias__icontains=text) | Q(order_id__icontains=text)).delete()
    return count


def _speaks_of(raw: bytes, told: list[str], external_id: str) -> bool:
    value = _parsed(raw)
    text = json.dumps(value, ensure_ascii=False) if value is not None else raw.decode("utf-8", "replace")
    folded = text.lower()
    return any(one in folded for one in told) or f'"{external_id}"' in text or f": {external_id}," in text


def _forget(calls: QuerySet[InboundCall], why: str) -> int:
    pks = list(calls.values_list("pk", flat=True))
    gone = InboundCall.objects.filter(pk__in=pks)
    gone.filter(state=State.DUE).update(state=State.PROBLEM, code="forgotten", problem=why)
    return gone.update(raw=None)
