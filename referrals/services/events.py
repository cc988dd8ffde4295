"""Recording facts: once for ever by their id, each with its decision in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from core.dispatch import publish
from core.errors import Refused
from core.retrying import with_retries
from referrals.events import EventRecorded
from referrals.facts import Fact, fact_from_json
from referrals.models import Customer, Event
from referrals.people import normalize_email


class EventReused(Refused):
    """The event id was used before for another fact."""

    code = "event_id_reused"


class OrderReused(Refused):
    """The order was bought before, by another customer or for another amount."""

    code = "order_id_reused"


class Erased(Refused):
    """The person was erased; nothing more is stored about them."""

    code = "erased"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one reported fact: its Event and whether it was known already, or why it was refused."""

    event: Event | None
    duplicate: bool = False
    refusal: Refused | None = None


def guest_keys(email: str) -> list[str]:
    """Return the keyed hashes under which a guest's email may be known, the current key's first."""
    text = email.strip().lower()
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [
        "email:" + salted_hmac("referrals.guest", text, secret=key, algorithm="sha256").hexdigest()[:40] for key in keys
    ]


def erased_keys(external_id: str) -> list[str]:
    """Return the keyed hashes under which an erased person's id, where it was an address, may be kept."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [
        "erased:" + salted_hmac("referrals.erased", external_id, secret=key, algorithm="sha256").hexdigest()[:40]
        for key in keys
    ]


def refuse_erased(external_id: str) -> None:
    """Raise `Erased` for the address-like id of somebody who was erased."""
    if "@" in external_id and Customer.objects.filter(external_id__in=erased_keys(external_id)).exists():
        raise Erased("this customer was erased", pointer="/customer/external_id")


def record_event(*, fact: Fact, at: datetime, source: str = "api") -> Recorded:
    """Store the fact and decide what follows from it, in one transaction, tried again where it gives way to others.

    The same fact again is a duplicate and changes nothing. Raises `EventReused`, `OrderReused`, `Erased`.
    """
    recorded: Recorded = with_retries(lambda: _record(fact, at, source))
    return recorded


@transaction.atomic
def _record(fact: Fact, at: datetime, source: str) -> Recorded:
    if known := _known(fact):
        return _name_guest(known, fact)
    try:
        with transaction.atomic():  # where another door was faster, nobody has come to be known by this one
            customer = _customer_of(fact)
            event = Event.objects.create(customer=customer, source=source, received_at=at, **_columns(fact))
    except IntegrityError:
        known = _known(fact)
        if known is None:
            raise
        return _name_guest(known, fact)
    publish(EventRecorded(subject=f"event:{event.pk}", event=event.pk, type=fact.type, source=source))
    if fact.code or fact.click_id or fact.coupon or fact.type == Event.Type.REFUND:
        event.refresh_from_db(fields=["warnings"])
    return Recorded(event)


def record_events(*, facts: Sequence[object], at: datetime, source: str = "api") -> list[Recorded]:
    """Record JSON facts in their order, each exactly as if it had come alone; one bad fact spoils no other."""
    return [_record_one(body, at=at, source=source) for body in facts]


def _record_one(body: object, *, at: datetime, source: str) -> Recorded:
    try:
        return record_event(fact=fact_from_json(body, now=at), at=at, source=source)
    except Refused as refusal:
        return Recorded(None, refusal=refusal)


def _columns(fact: Fact) -> dict[str, object]:
    return {
        "event_id": fact.event_id,
        "type": fact.type,
        "name": fact.event_name,
        "occurred_at": fact.occurred_at,
        "order_id": fact.order_id,
        "amount_minor": fact.amount_minor,
        "currency": fact.currency,
        "code": fact.code,
        "click_id": fact.click_id,
        "coupon": fact.coupon,
        "channel": fact.channel,
        "lead_id": fact.lead_id,
        "lead_stage": fact.lead_stage,
        "body": fact.body,
        "fingerprint": fact.fingerprint,
    }


def _known(fact: Fact) -> Recorded | None:
    """Return the event that the fact repeats, by its id or, a purchase, by its order; None for a new fact."""
    same = Q(event_id=fact.event_id)
    if fact.type == Event.Type.PURCHASE:
        same |= Q(type=Event.Type.PURCHASE, order_id=fact.order_id)
    events = list(Event.objects.select_related("customer").filter(same))
    for event in events:
        if event.event_id == fact.event_id:
            if event.fingerprint != fact.fingerprint:
                raise EventReused(f"event_id {fact.event_id!r} was already used for another event", pointer="/event_id")
            return Recorded(event, duplicate=True)
    for event in events:
        if not _is_same_order(event, fact):
            raise OrderReused(
                f"order {fact.order_id!r} was already bought as event {event.event_id!r}", pointer="/order/id"
            )
        return Recorded(event, duplicate=True)
    return None


def _is_same_order(event: Event, fact: Fact) -> bool:
    if (event.amount_minor, event.currency) != (fact.amount_minor, fact.currency):
        return False
    return event.customer.external_id == fact.external_id or _is_same_guest(event, fact)


def _is_same_guest(event: Event, fact: Fact) -> bool:
    """Tell whether one of the two knows the buyer by the email alone, and it is the other's."""
    buyer = event.customer
    if fact.external_id and not buyer.external_id.startswith("email:"):
        return False  # two ids are two people, whatever their emails
    told = fact.email or _email_of(fact.external_id)
    known = {buyer.email, str((event.body.get("customer") or {}).get("email") or "")}
    return bool(told) and (
        buyer.guest_key in guest_keys(told) or told.strip().lower() in {email.strip().lower() for email in known}
    )


def _name_guest(known: Recorded, fact: Fact) -> Recorded:
    """Give a guest the id by which another door knows the buyer of the same order; nothing else changes."""
    event = known.event
    if event and fact.external_id and fact.email and event.customer.external_id.startswith("email:"):
        customer = _find(fact)
        if customer is not None and customer.pk == event.customer_id:
            event.customer = customer
    return known


def _email_of(external_id: str) -> str:
    return Customer.objects.filter(external_id=external_id).values_list("email", flat=True).first() or ""


def _customer_of(fact: Fact) -> Customer:
    """Return the fact's customer, locked: the known one, a guest whose id is now known, or a new one."""
    customer = _find(fact)
    if customer is None:
        refuse_erased(fact.external_id)
        keys = guest_keys(fact.email) if not fact.external_id else []
        Customer.objects.bulk_create(
            [
                Customer(
                    external_id=fact.external_id or keys[0],
                    guest_key=keys[0] if keys else None,
                    email=fact.email,
                    email_normalized=normalize_email(fact.email),
                    name=fact.name,
                    contact_as_of=fact.occurred_at,
                )
            ],
            ignore_conflicts=True,
        )
        customer = _find(fact)
        if customer is None:
            raise RuntimeError(f"customer of event {fact.event_id!r} could not be created")
    if customer.erased_at is not None:
        raise Erased("this customer was erased", pointer="/customer/external_id")
    _learn_contact(customer, fact)
    return customer


def _find(fact: Fact) -> Customer | None:
    customers = Customer.objects.select_for_update(no_key=True)
    if not fact.external_id:
        return customers.filter(guest_key__in=guest_keys(fact.email)).first()
    customer = customers.filter(external_id=fact.external_id).first()
    if customer is None and fact.email:
        guest = customers.filter(guest_key__in=guest_keys(fact.email), external_id__startswith="email:").first()
        if guest is not None:
            Customer.objects.filter(pk=guest.pk).update(external_id=fact.external_id)
            guest.external_id = fact.external_id
            customer = guest
    return customer


def _learn_contact(customer: Customer, fact: Fact) -> None:
    """Keep the email and name told last, by the moment of the fact and not of its arrival."""
    since = customer.contact_as_of
    told = {"email": fact.email, "name": fact.name}
    newer = since is None or fact.occurred_at >= since
    changes = {
        key: value
        for key, value in told.items()
        if value and (newer or not getattr(customer, key)) and getattr(customer, key) != value
    }
    if not changes:
        return
    if "email" in changes:
        changes["email_normalized"] = normalize_email(changes["email"])
    for key, value in changes.items():
        setattr(customer, key, value)
    if newer:
        customer.contact_as_of = fact.occurred_at
    customer.save(update_fields=[*changes, "contact_as_of"])
