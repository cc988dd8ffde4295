"""Taking over what was sent before, or by others."""

from datetime import datetime

from django.db import transaction

from messaging.models import Message


@transaction.atomic
def note_sent_elsewhere(*, kind: str, cause: str, at: datetime) -> int:
    """Keep that what waits to be sent for this cause has already reached people at `at`; return how many mails."""
    waiting = Message.objects.filter(kind=kind, cause=cause, state=Message.State.QUEUED)
    return waiting.update(state=Message.State.SENT, sent_at=at)
