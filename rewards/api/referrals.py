"""Referrals: who brought whom, how it stands, and why."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.idempotency import idempotent
from core.api.pagination import CursorPages, page_of
from core.api.permissions import scope
from core.api.serializers import StrictSerializer
from core.errors import Invalid
from referrals.models import Customer, Program, Referral, RiskAssessment
from referrals.queries.people import current_id, living_customer_known_as
from referrals.queries.programs import program_runs_at
from referrals.services.by_hand import bind_by_hand
from referrals.services.lifecycle import STAFF_REASONS, reopen_referral, void_referral
from referrals.services.review import approve_referral, hold_referral
from rewards.api.shapes import ReferralOut, RewardOut, referral_json, reward_json
from rewards.models import Reward
from rewards.queries.decisions import referrals_with_people, rewards_with_people
from rewards.queries.explain import explain_referral

_TEXT_FILTERS = {"program": "program__slug", "advocate": "advocate__external_id", "friend": "friend__external_id"}


class ExplanationOut(serializers.Serializer[Any]):
    """One step of the chain."""

    at = serializers.DateTimeField()
    what = serializers.CharField()
    why = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]  # the promised name


class ReasonIn(StrictSerializer):
    """Why, in words."""

    reason = serializers.CharField(max_length=200)


class ReferralIn(StrictSerializer):
    """Who brought whom, as staff know it."""

    advocate = serializers.CharField(max_length=200, help_text="external id")
    friend = serializers.CharField(max_length=200, help_text="external id; a new customer is created")
    program = serializers.SlugField(max_length=60)
    occurred_at = serializers.DateTimeField(
        required=False, help_text="since when; only orders from then on count. Left out: now"
    )
    reason = serializers.CharField(max_length=200)


class VoidIn(ReasonIn):
    """Why, and which kind of void it is."""

    kind = serializers.ChoiceField(STAFF_REASONS, default="manual")


class SignalOut(serializers.Serializer[Any]):
    """What a rule of the risk score saw; no address and no name."""

    code = serializers.CharField()
    weight = serializers.IntegerField()
    evidence = serializers.CharField()


class RiskOut(serializers.Serializer[Any]):
    """The newest risk score of a referral."""

    score = serializers.IntegerField(help_text="0 to 100")
    verdict = serializers.ChoiceField(RiskAssessment.Verdict.choices)
    signals = SignalOut(many=True)
    version = serializers.IntegerField(help_text="of the rules")
    at = serializers.DateTimeField()


class ReferralDetailOut(ReferralOut):
    """A referral with its rewards and, in a program with risk bounds, its score."""

    rewards = RewardOut(many=True)
    risk = RiskOut(allow_null=True)


def find_referral(public_id: str) -> Referral:
    """Return the referral or raise `Http404`."""
    referral = referrals_with_people().filter(public_id=public_id).first()
    if referral is None:
        raise Http404(f"No referral {public_id!r}.")
    return referral


def _filtered(request: Request, rows: QuerySet[Any], names: dict[str, str], states: list[str]) -> QuerySet[Any]:
    for name, column in names.items():
        if value := request.query_params.get(name):
            rows = rows.filter(**{column: current_id(value) if column.endswith("external_id") else value})
    if (slug := request.query_params.get("program")) and not Program.objects.filter(slug=slug).exists():
        raise ValidationError({"program": [f"There is no program {slug!r}."]})
    if state := request.query_params.get("state"):
        if state not in states:
            raise ValidationError({"state": [f"Expected one of {', '.join(states)}."]})
        rows = rows.filter(state=state)
    return rows


class ReferralsView(APIView):
    """Referrals, newest first, and one made by hand."""

    @extend_schema(
        parameters=[OpenApiParameter(name, str) for name in (*_TEXT_FILTERS, "state")], responses=page_of(ReferralOut)
    )
    def get(self, request: Request) -> Response:
        """Return referrals in every state unless filtered."""
        rows = _filtered(request, referrals_with_people(), _TEXT_FILTERS, list(Referral.State))
        return CursorPages(request).answer(rows, ReferralOut)

    @extend_schema(request=ReferralIn, responses={201: ReferralDetailOut})
    @idempotent
    def post(self, request: Request) -> Response:
        """Bind a friend by hand. What voids a referral voids this one too; look at `state`. 409 `already_bound`."""
        body = ReferralIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        now = timezone.now()
        referral = bind_by_hand(
            program=_running(given["program"], now),
            advocate=_advocate(given["advocate"]),
            friend=given["friend"],
            reason=given["reason"],
            actor=f"key:{request.auth}",
            occurred_at=given.get("occurred_at", now),
            at=now,
        )
        return Response(_detail(find_referral(referral.public_id)), status=201)


def _running(slug: str, at: datetime) -> Program:
    program = Program.objects.filter(slug=slug).first()
    if program is None or not program_runs_at(program, at):
        raise Invalid("no program of this name runs now", pointer="/program")
    return program


def _advocate(external_id: str) -> Customer:
    advocate = living_customer_known_as(external_id)
    if advocate is None:
        raise Invalid("no customer has this id", pointer="/advocate")
    return advocate


class ReferralView(APIView):
    """One referral."""

    permission_classes = [scope("read")]

    @extend_schema(responses=ReferralDetailOut)
    def get(self, _request: Request, referral_id: str) -> Response:
        """Return the referral with its rewards."""
        return Response(_detail(find_referral(referral_id)))


def _detail(referral: Referral) -> dict[str, Any]:
    rewards = rewards_with_people().filter(referral=referral).order_by("pk")
    return referral_json(referral) | {"rewards": [reward_json(reward) for reward in rewards], "risk": _risk(referral)}


def _risk(referral: Referral) -> dict[str, Any] | None:
    seen = RiskAssessment.objects.filter(referral=referral).order_by("-at", "-pk").first()
    if seen is None:
        return None
    return {
        "score": seen.score,
        "verdict": seen.verdict,
        "signals": seen.signals,
        "version": seen.version,
        "at": seen.at,
    }


class ReferralExplainView(APIView):
    """Why a referral is where it is."""

    permission_classes = [scope("read")]

    @extend_schema(responses=ExplanationOut(many=True))
    def get(self, _request: Request, referral_id: str) -> Response:
        """Return the whole chain in order."""
        chain = explain_referral(find_referral(referral_id))
        return Response([{"at": one.at, "what": one.what, "why": one.why, "data": one.data} for one in chain])


class ReferralVoidView(APIView):
    """Void a referral by hand."""

    permission_classes = [scope("write")]

    @extend_schema(request=VoidIn, responses=ReferralDetailOut)
    @idempotent
    def post(self, request: Request, referral_id: str) -> Response:
        """Void it: everything it earned, sign-up rewards included, goes back. 409 `wrong_state` if it is voided."""
        referral = find_referral(referral_id)
        body = VoidIn(data=request.data)
        body.is_valid(raise_exception=True)
        void_referral(
            referral=referral,
            reason=body.validated_data["kind"],
            note=body.validated_data["reason"],
            actor=f"key:{request.auth}",
            at=timezone.now(),
        )
        return Response(_detail(find_referral(referral_id)))


class _Decide(APIView):
    """What staff decide on one referral, with a reason."""

    permission_classes = [scope("write")]
    service: ClassVar[Callable[..., Referral]]

    def _decide(self, request: Request, referral_id: str) -> Response:
        referral = find_referral(referral_id)
        body = ReasonIn(data=request.data)
        body.is_valid(raise_exception=True)
        type(self).service(
            referral=referral, note=body.validated_data["reason"], actor=f"key:{request.auth}", at=timezone.now()
        )
        return Response(_detail(find_referral(referral_id)))


class ReferralApproveView(_Decide):
    """Let a held referral go."""

    service = staticmethod(approve_referral)

    @extend_schema(request=ReasonIn, responses=ReferralDetailOut)
    @idempotent
    def post(self, request: Request, referral_id: str) -> Response:
        """Its rewards still wait for the end of their hold. 409 `wrong_state` where neither score nor staff hold it."""
        return self._decide(request, referral_id)


class ReferralHoldView(_Decide):
    """Hold a referral for review by hand."""

    service = staticmethod(hold_referral)

    @extend_schema(request=ReasonIn, responses=ReferralDetailOut)
    @idempotent
    def post(self, request: Request, referral_id: str) -> Response:
        """Nothing more of it is released until it is approved. 409 `wrong_state` where it is held or has ended."""
        return self._decide(request, referral_id)


class ReferralReopenView(_Decide):
    """Reopen a voided referral."""

    service = staticmethod(reopen_referral)

    @extend_schema(request=ReasonIn, responses=ReferralDetailOut)
    @idempotent
    def post(self, request: Request, referral_id: str) -> Response:
        """Judge it anew in spite of its void reason. 409 `wrong_state` where it is not voided."""
        return self._decide(request, referral_id)


class RewardsView(APIView):
    """Rewards, newest first."""

    permission_classes = [scope("read")]
    filters = {
        "program": "program__slug",
        "to": "recipient__external_id",
        "referral": "referral__public_id",
        "rule": "rule",
    }

    @extend_schema(
        parameters=[OpenApiParameter(name, str) for name in (*filters, "state")], responses=page_of(RewardOut)
    )
    def get(self, request: Request) -> Response:
        """Return rewards in every state unless filtered."""
        rows = _filtered(request, rewards_with_people(), self.filters, list(Reward.State))
        return CursorPages(request).answer(rows, RewardOut)
