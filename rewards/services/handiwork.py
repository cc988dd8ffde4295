"""The work list: what people of the company give by hand, and take back."""

from datetime import datetime

from django.db import transaction

from core.errors import Invalid
from rewards.models import Fulfilment
from rewards.services.fulfilling import FulfilmentInWrongState, complete_fulfilment, fail_fulfilment, keep_step

State = Fulfilment.State


def finish_handiwork(*, order: Fulfilment, note: str, actor: str, at: datetime) -> Fulfilment:
    """Say that an item of the work list is done, given or taken back, with a note."""
    if not note.strip():
        raise Invalid("expected a note on what was done")
    if order.state == State.TAKE_BACK:
        return _finish_taking_back(order=order, note=note, actor=actor, at=at)
    if order.how != Fulfilment.How.HAND:
        raise FulfilmentInWrongState("this is not on the work list")
    return complete_fulfilment(order=order, why=note.strip(), actor=actor, at=at)


@transaction.atomic
def _finish_taking_back(*, order: Fulfilment, note: str, actor: str, at: datetime) -> Fulfilment:
    mine = Fulfilment.objects.filter(pk=order.pk, state=State.TAKE_BACK)
    if mine.update(state=State.STOPPED, note=note[:200], actor=actor, done_at=at) != 1:
        raise FulfilmentInWrongState("somebody else has just done it")
    keep_step(order.reward, "taken_back", at=at, why=note, actor=actor)
    order.refresh_from_db()
    return order


def decline_handiwork(*, order: Fulfilment, reason: str, actor: str, at: datetime) -> Fulfilment:
    """Say that an item of the work list cannot be done, and why; the reward is `failed`."""
    if not reason.strip():
        raise Invalid("expected why it cannot be done")
    if order.how != Fulfilment.How.HAND or order.state != State.ASKED:
        raise FulfilmentInWrongState("this is not open on the work list")
    return fail_fulfilment(order=order, why=reason.strip(), actor=actor, at=at)
