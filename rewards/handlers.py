"""How rewards react to domain events."""

from core import clocks
from referrals.events import ReferralJudged
from referrals.freshness import is_news
from referrals.models import Customer, Event, Referral
from rewards.emails import queue_points_expiring, queue_redemption_settled, queue_reward_available
from rewards.events import PointsExpiring, RedemptionSettled, RewardsReleased
from rewards.models import Redemption, Reward
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


def tell_points_expiring(event: PointsExpiring) -> None:
    """Tell the owner which points expire soon."""
    customer = Customer.objects.get(pk=event.customer)
    if customer.email:
        queue_points_expiring(customer=customer, news=event)


def tell_redemption_settled(event: RedemptionSettled) -> None:
    """Tell the customer how their redemption ended, unless they ended it themselves or never confirmed it."""
    redemption = Redemption.objects.select_related("customer").get(pk=event.redemption)
    last = redemption.steps.latest("pk")
    by_somebody_else = last.actor not in {"", f"customer:{redemption.customer_id}"}
    if by_somebody_else and redemption.customer.email:
        queue_redemption_settled(redemption=redemption)
