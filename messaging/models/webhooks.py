"""Webhooks out: who is told what, each event once, each delivery with every try."""

from django.db import models

from core import clocks
from core.ids import new_id
from core.webhooks import new_secret


def new_endpoint_id() -> str:
    """Return a new public id of an endpoint."""
    return new_id("whe")


def new_webhook_id() -> str:
    """Return a new public id of a webhook event: its `webhook-id`, the same in every try and replay."""
    return new_id("evt")


def new_delivery_id() -> str:
    """Return a new public id of a delivery."""
    return new_id("whd")


class WebhookEndpoint(models.Model):
    """An address of the company's that is told of events; `types` are those it asked for, `referral.*` included."""

    class Reason(models.TextChoices):
        NONE = "", "–"
        BY_STAFF = "by_staff", "switched off by hand"
        GONE = "gone", "the address answered that it is gone (410)"
        FAILING = "failing", "nothing arrived for five days"

    public_id = models.CharField(max_length=40, unique=True, default=new_endpoint_id, editable=False)
    url = models.CharField("address", max_length=500)
    description = models.CharField(max_length=100, blank=True)
    types = models.JSONField(default=list, help_text="such as referral.qualified, reward.* or *")
    contact_email = models.EmailField(
        blank=True, help_text="who is told when it is switched off; empty: the administrators"
    )
    secret = models.CharField(max_length=120, default=new_secret, editable=False)
    previous_secret = models.CharField(max_length=120, blank=True, editable=False)
    previous_until = models.DateTimeField(
        "old secret signs until", null=True, blank=True, help_text="both secrets sign until then"
    )
    active = models.BooleanField(default=True)
    disabled_reason = models.CharField("why it is off", max_length=12, choices=Reason, default=Reason.NONE, blank=True)
    disabled_at = models.DateTimeField("off since", null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True, help_text="first failure since the last success")
    failures = models.PositiveIntegerField("straight failures", default=0)
    rests_until = models.DateTimeField(null=True, blank=True, help_text="not called before, after many failures")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(active=True) | ~models.Q(disabled_reason=""), name="an_endpoint_that_is_off_says_why"
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.url


class WebhookVersion(models.Model):
    """How often an object has been told of: the `version` of its newest event."""

    family = models.CharField(max_length=40)
    object_id = models.CharField(max_length=200)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["family", "object_id"], name="one_version_an_object")]

    def __str__(self) -> str:
        return f"{self.family} {self.object_id}: {self.version}"


class WebhookEvent(models.Model):
    """Something endpoints are told of, as it was told; the same `public_id` in every try and replay."""

    public_id = models.CharField(max_length=40, unique=True, default=new_webhook_id, editable=False)
    type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=200)
    version = models.PositiveIntegerField()
    data = models.JSONField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(version__gte=1), name="a_webhook_event_has_a_version"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.object_id}"


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint: due, being sent, delivered or dead."""

    class State(models.TextChoices):
        DUE = "due", "waiting"
        SENDING = "sending", "being sent"
        DELIVERED = "delivered", "delivered"
        DEAD = "dead", "given up"

    public_id = models.CharField(max_length=40, unique=True, default=new_delivery_id, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=10, choices=State, default=State.DUE)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="tries of this round; ten at most")
    due_at = models.DateTimeField()
    claimed_by = models.CharField(max_length=40, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField("last answer", null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clocks.now, editable=False, db_index=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="an_endpoint_is_told_of_an_event_once"),
            models.CheckConstraint(
                condition=~models.Q(state="sending") | models.Q(lease_until__isnull=False),
                name="a_webhook_being_sent_is_leased",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="due"), name="webhook_due"),
            models.Index(fields=["endpoint"], condition=models.Q(state="sending"), name="webhook_in_flight"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint}"


class WebhookAttempt(models.Model):
    """One try of a delivery: what the other side answered, or why nothing came."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField(default=0)
    status = models.PositiveSmallIntegerField("answer", null=True)
    body = models.TextField("its text", blank=True, help_text="the beginning of what was answered")
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["delivery", "-at"], name="try_of_delivery")]

    def __str__(self) -> str:
        return f"{self.status or self.error}"
