"""What staff decide on one reward, each side apart: hold, approve, cancel, revoke, reopen."""

from datetime import datetime

from django.db import transaction

from core.errors import Refused
from referrals.models import Referral
from referrals.services.lifecycle import lock_referral
from rewards.models import Reward
from rewards.services.book import Book
from rewards.services.grants import settle_referral
from rewards.services.planning import BY_STAFF
from rewards.services.posting import (
    Journal,
    is_ripe,
    release,
    tell_released,
    tell_withdrawn,
    waits_for_review,
    withdraw,
)

State = Reward.State
REOPENED = "reopened"


class RewardInWrongState(Refused):
    """The reward is in a state from which this step is not possible; the detail names the state."""

    code = "wrong_state"


class _Desk:
    """One reward on the desk: its recipient's book is open, the reward is read after that."""

    def __init__(self, reward: Reward, *, note: str, actor: str, at: datetime) -> None:
        self.book = Book(customers=(reward.recipient_id,), at=at, subject=f"reward:{reward.pk}")
        self.reward = Reward.objects.select_related("offer", "referral").get(pk=reward.pk)
        self.journal = Journal(at=at, event=None, actor=actor)
        self.note = note
        self.at = at

    def refuse_unless(self, possible: bool, step: str) -> None:
        if not possible:
            held = ", held" if self.reward.held else ""
            raise RewardInWrongState(f"the reward is {self.reward.state}{held}; it cannot be {step}")

    def keep(self, step: str) -> None:
        self.journal.keep(self.reward, step, 0, self.note)

    def close(self) -> Reward:
        if is_ripe(self.reward, self.reward.referral, self.at):
            release([self.reward], self.book, self.journal)
            tell_released([self.reward], subject=f"reward:{self.reward.pk}")
        self.book.close()
        self.journal.close()
        return self.reward


@transaction.atomic
def hold_reward(*, reward: Reward, note: str, actor: str, at: datetime) -> Reward:
    """Keep a pending reward from being released until it is approved; the other side's goes its way."""
    desk = _Desk(reward, note=note, actor=actor, at=at)
    moved = Reward.objects.filter(pk=reward.pk, state=State.PENDING, held=False).update(held=True, cleared=False)
    desk.refuse_unless(moved == 1, "held")
    desk.reward.held, desk.reward.cleared = True, False
    desk.keep("held")
    return desk.close()


@transaction.atomic
def approve_reward(*, reward: Reward, note: str, actor: str, at: datetime) -> Reward:
    """Let a reward go that staff hold or whose referral waits for review; never before its own hold has passed."""
    desk = _Desk(reward, note=note, actor=actor, at=at)
    referral = desk.reward.referral
    waits = desk.reward.held or (not desk.reward.cleared and referral is not None and waits_for_review(referral))
    desk.refuse_unless(waits and desk.reward.state == State.PENDING, "approved")
    cleared = referral is not None and waits_for_review(referral)
    Reward.objects.filter(pk=reward.pk).update(held=False, cleared=cleared)
    desk.reward.held, desk.reward.cleared = False, cleared
    desk.keep("approved")
    return desk.close()


@transaction.atomic
def cancel_reward(*, reward: Reward, note: str, actor: str, at: datetime) -> Reward:
    """Take a pending reward back before it is available, for good unless it is reopened."""
    return _take_back(reward, note=note, actor=actor, at=at, pending=True)


@transaction.atomic
def revoke_reward(*, reward: Reward, note: str, actor: str, at: datetime) -> Reward:
    """Take a reward back after it became available, for good unless it is reopened; spent points become debt."""
    return _take_back(reward, note=note, actor=actor, at=at, pending=False)


def _take_back(reward: Reward, *, note: str, actor: str, at: datetime, pending: bool) -> Reward:
    desk = _Desk(reward, note=note, actor=actor, at=at)
    taken = desk.reward
    possible = taken.state in Reward.STANDING and (taken.state == State.PENDING) == pending
    desk.refuse_unless(possible, "cancelled" if pending else "revoked")
    withdraw(taken, desk.book, desk.journal, why=BY_STAFF)
    desk.journal.steps[-1].why = note
    taken.save(update_fields=["state", "points", "reason"])
    tell_withdrawn([taken], subject=f"reward:{taken.pk}")
    return desk.close()


@transaction.atomic
def reopen_reward(*, reward: Reward, note: str, actor: str, at: datetime) -> Reward:
    """Decide again what staff took back or the rules refused, by the rules, limits and budget as they are now.

    The answer is the reward that stands or is refused in its place; the old one keeps its history.
    """
    referral = lock_referral(pk=_referral_of(reward))
    desk = _Desk(reward, note=note, actor=actor, at=at)
    opens = desk.reward.reason == BY_STAFF or desk.reward.state == State.REFUSED
    desk.refuse_unless(opens and desk.reward.reason != REOPENED, "reopened")
    limited = desk.reward.reason == "limit_reached"
    Reward.objects.filter(pk=reward.pk).update(reason=REOPENED, held=False)
    desk.keep(REOPENED)
    desk.close()
    settle_referral(
        referral=referral, event=None, at=at, subject=f"reward:{reward.pk}", actor=actor, limit_anew=limited
    )
    same = Reward.objects.filter(rule=reward.rule, recipient=reward.recipient_id, cause=reward.cause)
    return same.latest("pk")


def _referral_of(reward: Reward) -> int:
    if reward.referral_id is None or reward.moment not in {"signup", "qualified", "purchase", "assist"}:
        raise RewardInWrongState("only a reward that a referral's rule gave can be decided again")
    if reward.referral and reward.referral.state == Referral.State.VOIDED:
        raise RewardInWrongState("the referral is voided; reopen the referral instead")
    return reward.referral_id
