"""Points given or taken by hand."""

from datetime import datetime

from django.db import transaction

from core.errors import Invalid
from core.ids import new_id
from referrals.models import Customer
from rewards.services.book import Book

MAX_POINTS = 1_000_000_000


@transaction.atomic
def adjust_points(*, customer: Customer, points: int, reason: str, actor: str, at: datetime) -> None:
    """Give (above 0) or take (below 0) points by hand, available at once.

    A credit pays off debt first; a debit beyond what is available raises `InsufficientPoints`.
    """
    if points == 0 or abs(points) > MAX_POINTS:
        raise Invalid(f"expected a whole number other than 0, at most {MAX_POINTS:,}", pointer="/points")
    if not reason.strip():
        raise Invalid("expected why, in words", pointer="/reason")
    book = Book(customers=(customer.pk,), at=at, subject=f"customer:{customer.pk}")
    cause = {"key": new_id("adj"), "reason": reason.strip()}
    if points > 0:
        book.credit(customer.pk, points, cause=cause, actor=actor)
    else:
        book.debit(customer.pk, -points, cause=cause, actor=actor)
    book.close()
