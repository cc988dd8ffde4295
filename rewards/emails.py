"""The mails that rewards cause."""

from collections.abc import Sequence

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from messaging.models import Message
from messaging.services import queue_message
from referrals.emails import PORTAL, recipient_of
from rewards.models import Reward


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
