"""Recording facts: once for ever by their id, each with its decision in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from core.dispatch import publish
from core.errors import Refused
from core.retrying import with_retries
from referrals.events import EventRecorded
from referrals.facts import Fact
from referrals.models import Customer, Event
from referrals.people import normalize_email
from referrals.services.identities import GUEST, Erased, find_guest, find_person, guest_keys, name_guest, refuse_erased
from referrals.services.merging import GUEST_KNOWN, merge_customers


class EventReused(Refused):
    """The event id was used before for another fact."""

    code = "event_id_reused"


class OrderReused(Refused):
    """The order was bought before, by another customer or for another amount."""

    code = "order_id_reused"


CONTACT = ("email", "email_normalized", "name", "contact_as_of")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one reported fact: its Event and whether it was known already, or why it was refused."""

    event: Event | None
    duplicate: bool = False
    refusal: Refused | None = None


def record_event(*, fact: Fact, at: datetime, source: str = "api") -> Recorded:
    """Store the fact and decide what follows from it, in one transaction, tried again where it gives way to others.

    The same fact again is a duplicate and changes nothing. Raises `EventReused`, `OrderReused`, `Erased`.
    """
    recorded: Recorded = with_retries(lambda: _record(fact, at, source))
    return recorded


@transaction.atomic
def _record(fact: Fact, at: datetime, source: str) -> Recorded:
    if known := _known(fact):
        return _name_guest(known, fact, at)
    try:
        with transaction.atomic():  # where another door was faster, nobody has come to be known by this one
            customer = _customer_of(fact, at)
            event = Event.objects.create(customer=customer, source=source, received_at=at, **columns_of(fact))
    except IntegrityError:
        known = _known(fact)
        if known is None:
            raise
        return _name_guest(known, fact, at)
    named = fact.click_id.startswith("nam_")
    publish(EventRecorded(subject=f"event:{event.pk}", event=event.pk, type=fact.type, source=source, named=named))
    if fact.code or fact.click_id or fact.coupon or fact.type == Event.Type.REFUND:
        event.refresh_from_db(fields=["warnings"])
    return Recorded(event)


def columns_of(fact: Fact) -> dict[str, object]:
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
    return known_among(events_like([fact]), fact)


def events_like(facts: Sequence[Fact]) -> list[Event]:
    """Return the events that have the id or, purchases, the order of any of the facts."""
    orders = [fact.order_id for fact in facts if fact.type == Event.Type.PURCHASE]
    same = Q(event_id__in=[fact.event_id for fact in facts])
    if orders:
        same |= Q(type=Event.Type.PURCHASE, order_id__in=orders)
    return list(Event.objects.select_related("customer").filter(same))


def known_among(events: Sequence[Event], fact: Fact) -> Recorded | None:
    """Return which of the events the fact repeats; None for a new fact. Raises `EventReused`, `OrderReused`."""
    for event in events:
        if event.event_id == fact.event_id:
            if event.fingerprint != fact.fingerprint:
                raise EventReused(f"event_id {fact.event_id!r} was already used for another event", pointer="/event_id")
            return Recorded(event, duplicate=True)
    for event in events if fact.type == Event.Type.PURCHASE else ():
        if (event.type, event.order_id) != (fact.type, fact.order_id):
            continue
        if not _is_same_order(event, fact):
            raise OrderReused(
                f"order {fact.order_id!r} was already bought as event {event.event_id!r}", pointer="/order/id"
            )
        return Recorded(event, duplicate=True)
    return None


def _is_same_order(event: Event, fact: Fact) -> bool:
    if (event.amount_minor, event.currency) != (fact.amount_minor, fact.currency):
        return False
    return _is_same_buyer(event.customer, fact) or _is_same_guest(event, fact)


def _is_same_buyer(buyer: Customer, fact: Fact) -> bool:
    return buyer.external_id == fact.external_id or buyer.aliases.filter(external_id=fact.external_id).exists()


def _is_same_guest(event: Event, fact: Fact) -> bool:
    """Tell whether one of the two knows the buyer by the email alone, and it is the other's."""
    buyer = event.customer
    if fact.external_id and not buyer.external_id.startswith(GUEST):
        return False  # two ids are two people, whatever their emails
    told = fact.email or _email_of(fact.external_id)
    known = {buyer.email, str((event.body.get("customer") or {}).get("email") or "")}
    return bool(told) and (
        buyer.guest_key in guest_keys(told) or told.strip().lower() in {email.strip().lower() for email in known}
    )


def _name_guest(known: Recorded, fact: Fact, at: datetime) -> Recorded:
    """Give a guest the id by which another door knows the buyer of the same order; nothing else changes."""
    event = known.event
    if event and fact.external_id and fact.email and event.customer.external_id.startswith(GUEST):
        _find(fact, at)
        event.refresh_from_db(fields=["customer"])
    return known


def _email_of(external_id: str) -> str:
    return Customer.objects.filter(external_id=external_id).values_list("email", flat=True).first() or ""


def _customer_of(fact: Fact, at: datetime) -> Customer:
    """Return the fact's customer, locked: the known one, a guest whose id is now known, or a new one."""
    customer = _find(fact, at)
    if customer is None:
        refuse_erased(fact.external_id)
        keys = guest_keys(fact.email) if not fact.external_id else []
        Customer.objects.bulk_create(
            [new_customer(fact, fact.external_id or keys[0], guest_key=keys[0] if keys else None)],
            ignore_conflicts=True,
        )
        customer = _find(fact, at)
        if customer is None:
            raise RuntimeError(f"customer of event {fact.event_id!r} could not be created")
    if customer.erased_at is not None:
        raise Erased("this customer was erased", pointer="/customer/external_id")
    _learn_contact(customer, fact)
    return customer


def _find(fact: Fact, at: datetime) -> Customer | None:
    if not fact.external_id:
        return find_guest(fact.email)
    known, guest = find_person(fact.external_id, fact.email)
    if guest is None or (known is not None and known.erased_at is not None):
        return known
    if known is None:
        return name_guest(guest, fact.external_id)
    merge_customers(source=guest, into=known, reason=GUEST_KNOWN, by="", at=at)
    return Customer.objects.get(pk=known.pk)


def new_customer(fact: Fact, external_id: str, *, guest_key: str | None = None) -> Customer:
    """Return a customer, not saved yet, with what their first fact tells of them."""
    return Customer(
        external_id=external_id,
        guest_key=guest_key,
        email=fact.email,
        email_normalized=normalize_email(fact.email),
        name=fact.name,
        contact_as_of=fact.occurred_at,
    )


def _learn_contact(customer: Customer, fact: Fact) -> None:
    if learn_contact(customer, fact):
        customer.save(update_fields=CONTACT)


def learn_contact(customer: Customer, fact: Fact) -> bool:
    """Take over the email and name told last, by the moment of the fact and not of its arrival; return whether any."""
    since = customer.contact_as_of
    told = {"email": fact.email, "name": fact.name}
    newer = since is None or fact.occurred_at >= since
    changes = {
        key: value
        for key, value in told.items()
        if value and (newer or not getattr(customer, key)) and getattr(customer, key) != value
    }
    if "email" in changes:
        changes["email_normalized"] = normalize_email(changes["email"])
    for key, value in changes.items():
        setattr(customer, key, value)
    if changes and newer:
        customer.contact_as_of = fact.occurred_at
    return bool(changes)
