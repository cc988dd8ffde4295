"""What an order or the next friend would earn and what points can buy, for the shop's own pages."""

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
from core.ids import new_id
from referrals.models import Program
from referrals.queries.people import customer_known_as
from rewards.api.shapes import ReportedCustomer, ReportedEvidence, ReportedOrder, referral_json, reward_json
from rewards.models import Reward
from rewards.queries.catalogue import Offered, items_offered, offered_to
from rewards.queries.decisions import Decision
from rewards.services.previewing import FriendPreview, preview_event, preview_friends

LONGEST_ID = 200
_FACT = ("customer", "referral", "order", "channel", "attributes")


class PreviewRequest(serializers.Serializer[Any]):
    """A purchase as it would be reported, without ids; without `order` the next friend alone."""

    customer = ReportedCustomer()
    order = ReportedOrder(required=False, allow_null=True)
    referral = ReportedEvidence(required=False, allow_null=True)
    channel = serializers.CharField(required=False, allow_null=True)
    attributes = serializers.DictField(required=False, allow_null=True)
    program = serializers.CharField(required=False, help_text="the next friend in this program alone")


class PreviewIn(StrictSerializer):
    """The shape of it; what a fact needs is said by the facts themselves."""

    customer = serializers.DictField()
    order = serializers.DictField(required=False, allow_null=True)
    referral = serializers.DictField(required=False, allow_null=True)
    channel = serializers.CharField(required=False, allow_null=True, max_length=40)
    attributes = serializers.DictField(required=False, allow_null=True)
    program = serializers.CharField(required=False, max_length=60)

    def validate_customer(self, value: dict[str, Any]) -> dict[str, Any]:
        """Ask for the company's own id: a guest has no friends to count for."""
        who = value.get("external_id")
        if not isinstance(who, str) or not who.isprintable() or not 1 <= len(who) <= LONGEST_ID:
            raise serializers.ValidationError({"external_id": [f"Expected an id of 1 to {LONGEST_ID} characters."]})
        return value

    def validate_program(self, value: str) -> str:
        """Accept only programs that exist."""
        if not Program.objects.filter(slug=value).exists():
            raise serializers.ValidationError(f"There is no program {value!r}.")
        return value


class PreviewedRewardOut(serializers.Serializer[Any]):
    """A reward that would be decided; `to` is null for the friend who does not exist yet."""

    program = serializers.CharField()
    rule = serializers.CharField()
    to = serializers.CharField(allow_null=True)
    side = serializers.ChoiceField(["advocate", "friend"])
    moment = serializers.CharField()
    kind = serializers.CharField()
    points = serializers.IntegerField()
    detail = serializers.DictField()
    state = serializers.ChoiceField(Reward.State.choices)
    available_at = serializers.DateTimeField()
    reason = serializers.CharField(allow_null=True)


class PreviewedReferralOut(serializers.Serializer[Any]):
    """A referral as it would stand."""

    program = serializers.CharField()
    state = serializers.CharField()
    advocate = serializers.CharField()
    friend = serializers.CharField()
    reason = serializers.CharField(allow_null=True)


class PreviewedOrderOut(serializers.Serializer[Any]):
    """What the order would lead to."""

    warnings = serializers.ListField(child=serializers.CharField())
    referrals = PreviewedReferralOut(many=True)
    rewards = PreviewedRewardOut(many=True)


class NextFriendOut(serializers.Serializer[Any]):
    """What a new friend would bring who signs up and orders for `amount`."""

    program = serializers.CharField()
    amount = serializers.CharField()
    currency = serializers.CharField()
    rewards = PreviewedRewardOut(many=True)


class AffordableOut(serializers.Serializer[Any]):
    """An item of the catalogue as the customer sees it."""

    item = serializers.CharField()
    title = serializers.CharField()
    points = serializers.IntegerField()
    missing = serializers.IntegerField(help_text="points that lack for one")
    most = serializers.IntegerField(allow_null=True, help_text="how many may still be had; null: no limit")
    can_be_had = serializers.BooleanField()


class PreviewOut(serializers.Serializer[Any]):
    """What would happen; nothing of it has."""

    order = PreviewedOrderOut(allow_null=True)
    next_friend = NextFriendOut(many=True)
    can_buy = AffordableOut(many=True)


class PreviewView(APIView):
    """Ask what would happen."""

    permission_classes = [scope("read")]

    @extend_schema(request=PreviewRequest, responses=PreviewOut)
    @idempotent
    def post(self, request: Request) -> Response:
        """Return what the order would lead to, what the next friend would bring and what the points can buy.

        Decided by the rules that pay, as things are now, and taken back: nothing is written and nobody is told.
        """
        body = PreviewIn(data=request.data)
        body.is_valid(raise_exception=True)
        given, now = body.validated_data, timezone.now()
        order = None
        if given.get("order"):
            fact = {name: given[name] for name in _FACT if given.get(name) is not None}
            fact |= {"event_id": new_id("preview"), "type": "purchase", "occurred_at": now.isoformat()}
            fact["order"] = {"id": new_id("preview")} | given["order"]
            order = preview_event(body=fact, at=now, show=_order_json)
        who = given["customer"]["external_id"]
        friends = preview_friends(external_id=who, program=given.get("program", ""), at=now, show=_friend_json)
        customer = customer_known_as(who)
        items = offered_to(customer, items_offered(at=now)) if customer else []
        return Response({"order": order, "next_friend": friends, "can_buy": [_item_json(one) for one in items]})


def _reward_json(reward: Reward, *, nobody: bool = False) -> dict[str, Any]:
    shown = reward_json(reward)
    names = ("program", "rule", "to", "side", "moment", "kind", "points", "detail", "state", "available_at", "reason")
    return {name: shown[name] for name in names} | ({"to": None} if nobody else {})


def _order_json(decision: Decision) -> dict[str, Any]:
    names = ("program", "state", "advocate", "friend", "reason")
    shown = [referral_json(referral) for referral in decision.referrals]
    return {
        "warnings": decision.event.warnings or [],
        "referrals": [{name: one[name] for name in names} for one in shown],
        "rewards": [_reward_json(reward) for reward in decision.rewards],
    }


def _friend_json(one: FriendPreview) -> dict[str, Any]:
    return {
        "program": one.program,
        "amount": one.amount,
        "currency": one.currency,
        "rewards": [_reward_json(reward, nobody=reward.side == "friend") for reward in one.rewards],
    }


def _item_json(one: Offered) -> dict[str, Any]:
    return {
        "item": one.item.slug,
        "title": one.item.title,
        "points": one.item.points,
        "missing": one.missing,
        "most": one.most,
        "can_be_had": one.can_be_had,
    }
