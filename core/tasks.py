"""Celery tasks of the ground floor: thin, and free to be lost, since the work lives in rows."""

from celery import current_app, shared_task
from django.utils import timezone

from core import dispatch
from core.services import jobs


@shared_task(name="core.tasks.deliver_due")
def deliver_due() -> int:
    """Retry what is due among the deliveries; return how many succeeded."""
    return dispatch.deliver_due(at=timezone.now())


@shared_task(name="core.tasks.sweep")
def sweep() -> int:
    """Do everything that is due, whether or not a doorbell rang for it; return how many items."""
    results = jobs.run_due_work(at=timezone.now())
    failed = [f"{result.name}: {result.error}" for result in results if result.error]
    if failed:
        raise RuntimeError("; ".join(failed))
    return sum(result.count for result in results)


@shared_task(name="core.tasks.prune_job_runs")
def prune_job_runs() -> int:
    """Forget old job runs; return how many."""
    return jobs.prune_job_runs(at=timezone.now())


@shared_task(name="core.tasks.run_scheduled")
def run_scheduled(name: str) -> str:
    """Run one job of the schedule, once per period however many schedulers there are; return how it went."""
    job = jobs.scheduled_job(name)
    period = jobs.period_of(at=timezone.now(), every=job.every)
    run = jobs.run_job_once(job=name, period=period, work=current_app.tasks[job.task])
    return run.outcome if run else "already claimed"
