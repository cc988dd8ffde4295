"""A customer's choice between several rewards, made for them by the shop's own pages."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.idempotency import idempotent
from core.api.permissions import scope
from core.api.serializers import StrictSerializer
from core.errors import Invalid
from rewards.api.rewards import find_reward
from rewards.api.shapes import RewardOut, reward_json
from rewards.models import ChoiceOption
from rewards.services.choosing import choose_reward


class ChooseIn(StrictSerializer):
    """What was chosen: an option's name."""

    option = serializers.CharField(max_length=60)


class OptionsOut(serializers.Serializer[Any]):
    """What there is to choose from."""

    name = serializers.CharField()
    kind = serializers.CharField()
    what = serializers.CharField(allow_null=True)
    points = serializers.IntegerField()
    amount_minor = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField(allow_null=True)


class RewardOptionsView(APIView):
    """What a customer may choose."""

    permission_classes = [scope("read")]

    @extend_schema(responses=OptionsOut(many=True))
    def get(self, _request: Request, reward_id: str) -> Response:
        """Return the options of a choice, in their order; none for any other reward."""
        reward = find_reward(reward_id)
        offered = ChoiceOption.objects.filter(group__name=str(reward.detail.get("what", "")), offered=True)
        options = offered if reward.kind == "choice" else offered.none()
        return Response([_option_json(option) for option in options])


def _option_json(option: ChoiceOption) -> dict[str, Any]:
    return {
        "name": option.name,
        "kind": option.kind,
        "what": option.what or None,
        "points": option.points,
        "amount_minor": option.amount_minor,
        "currency": option.currency or None,
    }


class RewardChooseView(APIView):
    """Choose one of several rewards."""

    permission_classes = [scope("write")]

    @extend_schema(request=ChooseIn, responses=RewardOut)
    @idempotent
    def post(self, request: Request, reward_id: str) -> Response:
        """Give the chosen option in place of the choice, once. 409 `nothing_to_choose` a second time.

        409 `budget_exhausted` for points that the program has no longer; another option can be chosen.
        """
        reward = find_reward(reward_id)
        body = ChooseIn(data=request.data)
        body.is_valid(raise_exception=True)
        named = ChoiceOption.objects.select_related("group").filter(
            group__name=str(reward.detail.get("what", "")), name=body.validated_data["option"]
        )
        option = named.first()
        if option is None and "chosen" not in reward.detail and reward.kind == "choice":
            raise Invalid("this is not among what can be chosen", pointer="/option")
        choose_reward(reward=reward, option=option or ChoiceOption(), at=timezone.now(), actor=f"key:{request.auth}")
        return Response(reward_json(find_reward(reward_id)))
