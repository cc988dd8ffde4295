"""A choice: the customer takes one of several rewards, which is then given as its own kind says."""

from datetime import datetime, timedelta

from rewards.fulfilment.base import FulfilmentKind, How, Outcome, asked, nothing_to_take
from rewards.models import ChoiceGroup, Fulfilment, Reward

LOOK_AGAIN = timedelta(hours=1)


def _fulfil(order: Fulfilment, _at: datetime) -> Outcome:
    if ChoiceGroup.objects.filter(name=order.what, options__offered=True).exists():
        return asked(How.CHOICE, "the customer is asked to choose")
    why = f"there is nothing to choose in {order.what!r} yet"
    return Outcome(reward_state=Reward.State.AVAILABLE, why=why, retry=LOOK_AGAIN)


CHOICE = FulfilmentKind("a choice", _fulfil, nothing_to_take)
