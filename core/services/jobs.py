"""Scheduled jobs and due work: what runs, that it runs once a period, and how it went."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from core.clocks import clock_at
from core.models import JobRun

MAX_PASSES = 100
KEPT = timedelta(days=7)

logger = logging.getLogger(__name__)


class Job(Protocol):
    """A repeated piece of work: `task` is the Celery task's name, `every` its period in UTC."""

    @property
    def task(self) -> str: ...
    @property
    def every(self) -> timedelta: ...


class DueWork(Protocol):
    """Does all the work of one kind that is due at `at`; returns how many items it did."""

    def __call__(self, *, at: datetime) -> int: ...


@dataclass(frozen=True, slots=True)
class DueResult:
    """What one kind of due work came to; `error` is empty where nothing failed."""

    name: str
    count: int
    error: str = ""


def scheduled_job(name: str) -> Job:
    """Return the job of that name in the schedule; KeyError if there is none."""
    schedule: dict[str, Job] = import_string(settings.SCHEDULE)
    return schedule[name]


def period_of(*, at: datetime, every: timedelta) -> str:
    """Return the name of the period that `at` falls into: its first instant, in UTC."""
    seconds = int(every.total_seconds())
    start = int(at.timestamp()) // seconds * seconds
    return datetime.fromtimestamp(start, UTC).isoformat()


def run_job_once(*, job: str, period: str, work: Callable[[], object]) -> JobRun | None:
    """Do `work` unless some process has already claimed this period; return the run, or None if it was claimed.

    A failure is kept on the run and raised again; the next period tries anew.
    """
    try:
        with transaction.atomic():
            run = JobRun.objects.create(job=job, period=period)
    except IntegrityError:
        return None
    try:
        outcome = str(work())
    except Exception as error:
        outcome = f"failed: {type(error).__name__}: {error}"
        raise
    finally:
        JobRun.objects.filter(pk=run.pk).update(finished_at=timezone.now(), outcome=outcome[:200])
    run.refresh_from_db()
    return run


def run_due_work(*, at: datetime) -> list[DueResult]:
    """Do everything that is due at `at`, in the order of the list, until nothing is; one result per kind.

    One kind that fails does not keep the others from running.
    """
    kinds: list[tuple[str, DueWork]] = import_string(settings.DUE)
    done = dict.fromkeys((name for name, _ in kinds), 0)
    errors: dict[str, str] = {}
    for _ in range(MAX_PASSES):
        moved = 0
        for name, work in kinds:
            count = _do(name, work, at=at, errors=errors)
            done[name] += count
            moved += count
        if not moved:
            break
    else:
        logger.error("due work has not come to rest after %s passes: %s", MAX_PASSES, done)
    return [DueResult(name, done[name], errors.get(name, "")) for name, _ in kinds]


def _do(name: str, work: DueWork, *, at: datetime, errors: dict[str, str]) -> int:
    if name in errors:
        return 0
    try:
        with clock_at(at):
            return work(at=at)
    except Exception as error:
        logger.exception("due work %s failed", name)
        errors[name] = f"{type(error).__name__}: {error}"
        return 0


def prune_job_runs(*, at: datetime) -> int:
    """Forget the runs of more than 7 days ago; return how many."""
    return JobRun.objects.filter(started_at__lt=at - KEPT).delete()[0]
