"""Points that expire, lot by lot, and their owners told before."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from core.dispatch import publish
from rewards.events import PointsExpiring
from rewards.expiring import GATHERED, STAGES, next_warning, stage_of
from rewards.models import Account, Lot
from rewards.services.book import Book


def expire_due(*, at: datetime) -> int:
    """Expire the lots whose last instant has passed by `at`; return how many."""
    return sum(_expire_for(customer, at=at) for customer in _owners(_overdue(at)))


def _overdue(at: datetime) -> QuerySet[Lot]:
    return Lot.objects.filter(remaining__gt=0, expires_at__lt=at)


def _owners(lots: QuerySet[Lot]) -> list[int]:
    owners = lots.order_by("account__customer").values_list("account__customer", flat=True).distinct()
    return [customer for customer in owners if customer is not None]


@transaction.atomic
def _expire_for(customer: int, *, at: datetime) -> int:
    book = Book(customers=(customer,), at=at, subject=f"customer:{customer}")
    count = _overdue(at).filter(account__customer=customer).count()
    book.expire(customer)
    book.close()
    return count


def warn_due(*, at: datetime) -> int:
    """Announce points that expire soon, 30 and 7 days before, each lot once a stage; return how many lots.

    Lots of one owner that expire within a week of each other are announced together, at the first one's time.
    """
    due = Lot.objects.filter(remaining__gt=0, warn_at__lte=at)
    return sum(_warn(customer, at=at) for customer in _owners(due))


@transaction.atomic
def _warn(customer: int, *, at: datetime) -> int:
    mine = Account.objects.filter(customer=customer, kind=Account.Kind.AVAILABLE, closed=False)
    accounts = mine.select_for_update(no_key=True)
    lots = list(
        Lot.objects.filter(account__in=list(accounts), remaining__gt=0, expires_at__gte=at, warn_at__isnull=False)
        .order_by("expires_at", "pk")
        .select_for_update(no_key=True)
    )
    return sum(_warn_stage(customer, [lot for lot in lots if _stage(lot) == stage], stage, at) for stage in STAGES)


def _stage(lot: Lot) -> timedelta | None:
    return stage_of(lot.warn_at, lot.expires_at) if lot.warn_at and lot.expires_at else None


def _warn_stage(customer: int, lots: Sequence[Lot], stage: timedelta, at: datetime) -> int:
    """Announce the lots that are due at the stage together with those that follow within a week."""
    due = [lot.expires_at for lot in lots if lot.warn_at and lot.warn_at <= at and lot.expires_at]
    if not due:
        return 0
    told = [lot for lot in lots if lot.expires_at and lot.expires_at <= due[0] + GATHERED]
    ends = [lot.expires_at for lot in told if lot.expires_at]
    for lot, end in zip(told, ends, strict=True):
        lot.warn_at = next_warning(end, at=max(at, end - stage))
    Lot.objects.bulk_update(told, ["warn_at"])
    days = next((ahead.days for ahead in reversed(STAGES) if ends[0] - at <= ahead), stage.days)
    publish(
        PointsExpiring(
            subject=f"customer:{customer}",
            customer=customer,
            lot=told[0].pk,
            points=sum(lot.remaining for lot in told),
            first_at=ends[0].isoformat(),
            last_at=ends[-1].isoformat(),
            days=days,
        )
    )
    return len(told)
