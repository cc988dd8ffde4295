"""Counting again what is marked: the numbers are always a pure function of the stored facts."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from analytics.metrics import VERSION
from analytics.models import DailyValue, DirtyBucket, PersonDay, RollupState
from analytics.queries.collecting import FAMILIES, Family, reporting_zone
from analytics.queries.dirt import affected_days, first_affected_day, waiting_marks
from analytics.spans import Span, join
from core.periods import local_day

INLINE_MARKS = 20_000
_BATCH = 1000


@transaction.atomic
def refresh_rollups(*, at: datetime, full: bool = False, days: Iterable[date] = ()) -> int:
    """Count again the days that are marked, and `days` too; return how many marks were worked off.

    `full` counts everything anew. Marks and numbers change in one transaction, so that a run cut short
    leaves both as they were; runs wait for one another. Marks of facts that commit meanwhile stay.
    """
    extra = set(days)
    state, _ = RollupState.objects.select_for_update().get_or_create(pk=1)
    everything = full or not _is_current(state)
    if not (everything or extra or waiting_marks().exists()):
        return 0
    state.runs += 1
    claimed = waiting_marks().update(claim=state.runs)
    if everything:
        _refill_all()
    else:
        for name, found in affected_days(claim=state.runs).items():
            for span in join(found | extra):
                _refill(FAMILIES[name], span)
    DirtyBucket.objects.filter(claim=state.runs).delete()
    state.time_zone, state.version, state.refreshed_at = settings.TIME_ZONE, VERSION, at
    state.save()
    return claimed


def _is_current(state: RollupState) -> bool:
    return (state.time_zone, state.version) == (settings.TIME_ZONE, VERSION)


def _refill_all() -> None:
    DailyValue.objects.all().delete()
    PersonDay.objects.all().delete()
    for family in FAMILIES.values():
        _store(family, None)


def _refill(family: Family, span: Span) -> None:
    DailyValue.objects.filter(series__in=family.series, day__gte=span.start, day__lt=span.end).delete()
    PersonDay.objects.filter(kind__in=family.people, day__gte=span.start, day__lt=span.end).delete()
    _store(family, span)


def _store(family: Family, span: Span | None) -> None:
    counted = family.collect(span)
    DailyValue.objects.bulk_create(counted.rows(), batch_size=_BATCH)
    PersonDay.objects.bulk_create(counted.people, batch_size=_BATCH)


def bring_up_to_date(*, at: datetime | None = None) -> date | None:
    """Count what is marked, if it is not too much to wait for, and return the day the numbers are complete through.

    With nothing left to count that is today; with more marks than can be worked off in a moment it is the
    day before the first one that may still change.
    """
    now = at or timezone.now()
    today = local_day(now, reporting_zone())
    state = RollupState.objects.filter(pk=1).first()
    if state is not None and _is_current(state):
        marks = waiting_marks()[: INLINE_MARKS + 1].count()
        if marks == 0:
            return today
        if marks > INLINE_MARKS:
            first = first_affected_day()
            return today if first is None else min(today, first - timedelta(days=1))
    refresh_rollups(at=now)
    return today
