"""Reading the block list."""

from datetime import datetime

from django.db.models import Q

from referrals.likeness import matches, parts_of
from referrals.models import BlockEntry, Customer

_Kind = BlockEntry.Kind


def entries_on(*people: Customer, effect: str, at: datetime) -> list[BlockEntry]:
    """Return the entries of that effect that fit one of the people and still held `at` then, the oldest first.

    An address is compared as it was given and as the rules compare it; a domain as it stands in the address.
    """
    values: dict[str, set[str]] = {
        _Kind.EMAIL: {email for one in people for email in (one.email, one.email_normalized) if email},
        _Kind.DOMAIN: {parts_of(one.email)[1] for one in people if one.email},
        _Kind.CUSTOMER: {one.external_id for one in people},
    }
    exact = {text.lower() for texts in values.values() for text in texts}
    rows = BlockEntry.objects.filter(Q(pattern__in=exact) | Q(pattern__contains="*"), effect=effect)
    current = rows.filter(Q(until=None) | Q(until__gt=at)).order_by("pk")
    return [entry for entry in current if matches(entry.pattern, values[entry.kind])]


def is_blocked(*people: Customer, at: datetime) -> bool:
    """Return whether the block list holds one of the people at a moment."""
    return bool(entries_on(*people, effect=BlockEntry.Effect.BLOCK, at=at))
