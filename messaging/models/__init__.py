from messaging.models.messages import (
    Message,
    Preference,
    PreferenceChange,
    Purpose,
    RecipientAlias,
    Suppression,
    kind_choices,
    new_message_id,
)
from messaging.models.webhooks import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookVersion,
)

__all__ = [
    "Message",
    "Preference",
    "PreferenceChange",
    "Purpose",
    "RecipientAlias",
    "Suppression",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
    "WebhookVersion",
    "kind_choices",
    "new_message_id",
]
