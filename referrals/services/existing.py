"""The list of customers whom the company had before, so that nobody is paid for bringing them."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from referrals.models import Customer, ExistingCustomer
from referrals.queries.existing import keys_of, listed_key

_PART = 400


@transaction.atomic
def add_existing(*, hashes: Sequence[str], at: datetime) -> int:
    """Put hashed addresses (SHA-256, hex) on the list; return how many are new.

    They count for friends who are bound from `at` on; what is bound already stays.
    """
    keys = list(dict.fromkeys(listed_key(one) for one in hashes))
    before = ExistingCustomer.objects.count()
    rows = [ExistingCustomer(key=key, added_at=at) for key in keys]
    ExistingCustomer.objects.bulk_create(rows, batch_size=_PART, ignore_conflicts=True)
    return ExistingCustomer.objects.count() - before


def forget_existing(customer: Customer) -> None:
    """Take an erased person off the list."""
    if customer.email:
        ExistingCustomer.objects.filter(key__in=keys_of(customer.email)).delete()
