"""How rewards, referrals and events look in JSON; the serializers describe them for the schema."""

from typing import Any

from rest_framework import serializers

from core.money import to_text
from referrals.models import Event, Referral
from rewards.models import Reward
from rewards.queries.decisions import Decision


def reward_json(reward: Reward) -> dict[str, Any]:
    """Return a reward as the API shows it; `points` are those that stand."""
    return {
        "id": reward.public_id,
        "program": reward.program.slug,
        "referral": reward.referral.public_id if reward.referral else None,
        "rule": reward.rule,
        "to": reward.recipient.external_id,
        "side": reward.side,
        "moment": reward.moment,
        "kind": reward.kind,
        "points": reward.points,
        "granted_points": reward.granted_points,
        "coupon": reward.detail.get("coupon"),
        "detail": reward.detail,
        "state": reward.state,
        "held": reward.held,
        "available_at": reward.available_at,
        "reason": reward.reason or None,
        "inputs": reward.inputs,
        "created_at": reward.created_at,
    }


def referral_json(referral: Referral) -> dict[str, Any]:
    """Return a referral as the API shows it; `advocate` and `friend` are external ids."""
    return {
        "id": referral.public_id,
        "program": referral.program.slug,
        "state": referral.state,
        "held": referral.held,
        "advocate": referral.advocate.external_id,
        "friend": referral.friend.external_id,
        "reason": referral.reason or None,
        "method": referral.method,
        "channel": referral.channel or None,
        "bound_at": referral.bound_at,
        "qualified_at": referral.qualified_at,
        "approve_at": referral.approve_at,
        "approved_at": referral.approved_at,
        "expires_at": referral.expires_at,
    }


def event_json(event: Event) -> dict[str, Any]:
    """Return the fact itself."""
    order = None
    if event.type in {Event.Type.PURCHASE, Event.Type.REFUND}:
        amount = to_text(event.amount_minor or 0, event.currency)
        order = {"id": event.order_id, "amount": amount, "currency": event.currency}
    return {
        "event_id": event.event_id,
        "type": event.type,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "customer": {"external_id": event.customer.external_id},
        "order": order,
        "channel": event.channel or None,
    }


def decision_json(decision: Decision, *, status: str) -> dict[str, Any]:
    """Return the answer to an event: what was decided, as it stands now."""
    return {
        "event_id": decision.event.event_id,
        "status": status,
        "settled": decision.settled,
        "warnings": decision.event.warnings,
        "referral": referral_json(decision.named) if decision.named else None,
        "referrals": [referral_json(referral) for referral in decision.referrals],
        "rewards": [reward_json(reward) for reward in decision.rewards],
    }


class RewardOut(serializers.Serializer[Any]):
    """A reward."""

    id = serializers.CharField()
    program = serializers.CharField()
    referral = serializers.CharField(allow_null=True)
    rule = serializers.CharField()
    to = serializers.CharField(help_text="external id of the recipient")
    side = serializers.ChoiceField(["advocate", "friend"])
    moment = serializers.CharField(help_text="signup, qualified, purchase, assist, claim or milestone")
    kind = serializers.CharField(help_text="points, coupon, credit, gift_card, cash, perk, badge, choice or manual")
    points = serializers.IntegerField(help_text="what stands of it")
    granted_points = serializers.IntegerField(help_text="as decided first")
    coupon = serializers.CharField(allow_null=True)
    detail = serializers.DictField(help_text="what another kind than points gives")
    state = serializers.ChoiceField(Reward.State.choices)
    held = serializers.BooleanField(help_text="staff keep it from being released")
    available_at = serializers.DateTimeField()
    reason = serializers.CharField(allow_null=True)
    inputs = serializers.DictField(help_text="what the decision rests on")
    created_at = serializers.DateTimeField()

    def to_representation(self, instance: Reward) -> dict[str, Any]:
        """Return the reward as JSON values."""
        return reward_json(instance)


class ReferralOut(serializers.Serializer[Any]):
    """A referral."""

    id = serializers.CharField()
    program = serializers.CharField()
    state = serializers.ChoiceField(Referral.State.choices)
    held = serializers.BooleanField(help_text="nothing of it is released before somebody has decided")
    advocate = serializers.CharField()
    friend = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    method = serializers.CharField()
    channel = serializers.CharField(allow_null=True)
    bound_at = serializers.DateTimeField()
    qualified_at = serializers.DateTimeField(allow_null=True)
    approve_at = serializers.DateTimeField(allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField()

    def to_representation(self, instance: Referral) -> dict[str, Any]:
        """Return the referral as JSON values."""
        return referral_json(instance)


class EventAnswer(serializers.Serializer[Any]):
    """What became of an event."""

    event_id = serializers.CharField()
    status = serializers.ChoiceField(["accepted", "duplicate"])
    settled = serializers.BooleanField(help_text="false where a rule failed and is retried")
    warnings = serializers.ListField(child=serializers.CharField())
    referral = ReferralOut(allow_null=True)
    referrals = ReferralOut(many=True)
    rewards = RewardOut(many=True)


class RejectedEvent(serializers.Serializer[Any]):
    """An event of a batch that was refused; the others are not touched by it."""

    event_id = serializers.CharField(allow_null=True, allow_blank=True, help_text="null where it is no text")
    status = serializers.ChoiceField(["rejected"])
    error = serializers.DictField(help_text="problem details (RFC 9457), as the event alone would be answered")


class _Amount(serializers.RegexField):
    """Money as a decimal string."""

    def __init__(self, *, sign: str = "", **more: Any) -> None:
        super().__init__(rf"^{sign}(0|[1-9][0-9]{{0,14}})(\.[0-9]+)?$", max_length=40, **more)


class _Currency(serializers.RegexField):
    """An ISO 4217 code."""

    def __init__(self, **more: Any) -> None:
        super().__init__(r"^[A-Z]{3}$", help_text="ISO 4217", **more)


class ReportedOrder(serializers.Serializer[Any]):
    """The order of a purchase or refund."""

    id = serializers.CharField(min_length=1, max_length=200)
    amount = _Amount(help_text="decimal string, what the customer paid or got back")
    currency = _Currency()
    discount = _Amount(sign="-?", required=False, allow_null=True)
    margin = _Amount(sign="-?", required=False, allow_null=True)


class ReportedLead(serializers.Serializer[Any]):
    """The lead of a lead or lead_stage event."""

    id = serializers.CharField(min_length=1, max_length=200)
    stage = serializers.ChoiceField(["enquiry", "lead", "qualified", "won", "lost"])
    value = _Amount(required=False, allow_null=True)
    currency = _Currency(required=False, allow_null=True)


class ReportedCustomer(serializers.Serializer[Any]):
    """Whom the event is about; a guest may be named by email alone."""

    external_id = serializers.CharField(required=False, max_length=200)
    email = serializers.EmailField(required=False, allow_null=True, max_length=254)
    name = serializers.CharField(required=False, allow_null=True, max_length=200)


class ReportedEvidence(serializers.Serializer[Any]):
    """What names the advocate."""

    code = serializers.CharField(required=False, allow_null=True, max_length=64)
    click_id = serializers.CharField(required=False, allow_null=True, max_length=64)
    coupon = serializers.CharField(required=False, allow_null=True, max_length=64)


class ReportedEvent(serializers.Serializer[Any]):
    """A fact; `referrals.facts` says what each type needs."""

    event_id = serializers.CharField(min_length=1, max_length=200)
    type = serializers.ChoiceField(Event.Type.choices)
    name = serializers.CharField(required=False, allow_null=True, max_length=60, help_text="of a custom event")
    occurred_at = serializers.DateTimeField()
    customer = ReportedCustomer()
    referral = ReportedEvidence(required=False, allow_null=True)
    order = ReportedOrder(required=False, allow_null=True)
    lead = ReportedLead(required=False, allow_null=True)
    channel = serializers.CharField(required=False, allow_null=True, max_length=20)
    attributes = serializers.DictField(required=False, allow_null=True)
