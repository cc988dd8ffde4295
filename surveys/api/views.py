"""The surveys' addresses of the API."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response as Answer
from rest_framework.views import APIView

from core.api.idempotency import idempotent
from core.api.pagination import CursorPages, page_of
from core.api.permissions import scope
from core.api.problems import CONTENT_TYPE, problem_of
from core.errors import Invalid
from core.periods import start_of_day
from referrals.models import Customer
from referrals.queries.people import customer_known_as
from surveys.access import survey_of_slug
from surveys.api.serializers import SurveyInvitationIn, SurveyInvitationOut, SurveyResponseOut, SurveyScoreOut
from surveys.models import Response, Survey
from surveys.queries import ScoreReport, score_between, score_by_period
from surveys.satisfaction import nps_change, satisfied_of
from surveys.scales import CSAT, NPS
from surveys.services.invitations import NotAsked, invite_customer

MAX_POINTS = 400
FIRST_YEAR, LAST_YEAR = 1900, 2999
STEPS = ("total", "day", "week", "month")


class SurveyInvitations(APIView):
    """Ask one person."""

    permission_classes = [scope("write")]

    @extend_schema(request=SurveyInvitationIn, responses={201: SurveyInvitationOut})
    @idempotent
    def post(self, request: Request, slug: str) -> Answer:
        """Queue the mail: 201 with the invitation, or 409 with why this person is not asked now and when next."""
        survey = survey_of_slug(slug)
        given = SurveyInvitationIn(data=request.data)
        given.is_valid(raise_exception=True)
        wish = given.validated_data
        try:
            invitation = invite_customer(
                survey=survey,
                customer=_customer_named(wish["customer"]),
                at=timezone.now(),
                send_at=wish.get("send_at"),
                force=wish["force"],
            )
        except NotAsked as refusal:  # answered, not raised: the kept decision must be committed with the answer
            return _refused(refusal)
        return Answer(SurveyInvitationOut(invitation).data, status=201)


class SurveyResponses(APIView):
    """What was answered."""

    permission_classes = [scope("read")]

    @extend_schema(
        responses=page_of(SurveyResponseOut),
        parameters=[OpenApiParameter("state", str, enum=Response.State.values)],
    )
    def get(self, request: Request, slug: str) -> Answer:
        """List the answers, newest first; `?state=` among provisional, confirmed, discarded."""
        found = Response.objects.filter(survey=survey_of_slug(slug))
        state = request.query_params.get("state")
        if state is not None:
            if state not in Response.State.values:
                raise ValidationError({"state": [f"Expected one of {', '.join(Response.State.values)}."]})
            found = found.filter(state=state)
        return CursorPages(request).answer(found.select_related("invitation", "customer", "version"), SurveyResponseOut)


class SurveyScore(APIView):
    """The score with its interval."""

    permission_classes = [scope("read")]

    @extend_schema(
        responses=SurveyScoreOut,
        parameters=[
            OpenApiParameter("from", date, description="first day, in the installation's zone"),
            OpenApiParameter("to", date, description="first day that is no longer in it"),
            OpenApiParameter("by", str, enum=STEPS),
            OpenApiParameter("against_from", date, description="first day of an earlier range to compare with"),
            OpenApiParameter("against_to", date, description="first day no longer in it; not after `from`"),
        ],
    )
    def get(self, request: Request, slug: str) -> Answer:
        """Return the score over the latest confirmed answer per person in the range."""
        survey = survey_of_slug(slug)
        first, end = _day(request, "from"), _day(request, "to")
        if first is not None and end is not None and end < first:
            raise ValidationError({"to": ["Expected a day not before 'from'."]})
        zone = ZoneInfo(settings.TIME_ZONE)
        whole = score_between(survey=survey, start=_start(first, zone), end=_start(end, zone))
        numbers = _numbers(whole) | _change(request, survey, first, end)
        by = _step(request)
        if by == "total":
            return Answer(numbers)
        if first is None or end is None or (end - first).days > MAX_POINTS:
            raise ValidationError({"by": [f"Needs 'from' and 'to', at most {MAX_POINTS} days apart."]})
        points = score_by_period(survey=survey, start=first, end=end, by=by, zone=zone)
        rows = [{"from": point.start, "to": point.end} | _numbers(point.report) for point in points]
        return Answer(numbers | {"points": rows})


def _change(request: Request, survey: Survey, first: date | None, end: date | None) -> dict[str, Any]:
    """Compare with an earlier range, where one is named; overlapping ranges share answers and are refused."""
    start, until = _day(request, "against_from"), _day(request, "against_to")
    if start is None and until is None:
        return {}
    if survey.kind != NPS:
        raise ValidationError({"against_from": ["Changes are told for surveys of kind nps only."]})
    if start is None or until is None or first is None or until < start or until > first:
        raise ValidationError({"against_to": ["Needs 'from' and 'against_from'; expected a day not after 'from'."]})
    zone = ZoneInfo(settings.TIME_ZONE)
    before = score_between(survey=survey, start=_start(start, zone), end=_start(until, zone))
    after = score_between(survey=survey, start=_start(first, zone), end=_start(end, zone))
    change = nps_change(before.tally, after.tally)
    if change is None:
        return {"change": None}
    interval = list(change.interval)
    enough = before.enough and after.enough
    return {"change": {"difference": change.difference, "interval": interval, "real": change.real, "enough": enough}}


def _customer_named(external_id: str) -> Customer:
    customer = customer_known_as(external_id)
    if customer is None:
        raise Invalid(f"there is no customer {external_id!r}", pointer="/customer")
    return customer


def _refused(refusal: NotAsked) -> Answer:
    problem = problem_of(refusal)
    body: dict[str, Any] = problem.as_dict() if problem else {}
    body["next_at"] = refusal.next_at
    return Answer(body, status=refusal.status, content_type=CONTENT_TYPE)


def _numbers(report: ScoreReport) -> dict[str, Any]:
    nps, tally = report.kind == NPS, report.tally
    return {
        "kind": report.kind,
        "n": report.n,
        "promoters": tally.promoters if nps else None,
        "passives": tally.passives if nps else None,
        "detractors": tally.detractors if nps else None,
        "satisfied": satisfied_of(report.counts) if report.kind == CSAT else None,
        "enough": report.enough,
        "score": report.score,
        "interval": None if report.interval is None else list(report.interval),
        "discarded": {"bot": report.bots, "provisional": report.provisional},
    }


def _day(request: Request, name: str) -> date | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        day = date.fromisoformat(text) if len(text) == len("2026-03-01") else None
    except ValueError:
        day = None
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValidationError({name: ["Expected a day such as 2026-03-01."]})
    return day


def _start(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else start_of_day(day, zone)


def _step(request: Request) -> str:
    by = request.query_params.get("by", "total")
    if by not in STEPS:
        raise ValidationError({"by": [f"Expected one of {', '.join(STEPS)}."]})
    return by
