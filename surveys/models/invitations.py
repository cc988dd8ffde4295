import secrets
from datetime import datetime

from django.db import models

from core import clocks
from core.ids import new_id
from referrals.models import Customer
from surveys.models.surveys import Survey, SurveyVersion


def new_invitation_id() -> str:
    return new_id("inv")


def new_token_id() -> str:
    return secrets.token_urlsafe(16)


class Invitation(models.Model):
    """One person asked once, or the decision not to ask them, with its reason."""

    class State(models.TextChoices):
        PLANNED = "planned", "planned"
        SENT = "sent", "sent"
        ANSWERED = "answered", "answered"
        EXPIRED = "expired", "expired"
        NOT_ASKED = "not_asked", "not asked"

    OPEN = (State.PLANNED, State.SENT)

    public_id = models.CharField(max_length=40, unique=True, default=new_invitation_id)
    token_id = models.CharField(max_length=40, unique=True, default=new_token_id, help_text="named by the signed link")
    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="invitations")
    version = models.ForeignKey(SurveyVersion, on_delete=models.PROTECT, related_name="invitations")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invitations")
    state = models.CharField(max_length=9, choices=State)
    reason = models.CharField(max_length=30, blank=True, help_text="why this person was not asked")
    next_at = models.DateTimeField(null=True, help_text="when the person who was not asked may be asked again")
    cause = models.CharField(max_length=100, help_text="what made us ask: api, staff, renewal:ID …")
    forced = models.BooleanField(default=False, help_text="asked although the throttle spoke against it")
    decided_at = models.DateTimeField()
    send_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True, help_text="when the one reminder was put on its way")
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["customer", "send_at"], name="invitation_of_customer"),
            models.Index(
                fields=["expires_at"], condition=models.Q(state__in=["planned", "sent"]), name="invitation_to_expire"
            ),
            models.Index(
                fields=["sent_at"], condition=models.Q(state="sent", reminded_at=None), name="invitation_to_remind"
            ),
            models.Index(fields=["survey", "send_at"], name="invitation_by_day"),
            models.Index(fields=["send_at"], condition=models.Q(state="planned"), name="invitation_planned"),
        ]

    def __str__(self) -> str:
        return self.public_id

    def is_over(self, at: datetime) -> bool:
        """Whether it can no longer be answered at `at`."""
        return self.state == self.State.EXPIRED or at >= self.expires_at


class SurveyClick(models.Model):
    """A link of an invitation was opened, by a person or a machine. It is evidence, never an answer."""

    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="clicks")
    at = models.DateTimeField()
    method = models.CharField(max_length=4)
    score = models.PositiveSmallIntegerField(null=True)
    seconds_since_sent = models.PositiveIntegerField(null=True, help_text="empty where the mail is not known as sent")
    trap = models.BooleanField("hidden link", default=False, help_text="the link that no person sees was opened")
    prefetch = models.BooleanField(default=False, help_text="a header told of a prefetch")
    headers = models.JSONField(default=dict, help_text="those that tell a person from a machine")
    waits = models.BooleanField(default=False, help_text="a score was tapped that no job has taken up yet")

    class Meta:
        indexes = [
            models.Index(fields=["invitation", "at"], name="click_of_invitation"),
            models.Index(fields=["at"], condition=models.Q(waits=True), name="click_to_take_up"),
        ]

    def __str__(self) -> str:
        return f"{self.invitation_id} at {self.at:%Y-%m-%d %H:%M}"
