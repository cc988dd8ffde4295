"""Points: a rule's own are booked by the engine; those chosen from several rewards are booked when chosen."""

from datetime import datetime

from rewards.fulfilment.base import FulfilmentKind, Outcome, nothing_to_take
from rewards.models import Fulfilment, Reward


def _fulfil(order: Fulfilment, _at: datetime) -> Outcome:
    return Outcome(reward_state=Reward.State.FULFILLED, points=order.points)


POINTS = FulfilmentKind("points", _fulfil, nothing_to_take)
