"""Events: the one way in, answered with the decision after it has been committed."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.idempotency import idempotent
from core.api.permissions import scope
from core.api.problems import problem_of
from core.errors import Refused
from referrals.facts import fact_from_json
from referrals.models import Event
from referrals.services.batches import record_events
from referrals.services.events import Recorded, record_event
from rewards.api.shapes import EventAnswer, RejectedEvent, ReportedEvent, decision_json, event_json
from rewards.queries.decisions import Decision, decision_of, decisions_of
from rewards.services.settling import settle_event

MAX_BATCH = 1000


def _shown(decision: Decision, recorded: Recorded) -> dict[str, Any]:
    return decision_json(decision, status="duplicate" if recorded.duplicate else "accepted")


def find_event(event_id: str) -> Event:
    """Return the event or raise `Http404`."""
    event = Event.objects.select_related("customer").filter(event_id=event_id).first()
    if event is None:
        raise Http404(f"No event {event_id!r}.")
    return event


class EventsView(APIView):
    """Report one event."""

    permission_classes = [scope("write")]

    @extend_schema(request=ReportedEvent, responses={201: EventAnswer, 200: EventAnswer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Record the fact and return what was decided: 201, or 200 for a duplicate."""
        now = timezone.now()
        recorded = record_event(fact=fact_from_json(request.data, now=now), at=now)
        if recorded.event is None:
            raise RuntimeError("a refused event has no decision")
        answer = _shown(decision_of(recorded.event), recorded)
        return Response(answer, status=200 if recorded.duplicate else 201)


BATCH = PolymorphicProxySerializer(
    component_name="BatchItem", serializers=[EventAnswer, RejectedEvent], resource_type_field_name=None, many=True
)


class EventBatchView(APIView):
    """Report up to 1,000 events at once."""

    permission_classes = [scope("write")]

    @extend_schema(request=ReportedEvent(many=True), responses={200: BATCH})
    @idempotent
    def post(self, request: Request) -> Response:
        """Record each fact as if sent alone, in array order; answers stand in the same order."""
        if not isinstance(request.data, list):
            raise ValidationError({"non_field_errors": ["Expected an array of events."]})
        if len(request.data) > MAX_BATCH:
            raise ValidationError({"non_field_errors": [f"Expected at most {MAX_BATCH} events."]})
        results = record_events(facts=request.data, at=timezone.now())
        decisions = iter(decisions_of([one.event for one in results if one.event is not None]))
        return Response(
            [
                self._refused(body, one.refusal) if one.refusal else _shown(next(decisions), one)
                for body, one in zip(request.data, results, strict=True)
            ]
        )

    @staticmethod
    def _refused(body: object, refusal: Refused) -> dict[str, Any]:
        problem = problem_of(refusal)
        event_id = body.get("event_id") if isinstance(body, dict) else None
        event_id = event_id if isinstance(event_id, str) else None
        return {"event_id": event_id, "status": "rejected", "error": problem.as_dict() if problem else None}


class EventView(APIView):
    """One event."""

    permission_classes = [scope("read")]

    @extend_schema(responses=EventAnswer)
    def get(self, _request: Request, event_id: str) -> Response:
        """Return the fact with its decision as it stands now."""
        event = find_event(event_id)
        return Response(decision_json(decision_of(event), status="accepted") | {"event": event_json(event)})


class EventSettleView(APIView):
    """Try again what failed for an event."""

    permission_classes = [scope("write")]

    @extend_schema(request=None, responses=EventAnswer)
    @idempotent
    def post(self, _request: Request, event_id: str) -> Response:
        """Run at once whatever is still due for the event and return its decision."""
        event = find_event(event_id)
        settle_event(event=event, at=timezone.now())
        return Response(decision_json(decision_of(event), status="accepted"))
