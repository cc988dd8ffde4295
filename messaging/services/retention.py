"""Forgetting what mails said once nobody needs to look at it any more."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from messaging.models import Message


@transaction.atomic
def forget_contents(*, at: datetime) -> int:
    """Blank wording and values of messages settled longer ago than MESSAGE_RETENTION_DAYS; return how many.

    Who got what kind of mail for which cause, and its outcome, stay.
    """
    old = Message.objects.filter(created_at__lt=at - timedelta(days=settings.MESSAGE_RETENTION_DAYS))
    settled = old.exclude(state__in=[*Message.OPEN, Message.State.SENDING])
    return settled.exclude(context={}, text="", html="").update(context={}, subject="", text="", html="")
