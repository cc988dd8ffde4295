from django.db import models

from core import clocks
from core.ids import new_id
from referrals.models import Customer, Event, Offer, Program, Referral


def new_reward_id() -> str:
    return new_id("rwd")


class Reward(models.Model):
    """What a rule promises one person for one cause, with the inputs it was decided on."""

    class State(models.TextChoices):
        PENDING = "pending", "pending"
        AVAILABLE = "available", "available"
        FULFILLED = "fulfilled", "fulfilled"
        WAITING_STOCK = "waiting_stock", "waiting for stock"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"
        REVOKED = "revoked", "revoked"
        REFUSED = "refused", "refused"

    STANDING = (State.PENDING, State.AVAILABLE, State.FULFILLED, State.WAITING_STOCK, State.FAILED)

    public_id = models.CharField(max_length=40, unique=True, default=new_reward_id)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="rewards")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="rewards")
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, null=True, related_name="rewards")
    recipient = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="rewards")
    side = models.CharField(max_length=10, help_text="advocate or friend")
    rule = models.CharField(max_length=80)
    moment = models.CharField(max_length=12, help_text="signup, qualified, purchase, assist, claim or milestone")
    kind = models.CharField(max_length=12, default="points")
    cause = models.CharField(max_length=80, help_text="what it is for, once: referral:ID or event:ID")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, related_name="rewards")
    points = models.BigIntegerField(default=0, help_text="what stands: granted and not taken back")
    granted_points = models.BigIntegerField(default=0, help_text="as decided first")
    detail = models.JSONField(default=dict, help_text="what another kind gives: the coupon, the perk …")
    inputs = models.JSONField(default=dict, help_text="what the decision rests on")
    state = models.CharField(max_length=14, choices=State)
    reason = models.CharField(max_length=30, blank=True)
    held = models.BooleanField(default=False, help_text="staff keep it from being released, this one alone")
    cleared = models.BooleanField(default=False, help_text="staff let it go though its referral waits for review")
    occurred_at = models.DateTimeField(help_text="of the event that caused it")
    available_at = models.DateTimeField(help_text="end of its hold")
    created_at = models.DateTimeField(default=clocks.now, editable=False, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "rule", "recipient", "cause"],
                condition=models.Q(state__in=["pending", "available", "fulfilled", "waiting_stock", "failed"]),
                name="one_cause_pays_once",
            ),
        ]
        indexes = [
            models.Index(fields=["available_at"], condition=models.Q(state="pending"), name="reward_to_release"),
            models.Index(fields=["recipient", "-created_at"], name="reward_of_recipient"),
            models.Index(
                fields=["program", "points"],
                condition=models.Q(
                    points__gt=0, state__in=["pending", "available", "fulfilled", "waiting_stock", "failed"]
                ),
                name="reward_of_budget",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Settlement(models.Model):
    """What the rewards of a referral were last decided on: the event that qualified, the limit, whether it counts."""

    referral = models.OneToOneField(Referral, on_delete=models.CASCADE, related_name="settlement")
    qualifying_event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, related_name="+")
    limited = models.BooleanField(default=False, help_text="its advocate's side is above the limit of the offer")
    counted = models.BooleanField(default=False, help_text="it counts for tiers and milestones")

    def __str__(self) -> str:
        return f"settlement of {self.referral_id}"


class RewardStep(models.Model):
    """One step in a reward's life: what, when, why, by whom, and by how many points it changed."""

    reward = models.ForeignKey(Reward, on_delete=models.CASCADE, related_name="steps")
    at = models.DateTimeField()
    what = models.CharField(max_length=30)
    why = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=100, blank=True, help_text="empty: the rules")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, help_text="whose arrival led here")
    points = models.BigIntegerField(default=0, help_text="change of the points that stand")
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["reward", "at"], name="step_of_reward")]

    def __str__(self) -> str:
        return f"{self.what} {self.points:+d}"
