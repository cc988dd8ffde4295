"""GET and POST /sandbox/clock: a sandbox's time, for a developer's own tests. Routed in a sandbox alone."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.services.sandbox import LONGEST, Moved, move_clock, the_clock
from core.api.fields import MomentField
from core.api.idempotency import idempotent
from core.api.serializers import StrictSerializer


class ClockIn(StrictSerializer):
    """How far to move: by days, or to a moment; one of the two."""

    advance_days = serializers.IntegerField(required=False, min_value=1, max_value=LONGEST.days)
    to = MomentField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse none and both."""
        if len(attrs) != 1:
            raise ValidationError({"non_field_errors": ["Expected either advance_days or to."]})
        return attrs


class ClockOut(serializers.Serializer[Any]):
    """What time it is in the sandbox."""

    now = serializers.DateTimeField()


class HappeningOut(serializers.Serializer[Any]):
    """One thing that happened; `page` shows it to staff, `api` says why."""

    at = serializers.DateTimeField()
    kind = serializers.CharField(help_text="referral, reward, points, tier, invitation, mail or webhook")
    what = serializers.CharField()
    why = serializers.CharField()
    customer = serializers.CharField(help_text="external id; of a mail the address")
    program = serializers.CharField()
    points = serializers.IntegerField(allow_null=True)
    event_id = serializers.CharField(help_text="the event that caused it")
    page = serializers.CharField()
    api = serializers.CharField()


class MovedOut(serializers.Serializer[Any]):
    """What one move came to, in order of time."""

    start = serializers.DateTimeField()
    now = serializers.DateTimeField()
    happened = HappeningOut(many=True)
    failed = serializers.DictField(child=serializers.CharField(), help_text="kinds of work that failed, and how")


class SandboxClockView(APIView):
    """The clock of a sandbox."""

    @extend_schema(operation_id="sandbox_clock_retrieve", responses=ClockOut)
    def get(self, request: Request) -> Response:
        """Tell what time it is in the sandbox."""
        return Response(ClockOut({"now": the_clock().now()}).data)

    @extend_schema(operation_id="sandbox_clock_move", request=ClockIn, responses=MovedOut)
    @idempotent
    def post(self, request: Request) -> Response:
        """Move the clock forward and list what happened. 422 `only_forward`, `too_far`; 409 `clock_is_moving`."""
        body = ClockIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        to = given.get("to") or the_clock().now() + timedelta(days=given["advance_days"])
        return Response(moved_json(move_clock(to=to)))


def moved_json(moved: Moved) -> Any:
    """Return a move as the API tells it, with whole addresses."""
    happened = [asdict(one) | {"page": _whole(one.page), "api": _whole(one.api)} for one in moved.happened]
    told = {"start": moved.move.start, "now": moved.move.end, "happened": happened, "failed": moved.failed}
    return MovedOut(told).data


def _whole(path: str) -> str:
    return f"{settings.PUBLIC_BASE_URL}{path}" if path else ""
