from django.db import models

from referrals.models.customers import Customer


class Event(models.Model):
    """A fact the company reported: immutable and idempotent by `event_id`, the source of truth."""

    class Type(models.TextChoices):
        SIGNUP = "signup", "sign-up"
        PURCHASE = "purchase", "purchase"
        REFUND = "refund", "refund"
        LEAD = "lead", "lead"
        LEAD_STAGE = "lead_stage", "lead stage"
        SUPPORT_CLOSED = "support_closed", "support case closed"
        CUSTOM = "custom", "custom"

    event_id = models.CharField(max_length=200, unique=True)
    type = models.CharField(max_length=16, choices=Type)
    name = models.CharField(max_length=60, blank=True, help_text="of a custom event")
    occurred_at = models.DateTimeField(db_index=True)
    received_at = models.DateTimeField()
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="events")
    order_id = models.CharField(max_length=200, blank=True, db_index=True)
    amount_minor = models.BigIntegerField(null=True, help_text="paid or refunded, or a lead's value, in minor units")
    currency = models.CharField(max_length=3, blank=True)
    code = models.CharField(max_length=64, blank=True)
    click_id = models.CharField(max_length=64, blank=True)
    coupon = models.CharField(max_length=64, blank=True)
    channel = models.CharField(max_length=20, blank=True)
    lead_id = models.CharField(max_length=200, blank=True)
    lead_stage = models.CharField(max_length=12, blank=True)
    body = models.JSONField(help_text="the event as it was sent")
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of the canonical JSON value")
    source = models.CharField(max_length=20, default="api")
    warnings = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order_id"], condition=models.Q(type="purchase"), name="an_order_is_purchased_once"
            ),
        ]
        indexes = [models.Index(fields=["customer", "occurred_at"], name="event_of_customer")]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
