"""The mails that rewards cause."""

from collections.abc import Sequence

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from messaging.models import Message
from messaging.services import queue_message
from referrals.emails import PORTAL, recipient_of
from rewards.models import Appeal, Reward


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


def queue_appeal_answered(*, appeal: Appeal) -> Message:
    """Tell a customer what came of their appeal."""
    customer, referral = appeal.customer, appeal.referral
    of_advocate = customer.pk == referral.advocate_id
    with translation.override(customer.locale or settings.LANGUAGE_CODE):
        upheld = appeal.state == Appeal.State.UPHELD
        outcome = gettext("You were right.") if upheld else gettext("It stays as it is.")
        nameless = of_advocate and not referral.friend.first_name
        other = referral.friend.masked_name if of_advocate else referral.advocate.first_name
    return queue_message(
        kind="appeal_answered",
        recipient=recipient_of(customer),
        cause=f"appeal:{appeal.pk}",
        context={
            "first_name": customer.first_name,
            "friend_name": "" if nameless else other,
            "outcome": outcome,
            "answer": appeal.answer,
            "portal_url": f"{settings.PUBLIC_BASE_URL}{PORTAL}",
        },
    )
