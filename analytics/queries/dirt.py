"""Which days the waiting marks are about."""

from collections.abc import Iterator
from datetime import date

from django.db.models import QuerySet

from analytics.models import DirtyBucket, PersonDay
from analytics.queries.collecting import FAMILIES, days_of
from referrals.models import Event, Referral

_PART = 1000


def waiting_marks() -> QuerySet[DirtyBucket]:
    """Return the marks that no run has claimed."""
    return DirtyBucket.objects.filter(claim=0)


def affected_days(*, claim: int) -> dict[str, set[date]]:
    """Return, by family, the days whose numbers the claimed marks may have changed.

    What moved between days is found by where it was counted last (PersonDay) and where it belongs now.
    """
    marks = DirtyBucket.objects.filter(claim=claim)
    days: dict[str, set[date]] = {name: set() for name in FAMILIES}
    for mark in marks.filter(day__isnull=False):
        if mark.day:
            days[mark.family].add(mark.day)
    for keys in _in_parts(marks.filter(family=DirtyBucket.EVENT)):
        _add_days_of_events(days, Event.objects.filter(pk__in=keys))
    for keys in _in_parts(marks.filter(family=DirtyBucket.REFERRAL)):
        _add_days_of_referrals(days, Referral.objects.filter(pk__in=keys))
    return days


def _in_parts(marks: QuerySet[DirtyBucket]) -> Iterator[list[int]]:
    """Yield the subjects in lists short enough for one statement.

    Lists, not subqueries: of rows written a moment ago the database has no statistics to plan a join by.
    """
    subjects = sorted({subject for subject in marks.values_list("subject", flat=True) if subject is not None})
    for first in range(0, len(subjects), _PART):
        yield subjects[first : first + _PART]


def _add_days_of_events(days: dict[str, set[date]], events: QuerySet[Event]) -> None:
    purchases = events.filter(type=Event.Type.PURCHASE)
    days["orders"].update(days_of(purchases, "occurred_at"))
    counted = PersonDay.objects.filter(kind=PersonDay.Kind.FIRST_PURCHASE, customer__in=purchases.values("customer"))
    days["orders"].update(counted.values_list("day", flat=True).distinct())
    orders = events.filter(type__in=[Event.Type.PURCHASE, Event.Type.REFUND]).exclude(order_id="").values("order_id")
    refunds = Event.objects.filter(type=Event.Type.REFUND, order_id__in=orders)
    days["refunds"].update(days_of(refunds, "occurred_at"))


def _add_days_of_referrals(days: dict[str, set[date]], referrals: QuerySet[Referral]) -> None:
    counted = PersonDay.objects.filter(referral__in=referrals)
    days["referrals"].update(counted.values_list("day", flat=True).distinct())
    days["referrals"].update(days_of(referrals, "bound_at"))
    days["referrals"].update(days_of(referrals.filter(qualified_at__isnull=False), "qualified_at"))
    purchases = Event.objects.filter(type=Event.Type.PURCHASE, customer__in=referrals.values("friend"))
    days["orders"].update(days_of(purchases, "occurred_at"))


def first_affected_day() -> date | None:
    """Return the earliest day whose numbers may still change when the waiting marks are counted."""
    days = affected_days(claim=0)
    return min((day for found in days.values() for day in found), default=None)
