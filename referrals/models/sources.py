"""Webhooks in: systems that report by themselves, and every call of theirs."""

from django.db import models

from core import clocks
from core.ids import new_id
from referrals.models.customers import Customer


def new_call_id() -> str:
    """Return a new public id of a call."""
    return new_id("call")


class Source(models.Model):
    """A system that reports what happens: its address is `/in/KIND/SLUG/`, its secret proves that it is the one."""

    class Kind(models.TextChoices):
        STRIPE = "stripe", "Stripe"
        SHOPIFY = "shopify", "Shopify"
        WOOCOMMERCE = "woocommerce", "WooCommerce"
        HMAC = "hmac", "any other, signed (HMAC)"

    kind = models.CharField("system", max_length=12, choices=Kind)
    slug = models.SlugField("name in its address", max_length=40, unique=True)
    name = models.CharField(max_length=100, blank=True)
    secret = models.CharField(max_length=200, editable=False)
    previous_secret = models.CharField(max_length=200, blank=True, editable=False)
    previous_until = models.DateTimeField("old secret is accepted until", null=True, blank=True, editable=False)
    options = models.JSONField(default=dict, blank=True)
    active = models.BooleanField(default=True)
    last_received_at = models.DateTimeField("last call", null=True, editable=False)
    bad_signatures = models.PositiveIntegerField("calls with a wrong signature", default=0, editable=False)
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    def __str__(self) -> str:
        return self.name or f"{self.get_kind_display()} ({self.slug})"


class InboundCall(models.Model):
    """One genuine call of a source: its hash for ever, its text for 90 days, what became of it and why."""

    class State(models.TextChoices):
        DUE = "due", "waiting"
        DONE = "done", "recorded"
        IGNORED = "ignored", "nothing to record"
        PROBLEM = "problem", "could not be used"

    public_id = models.CharField(max_length=40, unique=True, default=new_call_id, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="calls")
    topic = models.CharField("about", max_length=100, blank=True)
    provider_event_id = models.CharField("their id", max_length=200, blank=True)
    body_sha256 = models.CharField("SHA-256 of the body", max_length=64)
    raw = models.BinaryField(null=True, help_text="as it was received; forgotten after 90 days, or with the person")
    received_at = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=8, choices=State, default=State.DUE)
    problem = models.CharField("why", max_length=500, blank=True)
    code = models.CharField(max_length=40, blank=True, help_text="machine-readable reason")
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    customer = models.ForeignKey(
        Customer, on_delete=models.SET_NULL, null=True, related_name="+", help_text="whom it was about"
    )
    events = models.JSONField(default=list, help_text="event ids it was recorded as, or already known by")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "body_sha256"], name="a_body_is_received_once_a_source"),
            models.UniqueConstraint(
                fields=["source", "provider_event_id"],
                condition=~models.Q(provider_event_id=""),
                name="a_providers_event_is_received_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["ignored", "problem"]) | ~models.Q(problem=""),
                name="a_call_that_was_not_used_says_why",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(state="due"), name="inbound_due")]

    def __str__(self) -> str:
        return f"{self.topic or 'call'} {self.provider_event_id or self.body_sha256[:8]}"


class OrderAlias(models.Model):
    """Another name that a source has for an order: a payment's or an invoice's id, a number."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="aliases")
    alias = models.CharField(max_length=200)
    order_id = models.CharField(max_length=200)

    class Meta:
        verbose_name_plural = "order aliases"
        constraints = [models.UniqueConstraint(fields=["source", "alias"], name="an_alias_names_one_order_a_source")]

    def __str__(self) -> str:
        return f"{self.alias} is {self.order_id}"
