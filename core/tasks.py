"""Celery tasks of the ground floor."""

from celery import shared_task
from django.utils import timezone

from core import dispatch


@shared_task(name="core.tasks.deliver_due")
def deliver_due() -> int:
    """Retry what is due among the deliveries; return how many succeeded."""
    return dispatch.deliver_due(at=timezone.now())
