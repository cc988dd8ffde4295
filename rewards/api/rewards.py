"""Rewards: what was promised to whom, and what staff decide on one of them."""

from collections.abc import Callable
from typing import ClassVar

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.idempotency import idempotent
from core.api.permissions import scope
from rewards.api.referrals import ReasonIn
from rewards.api.shapes import RewardOut, reward_json
from rewards.models import Reward
from rewards.queries.decisions import rewards_with_people
from rewards.services.reviewing import approve_reward, cancel_reward, hold_reward, reopen_reward, revoke_reward


def find_reward(public_id: str) -> Reward:
    """Return the reward or raise `Http404`."""
    reward = rewards_with_people().filter(public_id=public_id).first()
    if reward is None:
        raise Http404(f"No reward {public_id!r}.")
    return reward


class RewardView(APIView):
    """One reward."""

    permission_classes = [scope("read")]

    @extend_schema(responses=RewardOut)
    def get(self, _request: Request, reward_id: str) -> Response:
        """Return the reward."""
        return Response(reward_json(find_reward(reward_id)))


class _Decide(APIView):
    """What staff decide on one reward, with a reason."""

    permission_classes = [scope("write")]
    service: ClassVar[Callable[..., Reward]]

    def _decide(self, request: Request, reward_id: str) -> Response:
        reward = find_reward(reward_id)
        body = ReasonIn(data=request.data)
        body.is_valid(raise_exception=True)
        decided = type(self).service(
            reward=reward, note=body.validated_data["reason"], actor=f"key:{request.auth}", at=timezone.now()
        )
        return Response(reward_json(find_reward(decided.public_id)))


class RewardApproveView(_Decide):
    """Let a reward go that was held."""

    service = staticmethod(approve_reward)

    @extend_schema(request=ReasonIn, responses=RewardOut)
    @idempotent
    def post(self, request: Request, reward_id: str) -> Response:
        """Release it once its hold has passed. 409 `wrong_state` where nothing held it."""
        return self._decide(request, reward_id)


class RewardHoldView(_Decide):
    """Keep a reward from being released."""

    service = staticmethod(hold_reward)

    @extend_schema(request=ReasonIn, responses=RewardOut)
    @idempotent
    def post(self, request: Request, reward_id: str) -> Response:
        """Hold it until it is approved. 409 `wrong_state` where it is not pending."""
        return self._decide(request, reward_id)


class RewardCancelView(_Decide):
    """Take a pending reward back."""

    service = staticmethod(cancel_reward)

    @extend_schema(request=ReasonIn, responses=RewardOut)
    @idempotent
    def post(self, request: Request, reward_id: str) -> Response:
        """Cancel it for good. 409 `wrong_state` where it is not pending."""
        return self._decide(request, reward_id)


class RewardRevokeView(_Decide):
    """Take an available reward back."""

    service = staticmethod(revoke_reward)

    @extend_schema(request=ReasonIn, responses=RewardOut)
    @idempotent
    def post(self, request: Request, reward_id: str) -> Response:
        """Revoke it for good; spent points become debt. 409 `wrong_state` where it is still pending or gone."""
        return self._decide(request, reward_id)


class RewardReopenView(_Decide):
    """Decide a reward again."""

    service = staticmethod(reopen_reward)

    @extend_schema(request=ReasonIn, responses=RewardOut)
    @idempotent
    def post(self, request: Request, reward_id: str) -> Response:
        """Decide again what was taken back by hand or refused; the answer is the reward that stands in its place."""
        return self._decide(request, reward_id)
