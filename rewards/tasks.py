"""Celery tasks of rewards: thin, the work is in the rows."""

from celery import shared_task
from django.utils import timezone

from rewards.services.calling import send_calls_due


@shared_task(name="rewards.tasks.send_calls")
def send_calls() -> int:
    """Make the signed calls that are due now; return how many were answered well."""
    return send_calls_due(at=timezone.now())
