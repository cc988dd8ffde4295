"""How much of each refund counts: never more than was paid for the order, never in another currency."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What was paid for an order, in minor units."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repayment:
    """One refund as it was reported; `day` is its calendar day."""

    day: date
    at: datetime
    event: int
    amount: int
    currency: str


def counted_repayments(paid: Paid | None, repayments: Iterable[Repayment]) -> list[tuple[date, int]]:
    """Return, in order of time, the day and the counted amount of each refund that counts.

    Each counts on its own day, up to what is left of the order's price after the refunds before it.
    Those of an unknown order or in another currency do not count.
    """
    if paid is None:
        return []
    left = paid.amount
    counted: list[tuple[date, int]] = []
    for repayment in sorted(repayments, key=lambda one: (one.at, one.event)):
        amount = min(repayment.amount, left) if repayment.currency == paid.currency else 0
        left -= amount
        if amount:
            counted.append((repayment.day, amount))
    return counted
