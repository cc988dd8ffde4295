"""The mails that staff's own work causes."""

from django.conf import settings
from django.urls import reverse

from accounts.models import ChangeRequest, User
from messaging.models import Message
from messaging.recipients import Recipient
from messaging.services import queue_message


def queue_change_requested(*, change: ChangeRequest, to: User) -> Message:
    """Tell somebody who may approve a change that it waits for them."""
    page = reverse("admin:accounts_changerequest_change", args=[change.pk])
    return queue_message(
        kind="change_requested",
        recipient=Recipient(key=f"user:{to.pk}", email=to.email, name=to.name),
        cause=f"change:{change.pk}",
        context={
            "title": change.title,
            "asked_by": change.asked_by,
            "why": change.reason,
            "page_url": f"{settings.PUBLIC_BASE_URL}{page}",
        },
    )
