"""Bringing what a referral earned in line with what its rules give now: grant, reduce, withdraw, release."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from core.dispatch import publish
from referrals.judgement import Purchase
from referrals.models import Event, Referral
from referrals.services.histories import load_history
from referrals.terms import Terms, terms_from_json
from rewards.calculation import Due, Standing, refused_before_qualifying, rewards_due, signup_cause
from rewards.events import RewardsReleased
from rewards.models import Reward, RewardStep
from rewards.services.book import Book

State = Reward.State
Key = tuple[str, int, str]


@dataclass
class _Plan:
    """What to write for one referral."""

    grant: list[Reward] = field(default_factory=list)
    refuse: list[Reward] = field(default_factory=list)
    withdraw: list[Reward] = field(default_factory=list)
    reduce: list[tuple[Reward, int]] = field(default_factory=list)
    redate: list[Reward] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.grant or self.refuse or self.withdraw or self.reduce or self.redate)


class _Journal:
    """Collects the steps of rewards, written once."""

    def __init__(self, *, at: datetime, event: Event | None) -> None:
        self.at = at
        self.event = event
        self.steps: list[RewardStep] = []

    def keep(self, reward: Reward, what: str, points: int, why: str = "") -> None:
        step = RewardStep(
            reward=reward, at=self.at, what=what, why=why, event=self.event, points=points, data=reward.inputs
        )
        self.steps.append(step)

    def close(self) -> None:
        RewardStep.objects.bulk_create(self.steps)


@transaction.atomic(savepoint=False)
def settle_referral(*, referral: Referral, event: Event | None, at: datetime, subject: str) -> None:
    """Make the referral's rewards what its offer gives for its history as it is judged now.

    What comes out the same is not posted again; what is ripe at `at` is released at once.
    """
    terms = terms_from_json(referral.offer.terms)
    purchases = load_history(referral.friend).purchases
    standing = _standing(referral, purchases)
    due = rewards_due(terms, standing, purchases) + refused_before_qualifying(terms, standing, purchases)
    if not due and not Reward.objects.filter(referral=referral).exists():
        return
    book = Book(customers=(referral.advocate_id, referral.friend_id), at=at, subject=subject)
    rewards = list(Reward.objects.filter(referral=referral).order_by("pk"))
    plan = _plan(referral, terms, due, rewards, at)
    ripe = [r for r in rewards if r.state == State.PENDING and r not in plan.withdraw and r.available_at <= at]
    ripe += [r for r in plan.grant if r.available_at <= at]
    if not plan.is_empty or ripe:
        _carry_out(plan, ripe, book, _Journal(at=at, event=event), why=_why(referral))
        _tell(ripe, subject=subject)


def _standing(referral: Referral, purchases: Sequence[Purchase]) -> Standing:
    qualifying = next((p for p in purchases if p.pk == referral.qualifying_event_id), None)
    event = referral.qualifying_event
    return Standing(
        referral_pk=referral.pk,
        friend_pk=referral.friend_id,
        state=referral.state,
        binding_pk=referral.binding_event_id or 0,
        bound_at=referral.bound_at,
        touch_at=referral.touch_at,
        qualifying_pk=referral.qualifying_event_id,
        qualifying_id=event.event_id if event else "",
        qualified_at=referral.qualified_at,
        qualifying_minor=qualifying.net_minor if qualifying else (event.amount_minor or 0 if event else 0),
    )


def _plan(referral: Referral, terms: Terms, due: Iterable[Due], rewards: list[Reward], at: datetime) -> _Plan:
    plan = _Plan()
    standing = {_key(reward): reward for reward in rewards if reward.state in Reward.STANDING}
    refused = {_key(reward) for reward in rewards if reward.state == State.REFUSED}
    elsewhere = _paid_elsewhere(referral) if terms.rules_on("signup") else set()
    for one in due:
        recipient = referral.advocate_id if one.side == "advocate" else referral.friend_id
        key = (one.rule, recipient, one.cause)
        reason = one.reason or ("duplicate" if key in elsewhere else "")
        fresh = _new_reward(referral, one, recipient, reason=reason)
        if reason:
            plan.refuse += [] if key in refused else [fresh]
        elif (kept := standing.pop(key, None)) is not None:
            _compare(plan, kept, one, fresh, at)
        else:
            plan.grant.append(fresh)
    plan.withdraw += standing.values()
    return plan


def _compare(plan: _Plan, kept: Reward, one: Due, fresh: Reward, at: datetime) -> None:
    moved = (kept.available_at, kept.occurred_at, kept.event_id) != (
        fresh.available_at,
        fresh.occurred_at,
        fresh.event_id,
    )
    no_longer_ripe = kept.state == State.AVAILABLE and kept.available_at < fresh.available_at > at
    if one.points > kept.points or no_longer_ripe or (one.points < kept.points and moved):
        plan.withdraw.append(kept)
        plan.grant.append(fresh)
        return
    if one.points < kept.points:
        plan.reduce.append((kept, kept.points - one.points))
    if moved:
        kept.available_at, kept.occurred_at, kept.event_id = fresh.available_at, fresh.occurred_at, fresh.event_id
        plan.redate.append(kept)
    kept.inputs = fresh.inputs


def _key(reward: Reward) -> Key:
    return reward.rule, reward.recipient_id, reward.cause


def _paid_elsewhere(referral: Referral) -> set[Key]:
    """Return the sign-up rewards that belong to an earlier binding of the same friend in the program."""
    others = Referral.objects.filter(program=referral.program_id, friend=referral.friend_id).exclude(pk=referral.pk)
    earlier = [
        other
        for other in others.exclude(state=Referral.State.VOIDED).select_related("offer")
        if (other.bound_at, other.pk) < (referral.bound_at, referral.pk)
    ]
    return {
        (rule.id, other.advocate_id if rule.to == "advocate" else other.friend_id, signup_cause(other.friend_id))
        for other in earlier
        for rule in terms_from_json(other.offer.terms).rules_on("signup")
    }


def _new_reward(referral: Referral, one: Due, recipient: int, *, reason: str = "") -> Reward:
    return Reward(
        program_id=referral.program_id,
        offer_id=referral.offer_id,
        referral=referral,
        recipient_id=recipient,
        side=one.side,
        rule=one.rule,
        moment=one.moment,
        cause=one.cause,
        event_id=one.event_pk or None,
        points=0 if reason else one.points,
        granted_points=0 if reason else one.points,
        inputs=one.inputs,
        state=State.REFUSED if reason else State.PENDING,
        reason=reason,
        occurred_at=one.occurred_at,
        available_at=one.available_at,
    )


def _carry_out(plan: _Plan, ripe: list[Reward], book: Book, journal: _Journal, *, why: str) -> None:
    for reward in plan.withdraw:
        _withdraw(reward, book, journal, why=why)
    Reward.objects.bulk_update(plan.withdraw, ["state", "points", "reason"])
    Reward.objects.bulk_create([*plan.grant, *plan.refuse])
    for reward, points in plan.reduce:
        book.take_back(reward, points, pending=reward.state == State.PENDING, why="refund")
        reward.points -= points
        journal.keep(reward, "reduced", -points, "part of the order was refunded")
    for reward in plan.redate:
        journal.keep(reward, "redated", 0, "another event of the friend counts now")
    Reward.objects.bulk_update(
        [*plan.redate, *(reward for reward, _ in plan.reduce if reward not in plan.redate)],
        ["points", "available_at", "occurred_at", "event", "inputs"],
    )
    for reward in plan.refuse:
        journal.keep(reward, "refused", 0, reward.reason)
    for reward in plan.grant:
        if reward.points:
            book.grant(reward, reward.points)
        journal.keep(reward, "granted", reward.points)
    _release(ripe, book, journal)
    book.close()
    journal.close()


def _withdraw(reward: Reward, book: Book, journal: _Journal, *, why: str) -> None:
    pending = reward.state == State.PENDING
    taken = reward.points
    if taken:
        book.take_back(reward, taken, pending=pending, why=why)
    reward.points = 0
    reward.state = State.CANCELLED if pending else State.REVOKED
    reward.reason = why
    journal.keep(reward, reward.state, -taken, why)


def _release(ripe: list[Reward], book: Book, journal: _Journal) -> None:
    moved = Reward.objects.filter(pk__in=[r.pk for r in ripe], state=State.PENDING).update(state=State.AVAILABLE)
    if moved != len(ripe):
        raise RuntimeError("a reward left 'pending' while its recipient's book was open")
    for reward in ripe:
        reward.state = State.AVAILABLE
        if reward.points:
            book.release(reward)
        journal.keep(reward, "released", 0, "its hold has passed")


def _tell(released: Sequence[Reward], *, subject: str) -> None:
    by_recipient: dict[int, list[int]] = {}
    for reward in released:
        by_recipient.setdefault(reward.recipient_id, []).append(reward.pk)
    publish(
        *(
            RewardsReleased(subject=subject, recipient=recipient, rewards=tuple(pks))
            for recipient, pks in by_recipient.items()
        )
    )


def _why(referral: Referral) -> str:
    return referral.reason if referral.state == Referral.State.VOIDED else "order_did_not_stand"


def release_due(*, at: datetime) -> int:
    """Release the pending rewards whose hold has passed by `at`; return how many."""
    ripe = Reward.objects.filter(state=State.PENDING, available_at__lte=at)
    recipients = list(ripe.order_by("recipient_id").values_list("recipient_id", flat=True).distinct())
    return sum(_release_for(recipient, at=at) for recipient in recipients)


@transaction.atomic
def _release_for(recipient: int, *, at: datetime) -> int:
    book = Book(customers=(recipient,), at=at, subject=f"customer:{recipient}")
    ripe = list(Reward.objects.filter(recipient_id=recipient, state=State.PENDING, available_at__lte=at).order_by("pk"))
    journal = _Journal(at=at, event=None)
    _release(ripe, book, journal)
    book.close()
    journal.close()
    _tell(ripe, subject=f"customer:{recipient}")
    return len(ripe)
