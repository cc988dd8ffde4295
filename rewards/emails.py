"""The mails that rewards cause."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext

from core.periods import local_day
from messaging.models import Message
from messaging.services import queue_message
from referrals.emails import PORTAL, recipient_of
from referrals.models import Customer
from rewards.events import PointsExpiring
from rewards.models import Redemption, Reward

REDEMPTIONS = "/redemptions/"
CATALOGUE = "/catalogue/"


def queue_reward_available(*, rewards: Sequence[Reward]) -> Message:
    """Tell a customer that points are theirs now: one mail for all released together, caused by the oldest."""
    recipient = rewards[0].recipient
    with translation.override(recipient.locale or settings.LANGUAGE_CODE):
        why = _why(max(rewards, key=lambda reward: reward.points))
    return queue_message(
        kind="reward_available",
        recipient=recipient_of(recipient),
        cause=f"reward:{min(reward.pk for reward in rewards)}",
        context={
            "first_name": recipient.first_name,
            "points": sum(reward.points for reward in rewards),
            "why": why,
            "portal_url": f"{settings.PUBLIC_BASE_URL}{PORTAL}",
        },
    )


def _why(reward: Reward) -> str:
    if reward.referral is None:
        return ""
    if reward.side == "friend":
        return gettext("You came through a good word.")
    words = {
        "signup": gettext("%(friend)s joined through you."),
        "qualified": gettext("%(friend)s became a customer through you."),
        "purchase": gettext("%(friend)s ordered again."),
    }
    return words.get(reward.moment, "") % {"friend": reward.referral.friend.masked_name}


def queue_points_expiring(*, customer: Customer, news: PointsExpiring) -> Message:
    """Tell a customer which points expire soon; caused by the first of the lots and how long before."""
    return queue_message(
        kind="points_expiring",
        recipient=recipient_of(customer),
        cause=f"lot:{news.lot}:{news.days}",
        context={
            "first_name": customer.first_name,
            "points": news.points,
            "first_day": _day(news.first_at),
            "last_day": _day(news.last_at),
            "portal_url": f"{settings.PUBLIC_BASE_URL}{CATALOGUE}",
        },
    )


def _day(moment: str) -> str:
    return local_day(datetime.fromisoformat(moment), timezone.get_default_timezone()).isoformat()


def queue_redemption_settled(*, redemption: Redemption) -> Message:
    """Tell a customer that they have what they gave points for, or that the points are back."""
    return queue_message(
        kind="redemption_settled",
        recipient=recipient_of(redemption.customer),
        cause=f"redemption:{redemption.pk}:{redemption.state}",
        context={
            "first_name": redemption.customer.first_name,
            "item": redemption.title,
            "done": int(redemption.state == Redemption.State.FULFILLED),
            "points": redemption.points,
            "note": redemption.outcome,
            "portal_url": f"{settings.PUBLIC_BASE_URL}{REDEMPTIONS}",
        },
    )
