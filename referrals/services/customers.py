"""Customers as the company tells of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from referrals.models import Customer
from referrals.people import normalize_email
from referrals.queries.people import customer_known_as
from referrals.services.identities import Erased, find_person, name_guest, refuse_erased
from referrals.services.merging import GUEST_KNOWN, merge_customers


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerData:
    """What the company tells of a customer; a field that is None stays as it is."""

    email: str | None = None
    name: str | None = None
    locale: str | None = None
    time_zone: str | None = None
    attributes: dict[str, Any] | None = field(default=None)


@transaction.atomic
def put_customer(*, external_id: str, data: CustomerData, at: datetime) -> tuple[Customer, bool]:
    """Create the customer or change what is given of them; return them and whether they are new. Raises `Erased`."""
    refuse_erased(external_id)
    customer, created = _person(external_id, data.email or "", at)
    if customer.erased_at is not None:
        raise Erased("this customer was erased")
    changed = [name for name in data.__slots__ if getattr(data, name) is not None]
    for name in changed:
        setattr(customer, name, getattr(data, name))
    if data.email is not None:
        customer.email_normalized = normalize_email(data.email)
        changed.append("email_normalized")
    if data.email is not None or data.name is not None:
        customer.contact_as_of = at
        changed.append("contact_as_of")
    if changed:
        customer.save(update_fields=changed)
    return customer, created


def _person(external_id: str, email: str, at: datetime) -> tuple[Customer, bool]:
    """Return the customer, locked, and whether they are new; a guest with this address is or joins them."""
    known, guest = find_person(external_id, email)
    if known is None and guest is not None:
        return name_guest(guest, external_id), False
    if known is None:
        return Customer.objects.select_for_update(no_key=True).get_or_create(external_id=external_id)
    if guest is not None and known.erased_at is None:
        merge_customers(source=guest, into=known, reason=GUEST_KNOWN, by="", at=at)
        known.refresh_from_db()
    return known, False


class _Undone(Exception):
    """Undoes an import in which a customer was refused."""


def import_customers(
    *,
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    at: datetime,
    skip_errors: bool = False,
    on_progress: Callable[[int], object] = lambda done: None,
) -> tuple[int, list[tuple[int, str]]]:
    """Create or update customers by (external id, what is told); return how many are new, and refusals by place.

    Where one is refused nothing is stored, unless `skip_errors`. Attributes that are told join those that are known.
    """
    created, refusals = 0, []
    try:
        with transaction.atomic():
            for place, (external_id, told) in enumerate(rows):
                try:
                    created += _import_one(external_id, told, at)
                except Erased as refusal:
                    refusals.append((place, refusal.detail))
                if (place + 1) % 500 == 0:
                    on_progress(place + 1)
            if refusals and not skip_errors:
                raise _Undone
    except _Undone:
        return 0, refusals
    on_progress(len(rows))
    return created, refusals


@transaction.atomic
def _import_one(external_id: str, told: Mapping[str, Any], at: datetime) -> bool:
    known = customer_known_as(external_id)
    attributes = told.get("attributes")
    joined = {**(known.attributes if known else {}), **attributes} if attributes else None
    _, created = put_customer(external_id=external_id, data=CustomerData(**{**told, "attributes": joined}), at=at)
    return created
