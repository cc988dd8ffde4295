"""What /metrics takes and gives."""

from typing import Any

from rest_framework import serializers

from analytics.spans import By
from core.api.serializers import StrictSerializer

GROUPS = (
    "program",
    "channel",
    "tier",
    "variant",
    "segment",
    "referred",
    "network",
    "subject",
    "campaign",
    "placement",
)
_DAY = "Expected a day such as 2026-03-01."


class QuestionIn(StrictSerializer):
    """The query of GET /metrics/{name}: whole days, `from` inclusive, `to` exclusive."""

    to = serializers.DateField(required=False, error_messages={"invalid": _DAY, "datetime": _DAY})
    by = serializers.ChoiceField(choices=[by.value for by in By], default=By.TOTAL.value)
    group = serializers.ChoiceField(choices=GROUPS, required=False)
    program = serializers.CharField(required=False, max_length=60)
    currency = serializers.CharField(required=False, max_length=3, min_length=3)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, which Python does not let one declare."""
        start = serializers.DateField(required=False, error_messages={"invalid": _DAY, "datetime": _DAY})
        return {"from": start, **super().get_fields()}


class PointOut(serializers.Serializer[Any]):
    """One period of one group."""

    to = serializers.DateField(help_text="exclusive")
    group = serializers.CharField(allow_null=True)
    value = serializers.JSONField(
        allow_null=True, help_text="a number; money as a decimal string; null where the denominator is 0"
    )
    numerator = serializers.JSONField(allow_null=True)
    denominator = serializers.IntegerField(allow_null=True)
    interval = serializers.ListField(
        child=serializers.FloatField(), min_length=2, max_length=2, allow_null=True, help_text="95 %"
    )
    enough = serializers.BooleanField(help_text="false: too few observations to rely on")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, which Python does not let one declare."""
        return {"from": serializers.DateField(help_text="inclusive"), **super().get_fields()}


class AnswerOut(serializers.Serializer[Any]):
    """A metric over a range."""

    metric = serializers.CharField()
    unit = serializers.CharField()
    currency = serializers.CharField(allow_null=True)
    time_zone = serializers.CharField()
    as_of = serializers.DateTimeField()
    complete_through = serializers.DateField(
        allow_null=True, help_text="everything received about the days up to this one is counted"
    )
    points = PointOut(many=True)


class MetricOut(serializers.Serializer[Any]):
    """One entry of the catalogue."""

    name = serializers.CharField()
    title = serializers.CharField()
    category = serializers.CharField()
    definition = serializers.CharField()
    unit = serializers.CharField()
    formula = serializers.CharField()
    numerator = serializers.CharField()
    denominator = serializers.SerializerMethodField()
    basis = serializers.CharField()
    additivity = serializers.CharField()
    minimum_n = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment]  # the words for where it comes from
    groups = serializers.ListField(child=serializers.CharField())

    def get_denominator(self, metric: Any) -> str | None:
        """Return the denominator's words, null where nothing is divided."""
        return metric.denominator or None


class CatalogueOut(serializers.Serializer[Any]):
    """All metrics; one page holds them."""

    next = serializers.CharField(allow_null=True)
    results = MetricOut(many=True)
