from datetime import datetime

from django.db import models
from django.utils.dateparse import parse_datetime

from core import clocks
from core.ids import new_id
from referrals.models import Customer


def new_redemption_id() -> str:
    return new_id("rdm")


class CatalogueItem(models.Model):
    """Something customers get for points: its price, how many are left, when, and how it is handed over."""

    class Kind(models.TextChoices):
        MANUAL = "manual", "by hand"
        COUPON = "coupon", "coupon"
        CREDIT = "credit", "store credit"
        GIFT_CARD = "gift_card", "gift card"
        PERK = "perk", "perk"

    slug = models.SlugField(max_length=60, unique=True, help_text="its name in addresses and in the API")
    title = models.CharField(max_length=80)
    words = models.TextField(max_length=600, blank=True, help_text="what the customer reads about it")
    points = models.PositiveIntegerField(help_text="the price of one")
    stock = models.PositiveIntegerField(null=True, blank=True, help_text="how many are left; empty: unlimited")
    per_customer = models.PositiveIntegerField(
        null=True, blank=True, help_text="how many one customer may have; empty: no limit"
    )
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.MANUAL)
    what = models.CharField(
        max_length=60, blank=True, help_text="what is handed over: the coupon pool, the perk, the article number"
    )
    amount_minor = models.PositiveBigIntegerField(null=True, blank=True, help_text="of a credit or gift card, in cents")
    currency = models.CharField(max_length=3, blank=True, help_text="ISO 4217")
    starts_at = models.DateTimeField(null=True, blank=True, help_text="empty: at once")
    ends_at = models.DateTimeField(null=True, blank=True, help_text="empty: for ever; from then on it is gone")
    is_shown = models.BooleanField("shown", default=True)
    picture = models.BinaryField(blank=True, default=bytes)
    picture_type = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(points__gt=0), name="item_costs_something"),
            models.CheckConstraint(
                condition=models.Q(ends_at=None)
                | models.Q(starts_at=None)
                | models.Q(starts_at__lt=models.F("ends_at")),
                name="item_starts_before_it_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Redemption(models.Model):
    """Points that a customer gave for an item: what they cost then, and what became of it."""

    class State(models.TextChoices):
        RESERVED = "reserved", "reserved"
        PLACED = "placed", "placed"
        FULFILLED = "fulfilled", "fulfilled"
        CANCELLED = "cancelled", "cancelled"
        FAILED = "failed", "failed"

    class WaitsFor(models.TextChoices):
        PEOPLE = "people", "somebody of the company"
        STOCK = "stock", "coupon codes"
        SHOP = "shop", "the shop's answer"

    STANDING = (State.RESERVED, State.PLACED, State.FULFILLED)

    public_id = models.CharField(max_length=40, unique=True, default=new_redemption_id)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="redemptions")
    item = models.ForeignKey(CatalogueItem, on_delete=models.PROTECT, related_name="redemptions")
    title = models.CharField(max_length=80, help_text="the item's, as it was then")
    quantity = models.PositiveIntegerField()
    points = models.PositiveBigIntegerField(help_text="paid for all of them")
    takes_stock = models.BooleanField(help_text="whether it took from a limited stock")
    kind = models.CharField(max_length=12)
    detail = models.JSONField(default=dict, help_text="what is handed over, as the item said then")
    state = models.CharField(max_length=10, choices=State)
    waits_for = models.CharField(
        max_length=8, choices=WaitsFor, default=WaitsFor.PEOPLE, help_text="whose turn it is while it is placed"
    )
    due_at = models.DateTimeField(null=True, help_text="when handing it over is tried again")
    expires_at = models.DateTimeField(null=True, help_text="end of a reservation that is not confirmed")
    request_key = models.CharField(
        max_length=80, blank=True, help_text="of the form it came from, so that it comes once"
    )
    outcome = models.TextField(blank=True, help_text="what the customer reads when it is done or undone")
    created_at = models.DateTimeField(default=clocks.now, editable=False)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(points__gt=0, quantity__gt=0), name="redemption_is_of_something"),
            models.CheckConstraint(
                condition=~models.Q(state="reserved") | models.Q(expires_at__isnull=False),
                name="reservation_ends",
            ),
            models.UniqueConstraint(
                fields=["request_key"], condition=~models.Q(request_key=""), name="one_redemption_a_form"
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-created_at"], name="redemption_of_customer"),
            models.Index(fields=["expires_at"], condition=models.Q(state="reserved"), name="reservation_to_end"),
            models.Index(fields=["due_at"], condition=models.Q(state="placed"), name="redemption_to_hand_over"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def good_until(self) -> datetime | None:
        """Until when its coupons are good, where they end."""
        return parse_datetime(str(self.detail.get("expires_at") or ""))


class RedemptionStep(models.Model):
    """One step in a redemption's life: what, when, why and by whom."""

    redemption = models.ForeignKey(Redemption, on_delete=models.CASCADE, related_name="steps")
    at = models.DateTimeField()
    what = models.CharField(max_length=12)
    why = models.CharField(max_length=500, blank=True)
    actor = models.CharField(max_length=100, blank=True, help_text="empty: the rules")

    class Meta:
        indexes = [models.Index(fields=["redemption", "at"], name="step_of_redemption")]

    def __str__(self) -> str:
        return self.what
