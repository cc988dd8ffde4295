"""Many facts in their order: those about which nothing has to be decided are written together, each table once."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q

from core.dispatch import publish_whole
from core.errors import Refused
from core.retrying import gave_way, will_try_again, with_retries
from referrals.events import EventsRecorded
from referrals.facts import Fact, fact_from_json
from referrals.models import Customer, Event, Referral
from referrals.people import normalize_email
from referrals.services.events import (
    CONTACT,
    Recorded,
    columns_of,
    events_like,
    known_among,
    learn_contact,
    new_customer,
    record_event,
)
from referrals.services.identities import GUEST, guest_keys

RUN = 250

logger = logging.getLogger(__name__)


def record_events(*, facts: Sequence[object], at: datetime, source: str = "api") -> list[Recorded]:
    """Record JSON facts in their order, each exactly as if it had come alone; one bad fact spoils no other.

    A fact that may bind, earn or take back is decided alone, after those before it and before those behind it.
    """
    done: list[Recorded] = []
    told = [_read(body, at) for body in facts]
    while len(done) < len(told):
        run = list(_plain_run(told, len(done)))
        if len(run) > 1:
            done += _record_run(run, at, source)
        else:
            done.append(_record_one(told[len(done)], at, source))
    return done


def _read(body: object, at: datetime) -> Fact | Refused:
    try:
        return fact_from_json(body, now=at)
    except Refused as refusal:
        return refusal


def _plain_run(told: Sequence[Fact | Refused], start: int) -> Iterator[Fact]:
    """Yield the facts from `start` on that carry no evidence and take nothing back, each id and order once."""
    seen: set[str] = set()
    for fact in told[start : start + RUN]:
        if isinstance(fact, Refused) or not fact.external_id or fact.type == Event.Type.REFUND:
            return
        ids = {f"event {fact.event_id}"} | ({f"order {fact.order_id}"} if fact.order_id else set())
        if fact.code or fact.click_id or fact.coupon or ids & seen:
            return
        seen |= ids
        yield fact


def _record_one(fact: Fact | Refused, at: datetime, source: str) -> Recorded:
    try:
        if isinstance(fact, Refused):
            raise fact
        return record_event(fact=fact, at=at, source=source)
    except Refused as refusal:
        return Recorded(None, refusal=refusal)


def _record_run(run: Sequence[Fact], at: datetime, source: str) -> list[Recorded]:
    done: list[Recorded] = []
    alone: set[int] = set()
    while len(done) < len(run):
        start = len(done)
        end = min((number for number in alone if number >= start), default=len(run))
        if start < end:
            written, decided = _write(run[start:end], at, source)
            done += written
            alone |= {start + number for number in decided}
        if len(done) < len(run) and (len(done) in alone):
            done.append(_record_one(run[len(done)], at, source))
    return done


def _write(run: Sequence[Fact], at: datetime, source: str) -> tuple[list[Recorded], set[int]]:
    """Write the facts up to the first that has to be decided; return what became of them, and which have to be.

    Where anything goes wrong nothing of it stays, and each fact has to go alone.
    """
    try:
        written, decided = with_retries(partial(_write_together, run, at, source))
    except Exception as error:
        if gave_way(error) and will_try_again():
            raise
        logger.info("facts could not be written together (%s): each goes alone", type(error).__name__)
        return [], set(range(len(run)))
    return written, decided


@transaction.atomic
def _write_together(run: Sequence[Fact], at: datetime, source: str) -> tuple[list[Recorded], set[int]]:
    people = _people(run)
    known = events_like(run)
    decided = _to_be_decided(run, people, known)
    run = run[: min(decided, default=len(run))]
    repeated = {number: one for number, fact in enumerate(run) if (one := _known(known, fact))}
    events = _store([fact for number, fact in enumerate(run) if number not in repeated], people, at, source)
    fresh = iter([Recorded(event) for event in events])
    return [repeated.get(number) or next(fresh) for number in range(len(run))], decided


def _people(run: Sequence[Fact]) -> dict[str, Customer]:
    """Return, locked in id order, the customers whom the facts name, and the guests with the addresses they name."""
    keys = [key for email in {fact.email for fact in run if fact.email} for key in guest_keys(email)]
    named = Q(external_id__in={fact.external_id for fact in run})
    named |= Q(guest_key__in=keys, external_id__startswith=GUEST, merged_into=None, erased_at=None)
    rows = Customer.objects.select_for_update(no_key=True).filter(named).order_by("pk")
    return {person.external_id: person for person in rows}


def _to_be_decided(run: Sequence[Fact], people: dict[str, Customer], known: Sequence[Event]) -> set[int]:
    """Return, by their places, the facts that concern a friend, or somebody who is not simply a customer or new."""
    guests = {one.guest_key for one in people.values() if one.external_id.startswith(GUEST)}
    friends = Referral.objects.filter(friend__in=people.values())
    friend_keys = set(friends.values_list("friend", flat=True))
    emails = {normalize_email(fact.email) for fact in run} | {one.email_normalized for one in people.values()}
    of_friends = Referral.objects.filter(friend__email_normalized__in=emails - {""})
    friend_emails = set(of_friends.values_list("friend__email_normalized", flat=True))
    touchy = {normalize_email(fact.email) for fact in run} & friend_emails
    names = {fact.external_id for fact in run if normalize_email(fact.email) in touchy}
    decided = set()
    for number, fact in enumerate(run):
        person = people.get(fact.external_id)
        if person is None:
            plain = "@" not in fact.external_id
        else:
            plain = person.erased_at is None and person.merged_into_id is None and person.pk not in friend_keys
            plain = plain and person.email_normalized not in friend_emails
        guest = fact.email and guests.intersection(guest_keys(fact.email))
        if not plain or guest or fact.external_id in names:
            decided.add(number)
    return decided


def _known(known: Sequence[Event], fact: Fact) -> Recorded | None:
    try:
        return known_among(known, fact)
    except Refused as refusal:
        return Recorded(None, refusal=refusal)


def _store(facts: Sequence[Fact], people: dict[str, Customer], at: datetime, source: str) -> list[Event]:
    new: dict[str, Customer] = {}
    learned: dict[int, Customer] = {}
    for fact in facts:
        person = people.get(fact.external_id) or new.get(fact.external_id)
        if person is None:
            new[fact.external_id] = new_customer(fact, fact.external_id)
        elif learn_contact(person, fact) and person.pk:
            learned[person.pk] = person
    Customer.objects.bulk_create(new.values())
    Customer.objects.bulk_update(learned.values(), CONTACT)
    events = [
        Event(
            customer=people.get(fact.external_id) or new[fact.external_id],
            source=source,
            received_at=at,
            **columns_of(fact),
        )
        for fact in facts
    ]
    Event.objects.bulk_create(events)
    if events:
        keys = tuple(event.pk for event in events)
        publish_whole(EventsRecorded(subject=f"events:{keys[0]}-{keys[-1]}", events=keys, source=source))
    return events
