"""What other apps may ask of messaging."""

from messaging.recipients import Recipient
from messaging.services.endpoints import (
    EndpointOff,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    rotate_endpoint_secret,
)
from messaging.services.history import note_sent_elsewhere
from messaging.services.preferences import set_preference, set_preferences
from messaging.services.queueing import Draft, UnknownKind, queue_message, queue_messages, withdraw_message
from messaging.services.replaying import forget_webhooks, replay_delivery, replay_span
from messaging.services.resending import CannotResend, send_again
from messaging.services.retention import forget_contents
from messaging.services.sending import close_expired_leases, deliver_message, send_due
from messaging.services.webhook_sending import send_due_webhooks
from messaging.services.webhooks import (
    WebhookDraft,
    are_webhooks_wanted,
    queue_webhook,
    queue_webhooks,
    send_test_webhook,
)

__all__ = [
    "CannotResend",
    "Draft",
    "EndpointOff",
    "Recipient",
    "UnknownKind",
    "WebhookDraft",
    "are_webhooks_wanted",
    "change_endpoint",
    "close_expired_leases",
    "create_endpoint",
    "delete_endpoint",
    "deliver_message",
    "forget_contents",
    "forget_webhooks",
    "note_sent_elsewhere",
    "queue_message",
    "queue_messages",
    "queue_webhook",
    "queue_webhooks",
    "replay_delivery",
    "replay_span",
    "rotate_endpoint_secret",
    "send_again",
    "send_due",
    "send_due_webhooks",
    "send_test_webhook",
    "set_preference",
    "set_preferences",
    "withdraw_message",
]
