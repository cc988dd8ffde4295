"""How the giving of rewards reacts to domain events."""

from accounts.queries import staff_who_may
from core import clocks
from referrals.events import EventRecorded, ReferralJudged
from referrals.freshness import is_news
from referrals.models import Claim, Event, Referral
from rewards.emails import queue_badge_earned
from rewards.events import (
    ChoiceOffered,
    RedemptionPlaced,
    RedemptionSettled,
    RewardFulfilled,
    RewardsReleased,
    RewardsWithdrawn,
    StockRunsLow,
)
from rewards.gift_emails import queue_choose_gift, queue_gift_ready, queue_stock_low
from rewards.models import CouponPool, Redemption, Reward
from rewards.queries.stock import stocks_of
from rewards.services.claiming import settle_claim
from rewards.services.coupons import note_coupon_in_event
from rewards.services.fulfilling import plan_fulfilments, take_back_fulfilments
from rewards.services.handing_over import hand_over_redemption, take_back_redemption
from rewards.services.perk_events import invite_to_open_events

_WRITTEN_ABOUT = frozenset({"coupon", "credit", "gift_card", "cash", "manual", "choice"})


def settle_gift(event: ReferralJudged) -> None:
    """Make the gift that a bound friend claimed before any order a reward of the referral."""
    if Claim.objects.filter(program__referrals=event.referral).exists():
        referral = Referral.objects.select_related("click").get(pk=event.referral)
        settle_claim(referral=referral, at=clocks.now())


def note_coupon(event: EventRecorded) -> None:
    """Mark the coupon that an order names as used."""
    fact = Event.objects.get(pk=event.event)
    if fact.coupon:
        note_coupon_in_event(event=fact)


def fulfil(event: RewardsReleased) -> None:
    """Give what is no points: at once where that needs nobody else."""
    plan_fulfilments(rewards=event.rewards, at=clocks.now())


def take_back(event: RewardsWithdrawn) -> None:
    """Undo what was given or is being given for rewards that were withdrawn."""
    take_back_fulfilments(rewards=event.rewards, at=clocks.now(), subject=event.subject)


def hand_over(event: RedemptionPlaced) -> None:
    """Give what points bought: at once where that needs nobody else."""
    hand_over_redemption(redemption=Redemption.objects.get(pk=event.redemption), at=clocks.now())


def take_back_redeemed(event: RedemptionSettled) -> None:
    """Undo what was given for a redemption that is cancelled or cannot be had."""
    if event.state != Redemption.State.FULFILLED:
        take_back_redemption(redemption=Redemption.objects.get(pk=event.redemption), at=clocks.now())


def invite_for_redeemed_perk(event: RedemptionSettled) -> None:
    """Invite who bought a perk to the events that are for those who have it."""
    redemption = Redemption.objects.select_related("customer").get(pk=event.redemption)
    if redemption.kind == "perk" and event.state == Redemption.State.FULFILLED:
        invite_to_open_events(customer=redemption.customer, at=clocks.now())


def tell_gift_ready(event: RewardFulfilled) -> None:
    """Tell the recipient of a gift; perks, badges and chosen points have words of their own elsewhere."""
    reward = _worth_a_mail(event.reward)
    chosen = reward.detail.get("gift", {}).get("kind", "") if reward else ""
    if reward and reward.kind in _WRITTEN_ABOUT and chosen not in {"points", "perk", "badge"}:
        queue_gift_ready(reward=reward)


def follow_choice(event: RewardFulfilled) -> None:
    """Let a perk that was chosen open its events, and tell of a badge that was chosen."""
    reward = Reward.objects.select_related("recipient").get(pk=event.reward)
    chosen = reward.detail.get("gift", {})
    if chosen.get("kind") == "perk":
        invite_to_open_events(customer=reward.recipient, at=clocks.now())
    if chosen.get("kind") == "badge" and reward.recipient.email:
        queue_badge_earned(reward=reward, slug=str(chosen.get("what", "")))


def tell_choice_offered(event: ChoiceOffered) -> None:
    """Ask the recipient to choose."""
    if reward := _worth_a_mail(event.reward):
        queue_choose_gift(reward=reward)


def _worth_a_mail(pk: int) -> Reward | None:
    reward = Reward.objects.select_related("recipient", "event").get(pk=pk)
    source = reward.event.source if reward.event else ""
    return reward if reward.recipient.email and is_news(source, reward.available_at, at=clocks.now()) else None


def tell_stock_low(event: StockRunsLow) -> None:
    """Tell the staff who look after coupons."""
    pool = CouponPool.objects.get(pk=event.pool)
    stock = stocks_of([pool], at=clocks.now())[pool.pk]
    for user in staff_who_may("rewards.change_couponpool"):
        queue_stock_low(pool=pool, stock=stock, user=user, day=event.day)
