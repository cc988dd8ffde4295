"""Sources of webhooks in: made, changed, given another secret."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from core.errors import Invalid
from core.webhooks import is_secret, new_secret
from referrals.models import Source
from referrals.sources.registry import option_problems

ROTATION = timedelta(hours=72)
MIN_SECRET, MAX_SECRET = 16, 200


class BadSource(Invalid):
    """A secret or option that the source's system cannot have."""

    code = "bad_source"


@transaction.atomic
def create_source(
    *, kind: str, slug: str, name: str = "", secret: str = "", options: Mapping[str, Any] | None = None
) -> Source:
    """Return a new source; without a secret one is made, which is then to be given to the other system.

    Raises `BadSource` for a secret or options that do not fit its kind.
    """
    chosen = dict(options or {})
    check_options(kind=kind, options=chosen)
    secret = secret or new_secret()
    check_secret(kind=kind, options=chosen, secret=secret)
    return Source.objects.create(kind=kind, slug=slug, name=name, secret=secret, options=chosen)


@transaction.atomic
def rotate_source_secret(*, source: Source, at: datetime, secret: str = "") -> Source:
    """Give the source another secret (one is made where none is given); the old one is accepted for 72 hours more."""
    secret = secret or new_secret()
    changed = Source.objects.select_for_update().get(pk=source.pk)
    check_secret(kind=changed.kind, options=changed.options, secret=secret)
    changed.previous_secret, changed.secret, changed.previous_until = changed.secret, secret, at + ROTATION
    changed.save(update_fields=["secret", "previous_secret", "previous_until"])
    return changed


def secrets_of(source: Source, *, at: datetime) -> list[str]:
    """Return the secrets that are accepted at `at`."""
    rotating = source.previous_secret and source.previous_until is not None and at < source.previous_until
    return [source.secret, *([source.previous_secret] if rotating else [])]


def check_options(*, kind: str, options: object) -> None:
    """Refuse options that the kind of source has not."""
    problems = option_problems(kind, options)
    if problems:
        raise BadSource("; ".join(problems), pointer="/options")


def check_secret(*, kind: str, options: Mapping[str, Any], secret: str) -> None:
    """Refuse a secret that is short, unprintable, or not in the form that its signature needs."""
    if not (MIN_SECRET <= len(secret) <= MAX_SECRET) or not re.fullmatch(r"[!-~]+", secret):
        told = f"expected a secret of {MIN_SECRET} to {MAX_SECRET} printable characters without spaces"
        raise BadSource(told, pointer="/secret")
    if kind == Source.Kind.HMAC and options.get("signature", "standard") == "standard" and not is_secret(secret):
        raise BadSource("Standard Webhooks need a secret of the form whsec_ and base64", pointer="/secret")
