"""Giving released rewards of other kinds than points, and taking them back: each once, whoever tries how often."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from core.dispatch import MAX_ATTEMPTS, backoff, publish
from core.errors import Refused
from core.retrying import gave_way, will_try_again
from referrals.terms import terms_from_json
from rewards.events import ChoiceOffered, RewardFulfilled, RewardsStepped
from rewards.fulfilment import FULFILMENTS
from rewards.fulfilment.base import Outcome
from rewards.models import Fulfilment, Reward, RewardStep
from rewards.services.book import Book
from rewards.services.posting import expiry_of

State = Fulfilment.State
How = Fulfilment.How
GIVABLE = (Reward.State.AVAILABLE, Reward.State.WAITING_STOCK)

logger = logging.getLogger(__name__)


class FulfilmentInWrongState(Refused):
    """The reward is no longer where this step finds it: done, failed or taken back meanwhile."""

    code = "wrong_state"


@transaction.atomic(savepoint=False)
def plan_fulfilments(*, rewards: Iterable[int], at: datetime) -> int:
    """Note for each reward that is available, and is not points, what is to be given; try each; return how many."""
    ripe = Reward.objects.filter(pk__in=rewards, state=Reward.State.AVAILABLE).exclude(kind="points")
    orders = [
        new_order(reward, at=at) for reward in ripe.filter(fulfilment=None).select_related("offer").order_by("pk")
    ]
    Fulfilment.objects.bulk_create(orders, ignore_conflicts=True)
    planned = Fulfilment.objects.filter(reward__in=[order.reward_id for order in orders], state=State.DUE, attempts=0)
    return sum(_take_on(pk, 0, at=at) for pk in planned.order_by("pk").values_list("pk", flat=True))


def new_order(reward: Reward, *, at: datetime) -> Fulfilment:
    """Return the unsaved note of what a reward gives, as its detail says."""
    detail = reward.detail
    amount = detail.get("amount_minor")
    return Fulfilment(
        reward=reward,
        kind=reward.kind,
        what=str(detail.get("what", "")),
        amount_minor=amount,
        currency=str(detail.get("currency", "") or terms_from_json(reward.offer.terms).currency) if amount else "",
        due_at=at,
        created_at=at,
    )


def fulfil_due(*, at: datetime, limit: int = 200) -> int:
    """Give what is due at `at`, each in a transaction of its own; return how many moved on."""
    due = Fulfilment.objects.filter(state=State.DUE, due_at__lte=at).order_by("due_at", "pk")
    return sum(_take_on(pk, attempts, at=at) for pk, attempts in list(due.values_list("pk", "attempts")[:limit]))


def fulfil_order(*, order: Fulfilment, at: datetime) -> bool:
    """Try one order at once; return whether it moved on. What fails is due again, with its error."""
    return _take_on(order.pk, 0, at=at)


def _take_on(pk: int, attempts: int, *, at: datetime) -> bool:
    """Try once, counted before it begins: a try that takes the whole process down must count too."""
    mine = Fulfilment.objects.filter(pk=pk, state=State.DUE, attempts=attempts)
    if mine.update(attempts=attempts + 1, due_at=at + backoff(attempts + 1)) != 1:
        return False
    try:
        with transaction.atomic():
            return _fulfil(Fulfilment.objects.select_related("reward__recipient", "reward__program").get(pk=pk), at)
    except Exception as error:
        if gave_way(error) and will_try_again():
            raise
        logger.exception("fulfilment %s failed", pk)
        Fulfilment.objects.filter(pk=pk, state=State.DUE).update(last_error=f"{type(error).__name__}: {error}")
    if attempts + 1 >= MAX_ATTEMPTS:
        fail_fulfilment(order=Fulfilment.objects.get(pk=pk), why="could not be given after several tries", at=at)
    return False


def _fulfil(order: Fulfilment, at: datetime) -> bool:
    reward = order.reward
    book = None
    if order.kind == "points":  # the book is always opened before the reward is locked
        book = Book(customers=(reward.recipient_id,), at=at, subject=f"reward:{reward.pk}")
    state = _lock(reward)
    if state not in GIVABLE:
        return Fulfilment.objects.filter(pk=order.pk, state=State.DUE).update(state=State.STOPPED) == 1
    reward.state = Reward.State(state)
    outcome = FULFILMENTS[order.kind].fulfil(order, at)
    _apply(order, outcome, at)
    if book is not None and outcome.points:
        _book_points(reward, outcome.points, book, at)
    return outcome.retry is None


def _lock(reward: Reward) -> str:
    row = Reward.objects.select_for_update(no_key=True).filter(pk=reward.pk)
    return row.values_list("state", flat=True).get()


def _apply(order: Fulfilment, outcome: Outcome, at: datetime) -> None:
    reward, before = order.reward, order.reward.state
    if outcome.retry is not None:
        later = {"due_at": at + outcome.retry, "attempts": 0, "last_error": outcome.why}
        _move(order, State.DUE, State.DUE, **later)
    elif outcome.reward_state == Reward.State.FULFILLED:
        _move(order, State.DUE, State.DONE, how=outcome.how, done_at=at, last_error="")
    else:
        _move(order, State.DUE, State.ASKED, how=outcome.how, last_error="")
    _move_reward(reward, before, outcome.reward_state, outcome.detail)
    if before != outcome.reward_state or outcome.retry is None:
        what = outcome.reward_state if before != outcome.reward_state else "asked"
        keep_step(reward, what, at=at, why=outcome.why, points=outcome.points)
    _tell(order, outcome)


def _tell(order: Fulfilment, outcome: Outcome) -> None:
    subject = f"reward:{order.reward_id}"
    if outcome.reward_state == Reward.State.FULFILLED:
        publish(RewardFulfilled(subject=subject, reward=order.reward_id))
    elif outcome.how == How.CHOICE:
        publish(ChoiceOffered(subject=subject, reward=order.reward_id))


def _move(order: Fulfilment, before: str, after: str, **changes: Any) -> None:
    if Fulfilment.objects.filter(pk=order.pk, state=before).update(state=after, **changes) != 1:
        now = Fulfilment.objects.values_list("state", flat=True).get(pk=order.pk)
        raise FulfilmentInWrongState(f"this reward is {State(now).label}, no longer {State(before).label}")
    order.state = State(after)


def _move_reward(reward: Reward, before: str, after: str, detail: Mapping[str, Any]) -> None:
    told = {**reward.detail, **detail}
    if Reward.objects.filter(pk=reward.pk, state=before).update(state=after, detail=told) != 1:
        now = Reward.objects.values_list("state", flat=True).get(pk=reward.pk)
        raise FulfilmentInWrongState(f"the reward is {Reward.State(now).label}")
    reward.state, reward.detail = Reward.State(after), told


def keep_step(reward: Reward, what: str, *, at: datetime, why: str = "", actor: str = "", points: int = 0) -> None:
    """Note a step of the reward and tell who listens."""
    RewardStep.objects.create(
        reward=reward, at=at, what=what, why=why[:200], actor=actor, points=points, data=reward.detail
    )
    publish(RewardsStepped(subject=f"reward:{reward.pk}", steps=((reward.pk, str(what)),)))


def _book_points(reward: Reward, points: int, book: Book, at: datetime) -> None:
    """Post chosen points as any reward's: promised and released, so that a lot of its own stands behind it.

    The reward's own column stays 0, for it counts what the rules gave in points.
    """
    reward.points = points
    book.grant(reward, points)
    book.release(reward, expires_at=expiry_of(reward, at))
    book.close()
    reward.points = 0


@transaction.atomic
def complete_fulfilment(
    *, order: Fulfilment, at: datetime, detail: Mapping[str, Any] | None = None, why: str = "", actor: str = ""
) -> Fulfilment:
    """Say that who was asked has given it; raises `FulfilmentInWrongState` where it is not awaited any more."""
    _lock(order.reward)
    _move(order, State.ASKED, State.DONE, done_at=at, note=why[:200], actor=actor, last_error="")
    _move_reward(order.reward, Reward.State.AVAILABLE, Reward.State.FULFILLED, detail or {})
    keep_step(order.reward, Reward.State.FULFILLED, at=at, why=why, actor=actor)
    publish(RewardFulfilled(subject=f"reward:{order.reward_id}", reward=order.reward_id))
    return order


@transaction.atomic
def fail_fulfilment(*, order: Fulfilment, why: str, at: datetime, actor: str = "") -> Fulfilment:
    """Say that it cannot be given; the reward is `failed` until somebody tries again."""
    state = _lock(order.reward)
    if order.state not in (State.DUE, State.ASKED) or state not in GIVABLE:
        raise FulfilmentInWrongState(f"the reward is {Reward.State(state).label}, this is {State(order.state).label}")
    _move(order, order.state, State.FAILED, note=why[:200], actor=actor)
    _move_reward(order.reward, state, Reward.State.FAILED, {})
    keep_step(order.reward, Reward.State.FAILED, at=at, why=why, actor=actor)
    return order


@transaction.atomic
def retry_fulfilment(*, order: Fulfilment, why: str, actor: str, at: datetime) -> Fulfilment:
    """Try again what failed, or what waits for stock; raises `FulfilmentInWrongState` for anything else."""
    fresh = {"attempts": 0, "due_at": at, "how": How.AT_ONCE}
    if order.state == State.DUE:
        _move(order, State.DUE, State.DUE, **fresh)
        return order
    _lock(order.reward)
    _move(order, State.FAILED, State.DUE, note="", **fresh)
    _move_reward(order.reward, Reward.State.FAILED, Reward.State.AVAILABLE, {})
    keep_step(order.reward, "tried_again", at=at, why=why, actor=actor)
    return order


@transaction.atomic
def take_back_fulfilments(*, rewards: Iterable[int], at: datetime, subject: str) -> int:
    """Undo what was given or is being given for rewards that were withdrawn; return how many."""
    open_ones = Fulfilment.objects.filter(reward__in=list(rewards)).exclude(state__in=[State.STOPPED, State.TAKE_BACK])
    with_people = open_ones.select_related("reward__recipient", "reward__program").order_by("pk")
    orders = list(with_people.select_for_update(of=("self",)))
    for order in orders:
        taken = FULFILMENTS[order.kind].take_back(order, at)
        if order.kind == "points" and order.state == State.DONE:
            _take_points(order, at, subject)
        Fulfilment.objects.filter(pk=order.pk).update(state=taken.state, last_error="")
        if taken.why:
            keep_step(order.reward, "taken_back", at=at, why=taken.why)
    return len(orders)


def _take_points(order: Fulfilment, at: datetime, subject: str) -> None:
    book = Book(customers=(order.reward.recipient_id,), at=at, subject=subject)
    book.take_back(order.reward, order.points, pending=False, why=order.reward.reason)
    book.close()
    keep_step(order.reward, "taken_back", at=at, why=order.reward.reason, points=-order.points)
