from django.db import models

from core import clocks
from core.ids import new_id
from core.webhooks import new_secret
from rewards.models.catalogue import Redemption
from rewards.models.fulfilment import Fulfilment


class FulfilmentEndpoint(models.Model):
    """Where signed calls of one kind go, so that the shop's own system gives the credit, card or cash."""

    class Kind(models.TextChoices):
        CREDIT = "credit", "store credit"
        GIFT_CARD = "gift_card", "gift card"
        CASH = "cash", "cash payouts"

    kind = models.CharField(max_length=12, choices=Kind, unique=True)
    url = models.URLField("address", max_length=500)
    secret = models.CharField(max_length=100, default=new_secret)
    old_secret = models.CharField(max_length=100, blank=True, editable=False)
    old_until = models.DateTimeField(null=True, blank=True, editable=False)
    enabled = models.BooleanField(default=True, help_text="switched off: calls wait until it is on again")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    def __str__(self) -> str:
        return self.get_kind_display()


def new_call_id() -> str:
    return new_id("call")


class OutboundCall(models.Model):
    """One signed call to be made until it is answered with a 2xx; `webhook_id` is the same at every try."""

    class State(models.TextChoices):
        DUE = "due", "due"
        SENDING = "sending", "being sent"
        DELIVERED = "delivered", "delivered"
        DEAD = "dead", "given up"
        DROPPED = "dropped", "no longer wanted"

    class Type(models.TextChoices):
        FULFIL = "reward.fulfil", "give"
        REVERSE = "reward.reverse", "take back"
        PAYOUT = "payout.batch", "pay out"
        TEST = "endpoint.test", "test"

    webhook_id = models.CharField(max_length=60, unique=True, default=new_call_id)
    endpoint = models.ForeignKey(FulfilmentEndpoint, on_delete=models.PROTECT, related_name="calls")
    type = models.CharField(max_length=20, choices=Type)
    fulfilment = models.ForeignKey(Fulfilment, on_delete=models.CASCADE, null=True, related_name="calls")
    redemption = models.ForeignKey(Redemption, on_delete=models.CASCADE, null=True, related_name="calls")
    batch = models.ForeignKey("rewards.PayoutBatch", on_delete=models.CASCADE, null=True, related_name="calls")
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=State, default=State.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, help_text="until when a sender has it, on the real clock")
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    answer = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clocks.now, editable=False)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="due"), name="call_due"),
            models.Index(fields=["lease_until"], condition=models.Q(state="sending"), name="call_leased"),
        ]

    def __str__(self) -> str:
        return self.webhook_id
