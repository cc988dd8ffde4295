"""Making mails nobody's: that one was written, when and how it went stays; to whom and what it said goes."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from messaging.mailbox import delete_mails_to
from messaging.models import Message, Suppression, WebhookEvent, WebhookVersion
from messaging.queries import suppression_key

ABOUT_OTHERS = ("friend_name", "why")


@transaction.atomic
def erase_recipient(*, keys: Collection[str], email: str, causes: Collection[str]) -> int:
    """Blank all mails to these recipients or this address, and what mails for `causes` told of them; return how many.

    What still waits to be sent to them is withdrawn; what waits to be sent to others goes without the name.
    A suppressed address stays suppressed under its keyed hash.
    """
    own = Q(recipient_key__in=keys)
    if email:
        own |= Q(email__iexact=email)
        Suppression.objects.filter(email=email.lower()).update(email=suppression_key(email), note="")
    waiting = [*Message.OPEN, Message.State.SENDING]
    Message.objects.filter(own, state__in=waiting).update(
        state=Message.State.NOT_SENT, reason=Message.Reason.WITHDRAWN, lease_until=None
    )
    gone = Message.objects.filter(own).update(
        email="", name="", locale="", time_zone="", context={}, subject="", text="", html="", last_error=""
    )
    about = Message.objects.filter(cause__in=causes).exclude(own)
    about.exclude(state__in=waiting).update(context={}, subject="", text="", html="")
    for message in about.filter(state__in=waiting):
        message.context = {key: "" if key in ABOUT_OTHERS else value for key, value in message.context.items()}
        message.save(update_fields=["context"])
    if email and settings.EMAIL_FILE_PATH:
        folder = Path(settings.EMAIL_FILE_PATH)
        transaction.on_commit(lambda: delete_mails_to(folder, email))
    return gone


@transaction.atomic
def erase_webhooks_about(*, external_id: str) -> int:
    """Forget the webhooks that name this id of a person, with what was answered to them; return how many events."""
    named = Q(object_id=external_id)
    for key in ("customer", "to", "advocate", "friend"):
        named |= Q(**{f"data__{key}": external_id})
    about = list(WebhookEvent.objects.filter(named).values_list("pk", flat=True))
    WebhookEvent.objects.filter(pk__in=about).delete()
    WebhookVersion.objects.filter(Q(object_id=external_id) | Q(object_id__endswith=f":{external_id}")).delete()
    return len(about)


def export_recipient(*, keys: Collection[str]) -> list[dict[str, Any]]:
    """Return every mail to these recipients, oldest first, as JSON values."""
    return [
        {
            "kind": one.kind,
            "email": one.email,
            "state": one.state,
            "created_at": one.created_at,
            "sent_at": one.sent_at,
            "subject": one.subject,
            "text": one.text,
        }
        for one in Message.objects.filter(recipient_key__in=keys).order_by("pk")
    ]
