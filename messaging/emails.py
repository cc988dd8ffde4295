"""The mails that staff's own work and failing endpoints cause."""

from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from accounts.models import ChangeRequest, User
from messaging.models import Message, WebhookEndpoint
from messaging.recipients import Recipient
from messaging.services import Draft, queue_message, queue_messages


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


def queue_endpoint_disabled(*, endpoint: WebhookEndpoint) -> list[Message]:
    """Tell the endpoint's owner, or where none is named every administrator, that it was switched off."""
    since = endpoint.disabled_at.isoformat() if endpoint.disabled_at else ""
    context = {
        "endpoint": endpoint.description or urlsplit(endpoint.url).hostname or "",
        "gone": int(endpoint.disabled_reason == WebhookEndpoint.Reason.GONE),
        "admin_url": settings.PUBLIC_BASE_URL + reverse("admin:messaging_webhookendpoint_change", args=[endpoint.pk]),
    }
    cause = f"webhook-endpoint:{endpoint.pk}:{since}"
    return queue_messages(
        drafts=[
            Draft(kind="webhook_disabled", recipient=recipient, cause=cause, context=context)
            for recipient in _owners(endpoint)
        ]
    )


def _owners(endpoint: WebhookEndpoint) -> list[Recipient]:
    if endpoint.contact_email:
        return [Recipient(key=f"webhook-endpoint:{endpoint.pk}", email=endpoint.contact_email)]
    administrators = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")
    return [Recipient(key=f"user:{user.pk}", email=user.email, name=user.name) for user in administrators]
