"""Who is on the imported list of existing customers."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.conf import settings
from django.utils.crypto import salted_hmac

from referrals.models import ExistingCustomer
from referrals.people import normalize_email

_PART = 400


def hash_of_email(email: str) -> str:
    """Return the SHA-256 (hex) by which shops and we name an address: of its trimmed lower-case spelling."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def listed_key(sha256: str, *, secret: str = "") -> str:
    """Return how a hashed address is stored: hashed once more under this installation's key."""
    text = sha256.strip().lower()
    return salted_hmac("referrals.existing", text, secret=secret or settings.SECRET_KEY, algorithm="sha256").hexdigest()


def keys_of(email: str) -> list[str]:
    """Return every key under which an address may be listed: as typed and as compared, by every secret."""
    hashes = dict.fromkeys((hash_of_email(email), hash_of_email(normalize_email(email))))
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [listed_key(one, secret=secret) for one in hashes for secret in secrets]


def listed_since(email: str) -> datetime | None:
    """Return since when the person stands on the list, or None."""
    if not email:
        return None
    rows = ExistingCustomer.objects.filter(key__in=keys_of(email)).order_by("added_at")
    return rows.values_list("added_at", flat=True).first()


def listed_of(people: Iterable[tuple[int, str]]) -> dict[int, datetime]:
    """Return, of many (primary key, email), since when those on the list stand there."""
    if not ExistingCustomer.objects.exists():
        return {}
    owners: dict[str, list[int]] = {}
    for pk, email in people:
        for key in keys_of(email) if email else ():
            owners.setdefault(key, []).append(pk)
    found: dict[int, datetime] = {}
    for part in _parts(list(owners)):
        for key, since in ExistingCustomer.objects.filter(key__in=part).values_list("key", "added_at"):
            for pk in owners[key]:
                found[pk] = min(found.get(pk, since), since)
    return found


def _parts(keys: list[str]) -> Iterator[list[str]]:
    yield from (keys[start : start + _PART] for start in range(0, len(keys), _PART))
