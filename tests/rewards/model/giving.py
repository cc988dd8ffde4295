"""Giving and taking back: from pending to available, and from wherever the points are (rules 8, 12 and 13)."""

from datetime import datetime

from tests.rewards.model.promises import DAY
from tests.rewards.model.things import Program, Referral, Reward, World


def take_back(world: World, rewards: list[Reward]) -> None:
    """Take rewards back whole."""
    for reward in rewards:
        take_points(world, reward, reward.points)
        reward.state = "cancelled" if reward.state == "pending" else "revoked"


def take_points(world: World, reward: Reward, points: int) -> None:
    """Take some of a reward's points back from where they are."""
    if points <= 0:
        return
    reward.points -= points
    purse = world.purse(reward.recipient)
    if reward.state == "pending":
        purse.pending -= points
    elif reward.lot:
        purse.take_back(points, reward.lot)


def grant(world: World, program: Program, referral: Referral, reward: Reward) -> None:
    """Write down a decision; a granted one is pending until it is released."""
    world.grants += 1
    reward.serial = world.grants
    if reward not in referral.rewards:
        referral.rewards.append(reward)
    if reward.state == "planned":
        reward.state = "pending"
        reward.held = _was_held(referral, reward)
        world.purse(reward.recipient).pending += reward.points


def _was_held(referral: Referral, reward: Reward) -> bool:
    """Whether staff held what this stands in the place of; milestones are granted by climbs of their own."""
    same = [
        old
        for old in referral.rewards
        if old is not reward and old.state != "refused" and (old.rule, old.recipient) == (reward.rule, reward.recipient)
        if old.moment != "purchase" or old.cause == reward.cause
    ]
    return reward.moment != "milestone" and bool(same) and max(same, key=lambda one: one.serial).held


def release_due(world: World, referrals: list[Referral], now: datetime) -> None:
    """Rule 13: make available what is ripe, unless staff hold it or the referral is under review."""
    ripe = [
        reward
        for referral in referrals
        for reward in referral.rewards
        if (not referral.flagged or reward.cleared)
        if reward.state == "pending" and not reward.held and reward.available_at and reward.available_at <= now
    ]
    for reward in sorted(ripe, key=lambda one: one.serial):
        reward.state = "available"
        purse = world.purse(reward.recipient)
        if reward.points:
            purse.pending -= reward.points
            ends = None if reward.expires is None else now + reward.expires * DAY
            reward.lot = purse.add(reward.points, ends)
