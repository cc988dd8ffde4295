"""Cash: collected into payout batches that people approve and pay; nothing is paid from here."""

from datetime import datetime

from django.db.models import Q

from rewards.fulfilment.base import FulfilmentKind, How, Outcome, State, TakenBack, asked
from rewards.models import Fulfilment, PayoutBatch, PayoutItem

ItemState = PayoutItem.State


def _fulfil(_order: Fulfilment, _at: datetime) -> Outcome:
    return asked(How.PAYOUT, "waits for the next payout")


def _take_back(order: Fulfilment, at: datetime) -> TakenBack:
    items = PayoutItem.objects.filter(fulfilment=order)
    out = Q(state=ItemState.PAID) | Q(state=ItemState.OPEN, batch__state=PayoutBatch.State.HANDED_OVER)
    may_be_paid = items.filter(out).exists()
    removed = {"state": ItemState.REMOVED, "settled_at": at, "note": "the reward was taken back"}
    items.filter(state=ItemState.OPEN).update(**removed)
    settled = PayoutBatch.objects.filter(items__in=items, state=PayoutBatch.State.HANDED_OVER)
    settled.exclude(items__state=ItemState.OPEN).update(state=PayoutBatch.State.CLOSED)
    if may_be_paid:
        return TakenBack(State.TAKE_BACK, "handed over for payment already: stop it or ask for it back")
    return TakenBack(State.STOPPED, "taken out of the payout")


CASH = FulfilmentKind("cash payout", _fulfil, _take_back)
