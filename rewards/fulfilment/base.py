"""What every kind of fulfilment is: two functions, and what they come to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rewards.models import Fulfilment, Reward

How = Fulfilment.How
State = Fulfilment.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What trying to give a reward came to.

    `reward_state` is where the reward stands now: fulfilled, waiting for stock, or available as before (somebody
    else is asked, or with `retry` it is tried again). `points` are to be booked by whoever keeps the books.
    """

    reward_state: Reward.State
    how: How = How.AT_ONCE
    detail: Mapping[str, Any] = field(default_factory=dict)
    points: int = 0
    why: str = ""
    retry: timedelta | None = None


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What taking a reward back came to: nothing is left to do (stopped) or somebody must; `why` in words."""

    state: State
    why: str = ""


@dataclass(frozen=True, slots=True)
class FulfilmentKind:
    """One kind: how staff call it, how it is given and how it is taken back; both inside a transaction."""

    label: str
    fulfil: Callable[[Fulfilment, datetime], Outcome]
    take_back: Callable[[Fulfilment, datetime], TakenBack]


def given(detail: Mapping[str, Any] | None = None) -> Outcome:
    """Return that it is given."""
    return Outcome(reward_state=Reward.State.FULFILLED, detail=detail or {})


def asked(how: How, why: str) -> Outcome:
    """Return that it is somebody else's turn."""
    return Outcome(reward_state=Reward.State.AVAILABLE, how=how, why=why)


def nothing_to_take(_order: Fulfilment, _at: datetime) -> TakenBack:
    """Return that it ends with its reward: a mark, or something never handed over."""
    return TakenBack(State.STOPPED)


def by_hand(_order: Fulfilment, _at: datetime) -> Outcome:
    """Put it on the work list."""
    return asked(How.HAND, "on the work list")


def take_back_by_hand(order: Fulfilment, _at: datetime) -> TakenBack:
    """Take an open item off the work list; put one that is done back on it, to be undone."""
    if order.state == State.DONE:
        return TakenBack(State.TAKE_BACK, "given by hand, to be taken back by hand")
    return TakenBack(State.STOPPED, "taken off the work list")
