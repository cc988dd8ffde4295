"""Celery tasks of analytics."""

from celery import shared_task
from django.utils import timezone

from analytics.services.rollups import refresh_rollups


@shared_task(name="analytics.tasks.refresh")
def refresh() -> int:
    """Count again what is marked; return how many marks were worked off."""
    return refresh_rollups(at=timezone.now())
