"""What a customer owns: points by bucket, and where every one came from or went."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet, Sum

from referrals.models import Customer, Referral
from rewards.models import Account, Entry, Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """A customer's points. `lifetime` is what was released and not taken back."""

    available: int = 0
    pending: int = 0
    debt: int = 0
    lifetime: int = 0
    redeemed: int = 0
    expired: int = 0


def points_of(customer: Customer) -> Points:
    """Return a customer's points in every bucket."""
    return points_of_many([customer])[customer.pk]


def points_of_many(customers: Iterable[Customer]) -> dict[int, Points]:
    """Return the points of each customer, by primary key, in two queries."""
    pks = [customer.pk for customer in customers]
    balances: dict[int, dict[str, int]] = {pk: {} for pk in pks}
    for account in Account.objects.filter(customer__in=pks):
        balances[account.customer_id or 0][account.kind] = account.balance
    moved: dict[int, dict[str, int]] = {pk: {} for pk in pks}
    sums = (
        Entry.objects.filter(account__customer__in=pks, account__kind=Account.Kind.AVAILABLE)
        .values("account__customer", "transfer__kind")
        .annotate(total=Sum("delta"))
    )
    for row in sums:
        moved[row["account__customer"]][row["transfer__kind"]] = row["total"]
    return {pk: _points(balances[pk], moved[pk]) for pk in pks}


def _points(balance: dict[str, int], moved: dict[str, int]) -> Points:
    kinds = Transfer.Kind
    debt = balance.get(Account.Kind.DEBT, 0)
    earned = moved.get(kinds.RELEASE, 0) + moved.get(kinds.REVOKE, 0)
    return Points(
        available=balance.get(Account.Kind.AVAILABLE, 0),
        pending=balance.get(Account.Kind.PENDING, 0),
        debt=debt,
        lifetime=max(0, earned - debt),
        redeemed=-moved.get(kinds.REDEEM, 0),
        expired=-moved.get(kinds.EXPIRE, 0),
    )


def ledger_of(customer: Customer) -> QuerySet[Entry]:
    """Return the customer's entries with their transfers."""
    return Entry.objects.filter(account__customer=customer).select_related("transfer", "account")


def referral_counts(advocate: Customer) -> dict[int, dict[str, int]]:
    """Return per program how many of the advocate's referrals are in each state, zeros included."""
    counts: dict[int, dict[str, int]] = {}
    rows = Referral.objects.filter(advocate=advocate).values("program", "state").annotate(n=Count("pk"))
    for row in rows:
        counts.setdefault(row["program"], empty_counts())[row["state"]] = row["n"]
    return counts


def empty_counts() -> dict[str, int]:
    """Return a zero for every state in which a referral can be."""
    states = ("signed_up", "qualified", "approved", "flagged", "voided", "reversed", "expired")
    return dict.fromkeys(states, 0)
