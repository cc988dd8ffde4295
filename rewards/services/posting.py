"""Writing what was planned: rewards, their steps and the ledger, each table once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from core.dispatch import publish
from referrals.models import Event, Referral
from referrals.terms import terms_from_json
from rewards.events import RewardsReleased, RewardsStepped, RewardsWithdrawn
from rewards.models import Reward, RewardStep
from rewards.services.book import Book
from rewards.services.planning import Plan

State = Reward.State


class Journal:
    """Collects the steps of rewards, written once."""

    def __init__(self, *, at: datetime, event: Event | None, actor: str = "") -> None:
        self.at = at
        self.event = event
        self.actor = actor
        self.steps: list[RewardStep] = []

    def keep(self, reward: Reward, what: str, points: int, why: str = "") -> None:
        """Note a step of a reward: what, why, and by how many points what stands changes."""
        step = RewardStep(
            reward=reward,
            at=self.at,
            what=what,
            why=why,
            actor=self.actor,
            event=self.event,
            points=points,
            data=reward.inputs,
        )
        self.steps.append(step)

    def close(self) -> None:
        """Write the steps and tell who listens."""
        RewardStep.objects.bulk_create(self.steps)
        if self.steps:
            subject = f"event:{self.event.pk}" if self.event else f"reward:{self.steps[0].reward_id}"
            publish(RewardsStepped(subject=subject, steps=tuple((step.reward_id, step.what) for step in self.steps)))


def carry_out(plan: Plan, ripe: list[Reward], book: Book, journal: Journal, *, why: str) -> None:
    """Write the plan, release what is ripe, and close the book and the journal."""
    for reward in plan.withdraw:
        withdraw(reward, book, journal, why=why)
    Reward.objects.bulk_update(plan.withdraw, ["state", "points", "reason"])
    Reward.objects.bulk_create([*plan.grant, *plan.refuse])
    for reward, points in plan.reduce:
        book.take_back(reward, points, pending=reward.state == State.PENDING, why="refund")
        reward.points -= points
        journal.keep(reward, "reduced", -points, "part of the order was refunded")
    for reward in plan.redate:
        journal.keep(reward, "redated", 0, "another event of the friend counts now")
    reduced = [reward for reward, _ in plan.reduce]
    changed = list(dict.fromkeys([*plan.redate, *reduced, *plan.reweigh]))
    Reward.objects.bulk_update(changed, ["points", "available_at", "occurred_at", "event", "offer", "inputs"])
    for reward in plan.refuse:
        journal.keep(reward, "refused", 0, reward.reason)
    for reward in plan.grant:
        if reward.points:
            book.grant(reward, reward.points)
        journal.keep(reward, "granted", reward.points)
    release(ripe, book, journal)
    book.close()
    journal.close()


def withdraw(reward: Reward, book: Book, journal: Journal, *, why: str) -> None:
    """Take a reward back in memory and in the book: cancelled where it was pending, else revoked."""
    pending = reward.state == State.PENDING
    taken = reward.points
    if taken:
        book.take_back(reward, taken, pending=pending, why=why)
    reward.points = 0
    reward.state = State.CANCELLED if pending else State.REVOKED
    reward.reason = why
    journal.keep(reward, reward.state, -taken, why)


def release(ripe: Sequence[Reward], book: Book, journal: Journal) -> None:
    """Make rewards available; points become a lot that expires as the offer says."""
    moved = Reward.objects.filter(pk__in=[r.pk for r in ripe], state=State.PENDING).update(state=State.AVAILABLE)
    if moved != len(ripe):
        raise RuntimeError("a reward left 'pending' while its recipient's book was open")
    for reward in ripe:
        reward.state = State.AVAILABLE
        if reward.points:
            book.release(reward, expires_at=expiry_of(reward, journal.at))
        journal.keep(reward, "released", 0, "its hold has passed")


def expiry_of(reward: Reward, at: datetime) -> datetime | None:
    """Return when points that become available at `at` expire, by the reward's offer (rule 12)."""
    days = terms_from_json(reward.offer.terms).expires_days
    return None if days is None else at + timedelta(days=days)


def is_ripe(reward: Reward, referral: Referral | None, at: datetime) -> bool:
    """Return whether a reward may be released: pending, its hold over, and nothing waits for a person."""
    if reward.state != State.PENDING or reward.available_at > at or reward.held:
        return False
    return reward.cleared or referral is None or not waits_for_review(referral)


def waits_for_review(referral: Referral) -> bool:
    """Return whether nothing of the referral is released before somebody has looked at it."""
    return referral.held or referral.state == Referral.State.FLAGGED


def tell_released(released: Sequence[Reward], *, subject: str) -> None:
    """Tell who listens, per recipient."""
    by_recipient: dict[int, list[int]] = {}
    for reward in released:
        by_recipient.setdefault(reward.recipient_id, []).append(reward.pk)
    publish(
        *(
            RewardsReleased(subject=subject, recipient=recipient, rewards=tuple(pks))
            for recipient, pks in by_recipient.items()
        )
    )


def tell_withdrawn(withdrawn: Sequence[Reward], *, subject: str) -> None:
    """Tell who listens of other kinds than points; the book itself tells of those."""
    others = tuple(reward.pk for reward in withdrawn if reward.kind != "points")
    if others:
        publish(RewardsWithdrawn(subject=subject, rewards=others))
