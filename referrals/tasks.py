"""Celery tasks of referrals: thin, the work is in the rows."""

from celery import shared_task
from django.utils import timezone

from referrals.services import inbound


@shared_task(name="referrals.tasks.translate_calls")
def translate_calls() -> int:
    """Record what the shop's calls tell; return how many were taken up."""
    return inbound.translate_due(at=timezone.now())
