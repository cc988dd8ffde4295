"""What the surveys' addresses take and give."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from core.api.serializers import StrictSerializer
from surveys.models import Invitation, Response
from surveys.scales import NPS
from surveys.scoring import band_of
from surveys.tokens import survey_url
from surveys.words import spoken

MOST_AHEAD = timedelta(days=365)


class SurveyInvitationIn(StrictSerializer):
    """Whom to ask, and when."""

    customer = serializers.CharField(max_length=200, help_text="the customer's external_id")
    send_at = serializers.DateTimeField(required=False, allow_null=True, help_text="default now")
    force = serializers.BooleanField(required=False, default=False, help_text="ask in spite of the throttle")

    def validate_send_at(self, moment: datetime | None) -> datetime | None:
        """Refuse a moment more than a year ahead."""
        if moment is not None and moment > timezone.now() + MOST_AHEAD:
            raise serializers.ValidationError("Expected a moment within the next 365 days.")
        return moment


class SurveyInvitationOut(serializers.ModelSerializer[Invitation]):
    """An invitation; `url` is the survey page of this one person."""

    id = serializers.CharField(source="public_id")
    survey = serializers.CharField(source="survey.slug")
    customer = serializers.CharField(source="customer.external_id")
    url = serializers.SerializerMethodField()

    class Meta:
        model = Invitation
        fields = ("id", "survey", "customer", "state", "send_at", "sent_at", "expires_at", "answered_at", "url")

    def get_url(self, invitation: Invitation) -> str:
        """Return the signed address."""
        return survey_url(invitation.token_id)


class SurveyResponseOut(serializers.ModelSerializer[Response]):
    """An answer as it stands, with the question it answered."""

    id = serializers.CharField(source="public_id")
    invitation = serializers.CharField(source="invitation.public_id")
    customer = serializers.CharField(source="customer.external_id")
    question = serializers.SerializerMethodField()
    band = serializers.SerializerMethodField()

    class Meta:
        model = Response
        fields = (
            "id",
            "invitation",
            "customer",
            "kind",
            "question",
            "score",
            "band",
            "comment",
            "language",
            "state",
            "confirmed_by",
            "first_at",
            "at",
        )

    def get_question(self, response: Response) -> str:
        """Return the wording that was answered."""
        return spoken(response.version.question)

    def get_band(self, response: Response) -> str | None:
        """Return promoter, passive or detractor; null without a score and on other scales than 0–10."""
        return None if response.score is None or response.kind != NPS else str(band_of(response.score))


class ScoreDiscardedOut(serializers.Serializer[dict[str, int]]):
    """What is beside the score, not in it."""

    bot = serializers.IntegerField()
    provisional = serializers.IntegerField()


class ScoreCountsOut(serializers.Serializer[object]):
    """The score of the latest confirmed answer per person in a period.

    `score` is 100 (P − D) / n for nps, the percentage of 4 and 5 for csat, the mean for ces.
    """

    kind = serializers.CharField(help_text="the scale: nps, csat or ces")
    n = serializers.IntegerField()
    promoters = serializers.IntegerField(allow_null=True, help_text="nps only, as the next two")
    passives = serializers.IntegerField(allow_null=True)
    detractors = serializers.IntegerField(allow_null=True)
    satisfied = serializers.IntegerField(allow_null=True, help_text="csat only: how many gave 4 or 5")
    enough = serializers.BooleanField(help_text="false below 30 answers")
    score = serializers.FloatField(allow_null=True)
    interval = serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2, allow_null=True)
    discarded = ScoreDiscardedOut()


class ScorePointOut(ScoreCountsOut):
    """The same for the days from `from` (inclusive) to `to` (exclusive)."""

    def get_fields(self) -> dict[str, serializers.Field]:  # type: ignore[type-arg]
        """Add the fields whose names are words of the language."""
        days = {"from": serializers.DateField(), "to": serializers.DateField()}
        return days | super().get_fields()


class ScoreChangeOut(serializers.Serializer[dict[str, Any]]):
    """How the score differs from that of the earlier range."""

    difference = serializers.FloatField(help_text="in points, of the adjusted scores")
    interval = serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2)
    real = serializers.BooleanField(help_text="whether the 95 % interval leaves out zero")
    enough = serializers.BooleanField(help_text="false where one of the ranges has fewer than 30 answers")


class SurveyScoreOut(ScoreCountsOut):
    """The score of the whole range, with `points` where `by` asks for days, weeks or months."""

    change = ScoreChangeOut(required=False, allow_null=True, help_text="where an earlier range was named")

    points = ScorePointOut(many=True, required=False)
