from django.db import models

from core import clocks
from core.ids import new_id
from referrals.models import Customer
from surveys.models.invitations import Invitation
from surveys.models.surveys import Survey, SurveyVersion


def new_response_id() -> str:
    return new_id("rsp")


class Response(models.Model):
    """What one person answered to one invitation, as it stands now. Only confirmed ones count."""

    class State(models.TextChoices):
        PROVISIONAL = "provisional", "provisional"
        CONFIRMED = "confirmed", "confirmed"
        DISCARDED = "discarded", "discarded"

    class ConfirmedBy(models.TextChoices):
        BUTTON = "button", "pressed the button"
        COMMENT = "comment", "wrote a comment"
        CHANGE = "change", "changed the score"
        LATE_OPEN = "late_open", "opened the page late"
        LATE_CLICK = "late_click", "one late click"

    public_id = models.CharField(max_length=40, unique=True, default=new_response_id)
    invitation = models.ForeignKey(Invitation, on_delete=models.PROTECT, related_name="responses")
    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="responses")
    version = models.ForeignKey(SurveyVersion, on_delete=models.PROTECT, related_name="responses")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="responses")
    kind = models.CharField("scale", max_length=4, choices=Survey.Kind)
    score = models.PositiveSmallIntegerField(null=True)
    comment = models.TextField(blank=True)
    language = models.CharField(max_length=20, blank=True, help_text="in which the question was read")
    state = models.CharField(max_length=11, choices=State)
    confirmed_by = models.CharField(max_length=10, choices=ConfirmedBy, blank=True)
    reasons = models.JSONField(default=list, help_text="what the state rests on")
    settled_at = models.DateTimeField(null=True, help_text="when it was judged by all its traces")
    first_at = models.DateTimeField(help_text="when the first answer came; the time to change it runs from here")
    at = models.DateTimeField(help_text="when the answer that stands came; it counts on this day")
    revision = models.PositiveSmallIntegerField(default=1, help_text="number of the revision that stands")
    created_at = models.DateTimeField(default=clocks.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invitation"],
                condition=models.Q(state__in=["provisional", "confirmed"]),
                name="an_invitation_has_one_active_response",
            ),
            models.CheckConstraint(
                condition=models.Q(score__isnull=True)
                | models.Q(kind="nps", score__lte=10)
                | models.Q(kind="csat", score__gte=1, score__lte=5)
                | models.Q(kind="ces", score__gte=1, score__lte=7),
                name="a_score_is_on_its_scale",
            ),
        ]
        indexes = [
            models.Index(fields=["survey", "state", "at"], name="response_of_survey"),
            models.Index(fields=["customer", "at"], name="response_of_customer"),
            models.Index(fields=["at"], condition=models.Q(settled_at=None), name="response_to_settle"),
        ]

    def __str__(self) -> str:
        return self.public_id


class ResponseRevision(models.Model):
    """One of the answers a person gave to one invitation; all are kept."""

    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveSmallIntegerField()
    score = models.PositiveSmallIntegerField(null=True)
    comment = models.TextField(blank=True)
    state = models.CharField(max_length=11, choices=Response.State)
    confirmed_by = models.CharField(max_length=10, choices=Response.ConfirmedBy, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["response", "number"], name="revision_numbered_once")]

    def __str__(self) -> str:
        return f"{self.response_id} revision {self.number}"
