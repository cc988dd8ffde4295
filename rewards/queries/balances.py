"""What a customer owns: points by bucket, and where every one came from or went."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet, Sum

from referrals.models import Customer, Referral
from rewards.models import Account, Entry, Lot, Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """A customer's points.

    `lifetime` is what was released and not taken back; what expired and then counted as taken back (rule 8) is
    in neither `lifetime` nor `expired`.
    """

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
    for account in Account.objects.filter(customer__in=pks, closed=False):
        balances[account.customer_id or 0][account.kind] = account.balance
    moved: dict[int, dict[str, int]] = {pk: {} for pk in pks}
    sums = (
        Entry.objects.filter(account__customer__in=pks, account__kind=Account.Kind.AVAILABLE)
        .values("account__customer", "transfer__kind")
        .annotate(total=Sum("delta"))
    )
    for row in sums:
        moved[row["account__customer"]][row["transfer__kind"]] = row["total"]
    covered = _taken_back_as_expired([pk for pk in pks if Transfer.Kind.EXPIRE in moved[pk]])
    return {pk: _points(balances[pk], moved[pk], covered.get(pk, 0)) for pk in pks}


def _taken_back_as_expired(pks: list[int]) -> dict[int, int]:
    if not pks:
        return {}
    counted = Transfer.objects.filter(debit__kind=Account.Kind.EXPIRED, reward__recipient__in=pks)
    return dict(counted.values_list("reward__recipient").annotate(total=Sum("amount")).order_by())


def _points(balance: dict[str, int], moved: dict[str, int], covered: int) -> Points:
    kinds = Transfer.Kind
    debt = balance.get(Account.Kind.DEBT, 0)
    earned = moved.get(kinds.RELEASE, 0) + moved.get(kinds.REVOKE, 0)
    return Points(
        available=balance.get(Account.Kind.AVAILABLE, 0),
        pending=balance.get(Account.Kind.PENDING, 0),
        debt=debt,
        lifetime=max(0, earned - debt - covered),
        redeemed=-moved.get(kinds.REDEEM, 0),
        expired=-moved.get(kinds.EXPIRE, 0) - covered,
    )


@dataclass(frozen=True, slots=True)
class Expiring:
    """Points of a customer that expire together at `at`, their last instant."""

    points: int
    at: datetime


def expiring_next(customer: Customer) -> Expiring | None:
    """Return the points that expire next; None where none ever do."""
    lots = Lot.objects.filter(account__customer=customer, remaining__gt=0, expires_at__isnull=False)
    first = lots.values_list("expires_at").annotate(points=Sum("remaining")).order_by("expires_at").first()
    return Expiring(at=first[0], points=first[1]) if first and first[0] else None


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
