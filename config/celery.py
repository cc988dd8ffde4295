"""The Celery application: a doorbell and a clock. The work itself lives in database rows."""

import os

from celery import Celery

from config.schedule import SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("goodword")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = {
    # A message nobody took within its period is dropped: the next one does the same work.
    name: {
        "task": "core.tasks.run_scheduled",
        "schedule": job.every,
        "args": (name,),
        "options": {"expires": job.every.total_seconds()},
    }
    for name, job in SCHEDULE.items()
}
app.autodiscover_tasks()
