"""Messages and webhooks in the admin."""

from messaging.admin.messages import MessageAdmin, PreferenceAdmin, PreferenceChangeAdmin, SuppressionAdmin
from messaging.admin.webhooks import WebhookDeliveryAdmin, WebhookEndpointAdmin

__all__ = [
    "MessageAdmin",
    "PreferenceAdmin",
    "PreferenceChangeAdmin",
    "SuppressionAdmin",
    "WebhookDeliveryAdmin",
    "WebhookEndpointAdmin",
]
