"""Whom a fact or a call of the company is about: ids, guests known by an address only, people under several ids."""

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac

from core.errors import Refused
from referrals.models import Customer

GUEST = "email:"


class Erased(Refused):
    """The person was erased; nothing more is stored about them."""

    code = "erased"


def guest_keys(email: str) -> list[str]:
    """Return the keyed hashes under which a guest's email may be known, the current key's first."""
    return _keyed(GUEST, "referrals.guest", email.strip().lower())


def erased_keys(external_id: str) -> list[str]:
    """Return the keyed hashes under which an erased person's id, where it was an address, may be kept."""
    return _keyed("erased:", "referrals.erased", external_id)


def _keyed(prefix: str, salt: str, text: str) -> list[str]:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [prefix + salted_hmac(salt, text, secret=key, algorithm="sha256").hexdigest()[:40] for key in keys]


def refuse_erased(external_id: str) -> None:
    """Raise `Erased` for the address-like id of somebody who was erased."""
    if "@" in external_id and Customer.objects.filter(external_id__in=erased_keys(external_id)).exists():
        raise Erased("this customer was erased", pointer="/customer/external_id")


def find_guest(email: str) -> Customer | None:
    """Return the customer to whom a guest's address belongs, locked; None for a new guest."""
    return _owner(_locked().filter(guest_key__in=guest_keys(email)).first())


def find_person(external_id: str, email: str) -> tuple[Customer | None, Customer | None]:
    """Return the customer whose id it is, and the guest with the address whose id was not known yet; locked."""
    wanted = Q(external_id=external_id)
    if email:
        wanted |= Q(guest_key__in=guest_keys(email), external_id__startswith=GUEST, merged_into=None, erased_at=None)
    found = list(_locked().filter(wanted).order_by("pk"))
    known = next((one for one in found if one.external_id == external_id), None)
    guest = next((one for one in found if one is not known), None)
    return _owner(known), guest


def _locked() -> QuerySet[Customer]:
    return Customer.objects.select_for_update(no_key=True)


def _owner(found: Customer | None) -> Customer | None:
    """Return the person behind an id that was merged into another."""
    return _locked().get(pk=found.merged_into_id) if found and found.merged_into_id else found


def name_guest(guest: Customer, external_id: str) -> Customer:
    """Give a guest the id by which the company knows them now."""
    Customer.objects.filter(pk=guest.pk).update(external_id=external_id)
    guest.external_id = external_id
    return guest
