from django.db import models

from core import clocks
from core.ids import new_id
from referrals.models.clicks import Click
from referrals.models.customers import Customer
from referrals.models.events import Event
from referrals.models.programs import Offer, Program


def new_referral_id() -> str:
    return new_id("ref")


class Referral(models.Model):
    """One friend in one program, credited to one advocate: the pair, the offer, the state."""

    class State(models.TextChoices):
        SIGNED_UP = "signed_up", "signed up"
        QUALIFIED = "qualified", "qualified"
        APPROVED = "approved", "approved"
        REVERSED = "reversed", "reversed"
        FLAGGED = "flagged", "flagged"
        VOIDED = "voided", "voided"
        EXPIRED = "expired", "expired"

    class HeldFor(models.TextChoices):
        RISK = "risk", "its score"
        STAFF = "staff", "staff"
        VETO = "veto", "the shop's answer"

    LIVE = (State.SIGNED_UP, State.QUALIFIED, State.APPROVED, State.REVERSED, State.FLAGGED)

    public_id = models.CharField(max_length=40, unique=True, default=new_referral_id)
    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="referrals")
    instead_of = models.ForeignKey(
        Program,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="the program of the link, where another had taken over",
    )
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="referrals")
    advocate = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="referrals_made")
    friend = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="referrals_received")
    state = models.CharField(max_length=10, choices=State)
    reason = models.CharField(max_length=30, blank=True)
    method = models.CharField(max_length=10, help_text="link, code, coupon, name, manual or claim")
    code = models.CharField(max_length=64, blank=True)
    click = models.ForeignKey(Click, on_delete=models.PROTECT, null=True, related_name="referrals")
    channel = models.CharField(max_length=20, blank=True)
    binding_event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, related_name="bound_referrals")
    touch_at = models.DateTimeField()
    bound_at = models.DateTimeField()
    qualifying_event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, related_name="qualified_referrals")
    qualified_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(help_text="end of the conversion window")
    approve_at = models.DateTimeField(null=True, help_text="end of the hold on the qualifying event")
    approved_at = models.DateTimeField(null=True)
    pardoned_at = models.DateTimeField(null=True, help_text="when staff reopened it in spite of its void reason")
    held = models.BooleanField(default=False, help_text="nothing of it is released")
    held_for = models.CharField(max_length=6, choices=HeldFor, blank=True)
    held_at = models.DateTimeField(null=True)
    held_until = models.DateTimeField(null=True, help_text="when a timer lets it go; empty: staff decide")
    cleared_at = models.DateTimeField(null=True, help_text="when it was let go; its score no longer holds it")
    weigh_at = models.DateTimeField(null=True, help_text="when it is scored again: something of it is released then")
    created_at = models.DateTimeField(default=clocks.now, editable=False, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "friend"],
                condition=models.Q(state__in=["signed_up", "qualified", "approved", "reversed", "flagged"]),
                name="a_friend_has_one_live_referral_a_program",
            ),
        ]
        indexes = [
            models.Index(fields=["approve_at"], condition=models.Q(state="qualified"), name="referral_to_approve"),
            models.Index(fields=["expires_at"], condition=models.Q(state="signed_up"), name="referral_to_expire"),
            models.Index(fields=["advocate", "state"], name="referral_of_advocate"),
            models.Index(fields=["held_at"], condition=models.Q(held=True), name="referral_held"),
            models.Index(fields=["weigh_at"], condition=models.Q(weigh_at__isnull=False), name="referral_to_weigh"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_pardoned(self) -> bool:
        """Whether earlier purchases and blocks no longer count: staff reopened it, or a former tool rewarded it."""
        return self.pardoned_at is not None or self.offer.is_settled


class ReferralStep(models.Model):
    """One step or decision in a referral's life: what, when, why, by whom, with its inputs."""

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="steps")
    at = models.DateTimeField()
    what = models.CharField(max_length=30)
    why = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=100, blank=True, help_text="empty: the rules")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, null=True, related_name="steps")
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["referral", "at"], name="step_of_referral")]

    def __str__(self) -> str:
        return f"{self.what} {self.at:%Y-%m-%d}"


class Assist(models.Model):
    """Another advocate whom a bound friend also used: recorded and thanked, paid only by an `assist` rule."""

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="assists")
    advocate = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="assists")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="assists")
    code = models.CharField(max_length=64, blank=True)
    method = models.CharField(max_length=10)
    at = models.DateTimeField(help_text="of the event that carried the evidence")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["referral", "advocate"], name="an_advocate_assists_a_referral_once")
        ]

    def __str__(self) -> str:
        return f"{self.advocate} for {self.referral}"
