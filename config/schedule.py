"""What runs when. Every entry is idempotent: a missed or doubled run does no harm."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Job:
    """A repeated piece of work: `task` is the Celery task's name, `every` its period in UTC."""

    task: str
    every: timedelta


SCHEDULE: dict[str, Job] = {
    "sweep": Job("core.tasks.sweep", timedelta(seconds=20)),
    "project-budgets": Job("rewards.tasks.project_budgets", timedelta(hours=1)),
    "prune-job-runs": Job("core.tasks.prune_job_runs", timedelta(days=1)),
    "forget-mail-contents": Job("messaging.tasks.forget_contents", timedelta(days=1)),
    "forget-webhooks": Job("messaging.tasks.forget_webhooks", timedelta(days=1)),
}
