from django.db import models

from core import clocks
from rewards.models.catalogue import Redemption
from rewards.models.rewards import Reward


class CouponPool(models.Model):
    """Coupon codes of one kind, by the name that program files use (`coupon: WELCOME10`)."""

    class Source(models.TextChoices):
        UPLOADED = "uploaded", "uploaded codes"
        PATTERN = "pattern", "made from a pattern"

    name = models.CharField(max_length=60, unique=True, help_text="as program files say it, such as WELCOME10")
    gives = models.CharField(max_length=120, help_text="what the customer reads, such as “10 % off your first order”")
    source = models.CharField(max_length=8, choices=Source, default=Source.UPLOADED)
    pattern = models.CharField(
        max_length=40, blank=True, help_text="such as WELCOME-#######: each # becomes a random character"
    )
    valid_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="days a coupon is valid after it was given; empty: without end"
    )
    alert_days = models.PositiveSmallIntegerField(
        "warn this many days ahead", default=21, help_text="when the stock is forecast to end sooner, staff get a mail"
    )
    alerted_at = models.DateTimeField(null=True, blank=True, editable=False)
    check_at = models.DateTimeField(default=clocks.now, editable=False, help_text="when the stock is looked at next")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["check_at"], name="pool_to_check")]

    def __str__(self) -> str:
        return self.name


class Coupon(models.Model):
    """One single-use code: free, given to somebody, used for an order, or blocked because it was taken back."""

    class State(models.TextChoices):
        FREE = "free", "free"
        GIVEN = "given", "given"
        USED = "used", "used"
        BLOCKED = "blocked", "blocked"

    pool = models.ForeignKey(CouponPool, on_delete=models.PROTECT, related_name="coupons")
    code = models.CharField(max_length=40, help_text="as the shop knows it")
    key = models.CharField(max_length=64, unique=True, help_text="its stored spelling, whoever types it how")
    state = models.CharField(max_length=8, choices=State, default=State.FREE)
    reward = models.OneToOneField(Reward, on_delete=models.PROTECT, null=True, related_name="coupon")
    redemption = models.ForeignKey(Redemption, on_delete=models.PROTECT, null=True, related_name="coupons")
    given_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    order_id = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reward=None) | models.Q(redemption=None), name="coupon_given_for_one_thing"
            ),
        ]
        indexes = [
            models.Index(fields=["pool"], condition=models.Q(state="free"), name="coupon_free"),
            models.Index(fields=["pool", "given_at"], name="coupon_given"),
        ]

    def __str__(self) -> str:
        return self.code
