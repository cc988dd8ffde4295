"""A badge is given by being marked so: its name stands in the reward's detail."""

from datetime import datetime

from rewards.fulfilment.base import FulfilmentKind, Outcome, given, nothing_to_take
from rewards.models import Fulfilment


def _fulfil(order: Fulfilment, _at: datetime) -> Outcome:
    return given({"what": order.what})


BADGE = FulfilmentKind("badge", _fulfil, nothing_to_take)
