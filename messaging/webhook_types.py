"""What endpoints can be told of: every type of webhook, what it means and a sample of its data. Pure.

Data is thin: ids, states and moments. Of people it holds the company's own ids and nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TEST = "webhook.test"
EVERY = "*"


@dataclass(frozen=True, slots=True)
class WebhookType:
    """One type of webhook: when it is sent, and a sample of `data` with exactly the keys it has."""

    meaning: str
    sample: Mapping[str, Any]


_REFERRAL = {
    "id": "ref_7ZK3",
    "program": "refer-a-friend",
    "state": "qualified",
    "advocate": "c-1",
    "friend": "c-2",
    "reason": None,
    "channel": "whatsapp",
    "bound_at": "2026-03-01T10:00:00Z",
    "qualified_at": "2026-03-03T09:30:00Z",
    "approve_at": "2026-03-17T09:30:00Z",
    "approved_at": None,
}
_REWARD = {
    "id": "rwd_4QM8",
    "program": "refer-a-friend",
    "referral": "ref_7ZK3",
    "rule": "advocate-fixed",
    "to": "c-1",
    "side": "advocate",
    "kind": "points",
    "points": 500,
    "state": "pending",
    "reason": None,
    "available_at": "2026-03-17T09:30:00Z",
}
_REDEMPTION = {
    "id": "rdm_2WX5",
    "customer": "c-1",
    "item": "mug",
    "kind": "manual",
    "quantity": 1,
    "points": 300,
    "state": "placed",
}
_ANSWER = {
    "id": "rsp_9TC2",
    "survey": "nps",
    "kind": "nps",
    "customer": "c-1",
    "score": 9,
    "revision": 1,
    "answered_at": "2026-03-20T18:04:00Z",
}


def _referral(meaning: str, **changes: Any) -> WebhookType:
    return WebhookType(meaning, _REFERRAL | changes)


def _reward(meaning: str, **changes: Any) -> WebhookType:
    return WebhookType(meaning, _REWARD | changes)


_UNQUALIFIED = {"qualified_at": None, "approve_at": None}

WEBHOOK_TYPES: Mapping[str, WebhookType] = {
    "referral.signed_up": _referral("A friend was bound to an advocate.", state="signed_up", **_UNQUALIFIED),
    "referral.qualified": _referral("The friend did what the program asks for; rewards wait for their hold."),
    "referral.approved": _referral(
        "The hold has passed with nothing against it.", state="approved", approved_at="2026-03-17T09:30:20Z"
    ),
    "referral.reversed": _referral("The order did not stand and no other is left.", state="reversed", **_UNQUALIFIED),
    "referral.flagged": _referral("It waits for somebody to look at it.", state="flagged"),
    "referral.voided": _referral(
        "It does not count, for `reason`.", state="voided", reason="self_referral", **_UNQUALIFIED
    ),
    "referral.expired": _referral("Nothing qualified in time.", state="expired", **_UNQUALIFIED),
    "reward.pending": _reward("A reward was granted and waits for its hold."),
    "reward.available": _reward("Its hold has passed; points are in the purse.", state="available"),
    "reward.reduced": _reward("Part of the order was refunded; `points` are what stands.", points=300),
    "reward.fulfilled": _reward(
        "A reward of another kind than points was handed over.", kind="coupon", points=0, state="fulfilled"
    ),
    "reward.waiting_stock": _reward(
        "Nothing is left to give; it waits.", kind="coupon", points=0, state="waiting_stock"
    ),
    "reward.failed": _reward("Handing over failed; it is tried again.", kind="gift_card", points=0, state="failed"),
    "reward.cancelled": _reward(
        "It was taken back before it was available.", state="cancelled", points=0, reason="order_did_not_stand"
    ),
    "reward.revoked": _reward(
        "It was taken back after it was available.", state="revoked", points=0, reason="order_did_not_stand"
    ),
    "reward.refused": _reward("A rule matched but could not pay.", state="refused", points=0, reason="limit_reached"),
    "customer.tier_changed": WebhookType(
        "The tier shown to an advocate changed; `why` is referrals, time or offer.",
        {
            "customer": "c-1",
            "program": "refer-a-friend",
            "before": "Bronze",
            "after": "Silver",
            "up": True,
            "why": "referrals",
            "referrals": 3,
        },
    ),
    "milestone.reached": WebhookType(
        "An advocate reached their n-th referral.",
        {"customer": "c-1", "program": "refer-a-friend", "referrals": 5, "rewards": ["rwd_4QM8"]},
    ),
    "points.expiring": WebhookType(
        "Points of a customer expire in 30 or in 7 days.",
        {
            "customer": "c-1",
            "points": 250,
            "first_at": "2026-04-01T09:30:00Z",
            "last_at": "2026-04-02T11:00:00Z",
            "days": 30,
        },
    ),
    "redemption.created": WebhookType("Points were given for an item of the catalogue.", _REDEMPTION),
    "redemption.fulfilled": WebhookType("It was handed over.", {**_REDEMPTION, "state": "fulfilled"}),
    "redemption.cancelled": WebhookType(
        "It was cancelled; the points are back.", {**_REDEMPTION, "state": "cancelled"}
    ),
    "redemption.failed": WebhookType("It could not be handed over.", {**_REDEMPTION, "state": "failed"}),
    "survey.response.confirmed": WebhookType("A person confirmed an answer, or changed it.", _ANSWER),
    "survey.detractor": WebhookType("The confirmed answer is one of a detractor (NPS 0 to 6).", _ANSWER | {"score": 3}),
    "preferences.changed": WebhookType(
        "A person chose what mails to get.",
        {"customer": "c-1", "changed": {"news": False}, "source": "preferences page"},
    ),
}


def family_of(type_: str) -> str:
    """Return the kind of object that a type is about: 'referral' of 'referral.qualified'."""
    return type_.partition(".")[0]


def is_wish(text: str) -> bool:
    """Tell whether an endpoint can ask for this: a type, the start of types with `.*`, or `*`."""
    if text == EVERY or text in WEBHOOK_TYPES:
        return True
    return text.endswith(".*") and any(name.startswith(text[:-1]) for name in WEBHOOK_TYPES)


def is_wanted(type_: str, wishes: Iterable[str]) -> bool:
    """Tell whether one of the wishes names the type."""
    return any(wish in (EVERY, type_) or (wish.endswith(".*") and type_.startswith(wish[:-1])) for wish in wishes)
