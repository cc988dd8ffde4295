"""What the company's endpoints are told of rewards and milestones."""

from collections.abc import Sequence
from typing import Any

from messaging.models import WebhookEvent
from messaging.services import WebhookDraft, queue_webhook, queue_webhooks
from referrals.models import Customer, Program
from rewards.events import PointsExpiring
from rewards.models import Redemption, Reward, TierChange

TYPE_OF_STEP = {
    "granted": "reward.pending",
    "released": "reward.available",
    "reduced": "reward.reduced",
    "fulfilled": "reward.fulfilled",
    "waiting_stock": "reward.waiting_stock",
    "failed": "reward.failed",
    "cancelled": "reward.cancelled",
    "revoked": "reward.revoked",
    "refused": "reward.refused",
}
"""Which type tells of which step in a reward's life; other steps are nobody's business outside."""


def queue_reward_steps(*, steps: Sequence[tuple[Reward, str]]) -> list[WebhookEvent]:
    """Tell of rewards' steps, in their order."""
    drafts = [
        WebhookDraft(type=TYPE_OF_STEP[what], object_id=reward.public_id, data=_reward(reward, what))
        for reward, what in steps
        if what in TYPE_OF_STEP
    ]
    return queue_webhooks(drafts=drafts)


def queue_milestone_webhook(
    *, customer: Customer, program: Program, number: int, rewards: Sequence[Reward]
) -> WebhookEvent | None:
    """Tell that an advocate reached a milestone."""
    return queue_webhook(
        type="milestone.reached",
        object_id=f"{program.slug}:{customer.external_id}",
        data={
            "customer": customer.external_id,
            "program": program.slug,
            "referrals": number,
            "rewards": [reward.public_id for reward in rewards],
        },
    )


def queue_tier_webhook(*, change: TierChange) -> WebhookEvent | None:
    """Tell that the tier shown to an advocate changed."""
    standing = change.standing
    return queue_webhook(
        type="customer.tier_changed",
        object_id=f"{standing.program.slug}:{standing.customer.external_id}",
        data={
            "customer": standing.customer.external_id,
            "program": standing.program.slug,
            "before": change.before or None,
            "after": change.after or None,
            "up": change.up,
            "why": change.why,
            "referrals": change.count,
        },
    )


def queue_points_expiring_webhook(*, customer: Customer, news: PointsExpiring) -> WebhookEvent | None:
    """Tell that points of a customer will expire soon."""
    return queue_webhook(
        type="points.expiring",
        object_id=customer.external_id,
        data={
            "customer": customer.external_id,
            "points": news.points,
            "first_at": news.first_at,
            "last_at": news.last_at,
            "days": news.days,
        },
    )


def queue_redemption_webhook(*, redemption: Redemption, what: str) -> WebhookEvent | None:
    """Tell of a redemption: it was `created`, or ended `fulfilled`, `cancelled` or `failed`."""
    return queue_webhook(
        type=f"redemption.{what}",
        object_id=redemption.public_id,
        data={
            "id": redemption.public_id,
            "customer": redemption.customer.external_id,
            "item": redemption.item.slug,
            "kind": redemption.kind,
            "quantity": redemption.quantity,
            "points": redemption.points,
            "state": redemption.state,
        },
    )


def _reward(reward: Reward, what: str) -> dict[str, Any]:
    return {
        "id": reward.public_id,
        "program": reward.program.slug,
        "referral": reward.referral.public_id if reward.referral else None,
        "rule": reward.rule,
        "to": reward.recipient.external_id,
        "side": reward.side,
        "kind": reward.kind,
        "points": reward.points,
        # Granted and released at once, it is told of twice: as it was then, and as it is.
        "state": Reward.State.PENDING if what == "granted" else reward.state,
        "reason": reward.reason or None,
        "available_at": reward.available_at,
    }
