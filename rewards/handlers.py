"""How rewards react to domain events."""

from core import clocks
from referrals.events import ReferralJudged
from referrals.freshness import is_news
from referrals.models import Event, Referral
from rewards.emails import queue_appeal_answered, queue_reward_available
from rewards.events import AppealAnswered, RewardsReleased
from rewards.models import Appeal, Reward
from rewards.services.grants import settle_referral


def grant(event: ReferralJudged) -> None:
    """Bring the referral's rewards in line with how it was judged."""
    related = ("offer", "friend", "advocate", "qualifying_event")
    referral = Referral.objects.select_related(*related).get(pk=event.referral)
    cause = Event.objects.filter(pk=event.event).first()
    settle_referral(referral=referral, event=cause, at=clocks.now(), subject=event.subject)


def tell_reward_available(event: RewardsReleased) -> None:
    """Tell the recipient that points are theirs now."""
    related = ("recipient", "referral__friend", "event")
    rewards = Reward.objects.filter(pk__in=event.rewards, points__gt=0).select_related(*related).order_by("pk")
    now = clocks.now()
    worth_a_mail = [r for r in rewards if is_news(r.event.source if r.event else "", r.available_at, at=now)]
    if worth_a_mail and worth_a_mail[0].recipient.email:
        queue_reward_available(rewards=worth_a_mail)


def tell_appeal_answered(event: AppealAnswered) -> None:
    """Send the customer the answer to their appeal."""
    appeal = Appeal.objects.select_related("customer", "referral__friend", "referral__advocate").get(pk=event.appeal)
    if appeal.customer.email:
        queue_appeal_answered(appeal=appeal)
