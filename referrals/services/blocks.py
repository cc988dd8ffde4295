"""Keeping the block list."""

from datetime import datetime

from django.db import IntegrityError, transaction

from core.errors import Invalid, Refused
from referrals.models import BlockEntry


class ListedAlready(Refused):
    """The pattern is on the list with that effect."""

    code = "listed_already"


@transaction.atomic
def add_block_entry(
    *,
    kind: str,
    pattern: str,
    reason: str,
    added_by: str,
    at: datetime,
    effect: str = BlockEntry.Effect.BLOCK,
    until: datetime | None = None,
) -> BlockEntry:
    """Put a pattern on the list, in lower case; `*` stands for any text. Raises `Invalid`, `ListedAlready`.

    What is bound, qualifies or is released from now on is judged by it; nothing else moves.
    """
    text = check_pattern(kind=kind, pattern=pattern)
    if until is not None and until <= at:
        raise Invalid("expected a moment that is still to come", pointer="/until")
    try:
        with transaction.atomic():
            return BlockEntry.objects.create(
                kind=kind, pattern=text, effect=effect, reason=reason, added_by=added_by, added_at=at, until=until
            )
    except IntegrityError:
        raise ListedAlready(f"{text} is on the list already", pointer="/pattern") from None


def check_pattern(*, kind: str, pattern: str) -> str:
    """Return the pattern as it is kept; `Invalid` for one that fits everybody or could fit nobody."""
    text = pattern.strip().lower().removeprefix("@" if kind == BlockEntry.Kind.DOMAIN else "")
    if len(text.replace("*", "").strip("@.")) < 2:
        raise Invalid("expected at least two letters besides *, or everybody would fit", pointer="/pattern")
    if kind == BlockEntry.Kind.EMAIL and "@" not in text:
        raise Invalid("expected an email address, such as *@spam.example", pointer="/pattern")
    if kind == BlockEntry.Kind.DOMAIN and "@" in text:
        raise Invalid("expected a domain, such as *.spam.example", pointer="/pattern")
    return text


@transaction.atomic
def remove_block_entry(*, entry: BlockEntry) -> None:
    """Take an entry off the list; what it voided stays void until staff reopen it."""
    BlockEntry.objects.filter(pk=entry.pk).delete()
