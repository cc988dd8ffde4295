from django.conf import settings
from django.db import models

from core import clocks
from core.ids import new_id
from rewards.models.fulfilment import Fulfilment


def new_batch_id() -> str:
    return new_id("pay")


def new_item_id() -> str:
    return new_id("pit")


class PayoutBatch(models.Model):
    """Cash rewards of one currency, to be paid by the company: made by one person, approved by another."""

    class State(models.TextChoices):
        DRAFT = "draft", "waits for approval"
        APPROVED = "approved", "approved"
        HANDED_OVER = "handed_over", "handed over"
        CLOSED = "closed", "closed"
        DISCARDED = "discarded", "discarded"

    public_id = models.CharField(max_length=40, unique=True, default=new_batch_id)
    currency = models.CharField(max_length=3)
    minimum_minor = models.BigIntegerField(default=0, help_text="least total of one customer, in minor units")
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clocks.now, editable=False)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    handed_over_at = models.DateTimeField(null=True, help_text="when it was exported or called first")

    class Meta:
        verbose_name_plural = "payout batches"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(approved_by=None) | ~models.Q(approved_by=models.F("created_by")),
                name="payout_approved_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "discarded"]) | models.Q(approved_by__isnull=False),
                name="payout_handed_over_only_approved",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class PayoutItem(models.Model):
    """One cash reward in a batch; a reward stands in one batch at a time."""

    class State(models.TextChoices):
        OPEN = "open", "open"
        PAID = "paid", "paid"
        FAILED = "failed", "failed"
        REMOVED = "removed", "removed"

    public_id = models.CharField(max_length=40, unique=True, default=new_item_id)
    batch = models.ForeignKey(PayoutBatch, on_delete=models.CASCADE, related_name="items")
    fulfilment = models.ForeignKey(Fulfilment, on_delete=models.PROTECT, related_name="payout_items")
    amount_minor = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    note = models.CharField(max_length=200, blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["fulfilment"],
                condition=models.Q(state__in=["open", "paid"]),
                name="a_reward_stands_in_one_payout",
            ),
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="payout_item_pays_something"),
        ]

    def __str__(self) -> str:
        return self.public_id
