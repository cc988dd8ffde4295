"""Celery tasks of messaging: thin, the work is in the rows."""

from celery import shared_task
from django.utils import timezone

from messaging import services


@shared_task(name="messaging.tasks.send_due")
def send_due() -> int:
    """Send what is due now; return how many mails left."""
    return services.send_due(at=timezone.now())


@shared_task(name="messaging.tasks.forget_contents")
def forget_contents() -> int:
    """Forget the wording of mails older than the retention; return how many."""
    return services.forget_contents(at=timezone.now())


@shared_task(name="messaging.tasks.send_webhooks")
def send_webhooks() -> int:
    """Tell endpoints what is due now; return how many tries were made."""
    return services.send_due_webhooks(at=timezone.now())


@shared_task(name="messaging.tasks.forget_webhooks")
def forget_webhooks() -> int:
    """Forget old webhooks with their log; return how many."""
    return services.forget_webhooks(at=timezone.now())
