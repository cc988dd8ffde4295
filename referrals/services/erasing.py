"""Erasing a person: who they were goes for good; the books, the counts and the ids stay as they were."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from core.errors import Invalid
from referrals.models import Customer, Erasure
from referrals.services.identities import erased_keys


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What one app keeps of people: `export` returns it as JSON values, `erase` makes it nobody's, `merge` another's.

    `erase` and `merge` are called in one transaction with all others, while the customer's row still says who they
    were. `merge` gets the one who ends, the one who stays and the moment, and returns how many of what has moved.
    """

    title: str
    export: Callable[[Customer], Any]
    erase: Callable[[Customer, Erasure], None]
    merge: Callable[[Customer, Customer, datetime], dict[str, int]]


@cache
def personal_data() -> Sequence[PersonalData]:
    """Return what every app keeps of people (`config/personal_data.py`), in the order it is erased."""
    found: Sequence[PersonalData] = import_string(settings.PERSONAL_DATA)
    return found


@transaction.atomic
def erase_customer(*, customer: Customer, points: str = "keep", by: str, at: datetime) -> Erasure:
    """Make a customer nobody: names, addresses, words and attributes go, in every app, all or nothing.

    Ledger, referrals, counts and numbers stay. `points` 'keep' lets open points wait, 'forfeit' takes them.
    Erasing again returns the first receipt. Whatever is reported of them later is refused as `erased`.
    """
    if points not in Erasure.Points.values:
        raise Invalid(f"expected points to be one of {', '.join(Erasure.Points.values)}", pointer="/points")
    person = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if person.erased_at is not None:
        receipt, _ = Erasure.objects.get_or_create(customer=person, defaults={"at": person.erased_at, "by": by})
        return receipt
    receipt = Erasure.objects.create(customer=person, at=at, by=by[:100], points=points)
    for data in personal_data():
        data.erase(person, receipt)
    _blank(person, at)
    customer.refresh_from_db()
    return receipt


def export_customer(*, customer: Customer) -> dict[str, Any]:
    """Return everything that is stored of a customer, app by app, as JSON values."""
    return {data.title: data.export(customer) for data in personal_data()}


def _blank(person: Customer, at: datetime) -> None:
    Customer.objects.filter(pk=person.pk).update(
        external_id=new_external_id(person),
        email="",
        email_normalized="",
        name="",
        locale="",
        time_zone="",
        attributes={},
        contact_as_of=None,
        erased_at=at,
    )


def new_external_id(person: Customer) -> str:
    """Return the id under which an erased person is kept: their own, or a keyed hash where it is an address."""
    return erased_keys(person.external_id)[0] if "@" in person.external_id else person.external_id
