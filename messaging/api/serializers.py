"""How webhook endpoints and their deliveries look in JSON."""

from typing import Any

from rest_framework import serializers

from core.api.serializers import StrictSerializer
from core.webhooks import fingerprint_of
from messaging.models import WebhookDelivery, WebhookEndpoint

_TYPES_HELP = "types such as referral.qualified, beginnings such as reward.*, or *"


class WebhookEndpointIn(StrictSerializer):
    """A new endpoint."""

    url = serializers.CharField(max_length=500)
    types = serializers.ListField(child=serializers.CharField(max_length=60), max_length=50, help_text=_TYPES_HELP)
    description = serializers.CharField(max_length=100, required=False, allow_blank=True)
    contact_email = serializers.EmailField(
        required=False, allow_blank=True, help_text="who is told when it is switched off; else the administrators"
    )


class WebhookEndpointChangeIn(StrictSerializer):
    """What changes of an endpoint; a field that is missing stays as it is."""

    url = serializers.CharField(max_length=500, required=False)
    types = serializers.ListField(
        child=serializers.CharField(max_length=60), max_length=50, required=False, help_text=_TYPES_HELP
    )
    description = serializers.CharField(max_length=100, required=False, allow_blank=True)
    contact_email = serializers.EmailField(required=False, allow_blank=True)
    active = serializers.BooleanField(required=False)


class WebhookEndpointOut(serializers.Serializer[Any]):
    """An endpoint; its secret is told when it is made or rotated, and never again."""

    id = serializers.CharField()
    url = serializers.CharField()
    types = serializers.ListField(child=serializers.CharField())
    description = serializers.CharField()
    contact_email = serializers.CharField()
    active = serializers.BooleanField()
    disabled_reason = serializers.ChoiceField(["by_staff", "gone", "failing"], allow_null=True)
    disabled_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True)
    secret_fingerprint = serializers.CharField(help_text="tells secrets apart without showing them")
    old_secret_until = serializers.DateTimeField(allow_null=True, help_text="until then two secrets sign")
    created_at = serializers.DateTimeField()

    def to_representation(self, instance: WebhookEndpoint) -> dict[str, Any]:
        """Return the endpoint as JSON values."""
        rotating = instance.previous_until is not None and bool(instance.previous_secret)
        return {
            "id": instance.public_id,
            "url": instance.url,
            "types": instance.types,
            "description": instance.description,
            "contact_email": instance.contact_email,
            "active": instance.active,
            "disabled_reason": instance.disabled_reason or None,
            "disabled_at": instance.disabled_at,
            "failing_since": instance.failing_since,
            "secret_fingerprint": fingerprint_of(instance.secret),
            "old_secret_until": instance.previous_until if rotating else None,
            "created_at": instance.created_at,
        }


class WebhookSecretOut(WebhookEndpointOut):
    """An endpoint with its secret, told this once."""

    secret = serializers.CharField(help_text="whsec_ and base64, as the libraries of Standard Webhooks take it")

    def to_representation(self, instance: WebhookEndpoint) -> dict[str, Any]:
        """Return the endpoint as JSON values, its secret included."""
        return super().to_representation(instance) | {"secret": instance.secret}


class WebhookTryOut(serializers.Serializer[Any]):
    """One try of a delivery."""

    at = serializers.DateTimeField()
    milliseconds = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True, help_text="what the endpoint answered; null where it did not")
    body = serializers.CharField(help_text="the beginning of the answer")
    error = serializers.CharField()


class WebhookDeliveryOut(serializers.Serializer[Any]):
    """One event on its way to one endpoint."""

    id = serializers.CharField()
    endpoint = serializers.CharField()
    webhook_id = serializers.CharField(help_text="the same in every try and replay")
    type = serializers.CharField()
    object_id = serializers.CharField()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(WebhookDelivery.State.choices)
    attempts = serializers.IntegerField()
    next_try_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    tries = WebhookTryOut(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields, `data` among them, which the framework keeps for itself."""
        return {**super().get_fields(), "data": serializers.DictField()}

    def to_representation(self, instance: WebhookDelivery) -> dict[str, Any]:
        """Return the delivery as JSON values, its tries oldest first."""
        event = instance.event
        return {
            "id": instance.public_id,
            "endpoint": instance.endpoint.public_id,
            "webhook_id": event.public_id,
            "type": event.type,
            "object_id": event.object_id,
            "version": event.version,
            "data": event.data,
            "state": instance.state,
            "attempts": instance.attempts,
            "next_try_at": instance.due_at if instance.state == WebhookDelivery.State.DUE else None,
            "delivered_at": instance.delivered_at,
            "created_at": instance.created_at,
            "tries": WebhookTryOut(sorted(instance.tries.all(), key=lambda one: one.pk), many=True).data,
        }


class WebhookReplayIn(StrictSerializer):
    """What to send again: one delivery, or a span of time."""

    delivery = serializers.CharField(required=False, help_text="a delivery's id; instead of a span")
    to = serializers.DateTimeField(required=False, help_text="first moment no longer in the span; missing: now")
    only = serializers.ChoiceField(
        ["failed", "all"], required=False, help_text="failed (default): what did not arrive or was never sent"
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields, `from` among them, which Python keeps for itself."""
        start = serializers.DateTimeField(required=False, help_text="first moment of the span")
        return {**super().get_fields(), "from": start}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Demand one of the two, and not both."""
        if "delivery" in attrs and len(attrs) > 1:
            raise serializers.ValidationError({"delivery": ["Expected a delivery or a span, not both."]})
        if "delivery" not in attrs and "from" not in attrs:
            raise serializers.ValidationError({"from": ["Expected a delivery, or the start of a span."]})
        return attrs


class WebhookReplayOut(serializers.Serializer[Any]):
    """How many deliveries are on their way again."""

    queued = serializers.IntegerField()
