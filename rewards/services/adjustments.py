"""Points given or taken by hand."""

from datetime import datetime, timedelta

from django.db import transaction

from core.errors import Invalid
from core.ids import new_id
from referrals.models import Customer
from rewards.services.book import Book

MAX_POINTS = 1_000_000_000
MAX_DAYS = 36_500


@transaction.atomic
def adjust_points(
    *, customer: Customer, points: int, reason: str, actor: str, at: datetime, expires_days: int | None = None
) -> None:
    """Give (above 0) or take (below 0) points by hand, available at once.

    A credit pays off debt first and expires after `expires_days` (None: never); a debit beyond what is available
    raises `InsufficientPoints`.
    """
    if points == 0 or abs(points) > MAX_POINTS:
        raise Invalid(f"expected a whole number other than 0, at most {MAX_POINTS:,}", pointer="/points")
    if not reason.strip():
        raise Invalid("expected why, in words", pointer="/reason")
    check_expiry(points, expires_days)
    book = Book(customers=(customer.pk,), at=at, subject=f"customer:{customer.pk}")
    cause = {"key": new_id("adj"), "reason": reason.strip()}
    if points > 0:
        expires_at = None if expires_days is None else at + timedelta(days=expires_days)
        book.credit(customer.pk, points, cause=cause, actor=actor, expires_at=expires_at)
    else:
        book.debit(customer.pk, -points, cause=cause, actor=actor)
    book.close()


def check_expiry(points: int, expires_days: int | None) -> None:
    """Refuse days that points cannot have: only points given expire, after 1 to 36,500 days."""
    if expires_days is not None and (points < 0 or not 1 <= expires_days <= MAX_DAYS):
        raise Invalid(f"expected, for points given, from 1 to {MAX_DAYS} days", pointer="/expires_days")
