from django.db import models

from core import clocks
from core.ids import new_id
from referrals.models.referrals import Referral


def new_call_id() -> str:
    return new_id("veto")


class VetoCall(models.Model):
    """The question to the shop whether a referral's rewards may be released; they wait for the answer."""

    class Stage(models.TextChoices):
        SIGNUP = "signup", "sign-up rewards"
        QUALIFIED = "qualified", "rewards of the conversion"

    class State(models.TextChoices):
        WAITING = "waiting", "no answer yet"
        CALLING = "calling", "being asked"
        PAID = "paid", "may be paid"
        REFUSED = "refused", "refused"
        DROPPED = "dropped", "no longer asked"

    OPEN = (State.WAITING, State.CALLING)

    call_id = models.CharField(max_length=40, unique=True, default=new_call_id)
    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="vetoes")
    stage = models.CharField(max_length=9, choices=Stage)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    due_at = models.DateTimeField()
    asked_since = models.DateTimeField(help_text="when it was first due")
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_by = models.CharField(max_length=40, blank=True)
    lease_until = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True, help_text="why the shop refused")
    last_error = models.CharField(max_length=300, blank=True)
    alerted_at = models.DateTimeField(null=True, help_text="when staff were told that no answer comes")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        verbose_name = "question to the shop"
        verbose_name_plural = "questions to the shop"
        constraints = [models.UniqueConstraint(fields=["referral", "stage"], name="the_shop_is_asked_once_a_stage")]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(state="waiting"), name="veto_to_ask")]

    def __str__(self) -> str:
        return self.call_id
