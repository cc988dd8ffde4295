"""Giving through the shop's own system, by a signed call; by hand where no endpoint is set up."""

from datetime import datetime, timedelta
from typing import Any

from core.money import to_text
from rewards.fulfilment.base import How, Outcome, State, TakenBack, asked, by_hand, take_back_by_hand
from rewards.models import Fulfilment, FulfilmentEndpoint, OutboundCall

CallState = OutboundCall.State
_AFTER_A_LEASE = timedelta(minutes=5)


def fulfil_by_call(order: Fulfilment, at: datetime) -> Outcome:
    """Write the call that asks the shop to give it; the same reward has the same webhook-id for ever."""
    endpoint = FulfilmentEndpoint.objects.filter(kind=order.kind).first()
    if endpoint is None:
        return by_hand(order, at)
    _call(order, endpoint, OutboundCall.Type.FULFIL, at)
    return asked(How.CALL, "the shop is asked to give it")


def take_back_by_call(order: Fulfilment, at: datetime) -> TakenBack:
    """Drop a call that was never tried; ask for the reversal of one that may have arrived."""
    if order.how != How.CALL:
        return take_back_by_hand(order, at)
    calls = OutboundCall.objects.filter(fulfilment=order, type=OutboundCall.Type.FULFIL)
    if calls.filter(state=CallState.DUE, attempts=0).update(state=CallState.DROPPED):
        return TakenBack(State.STOPPED, "the shop had not been asked yet")
    call = calls.select_related("endpoint").first()
    if call is None:
        return TakenBack(State.STOPPED)
    calls.filter(state=CallState.DUE).update(state=CallState.DROPPED)
    # A try that is under way now may arrive later than a reversal sent at once.
    sending = calls.filter(state=CallState.SENDING).exists()
    _call(order, call.endpoint, OutboundCall.Type.REVERSE, at + _AFTER_A_LEASE if sending else at)
    return TakenBack(State.STOPPED, "the shop is asked to take it back")


def _call(order: Fulfilment, endpoint: FulfilmentEndpoint, kind: OutboundCall.Type, due_at: datetime) -> None:
    prefix = "ful" if kind == OutboundCall.Type.FULFIL else "rev"
    webhook_id = f"{prefix}_{order.reward.public_id}"
    fresh = {"endpoint": endpoint, "type": kind, "fulfilment": order, "payload": _payload(order), "due_at": due_at}
    call, created = OutboundCall.objects.get_or_create(webhook_id=webhook_id, defaults=fresh)
    if not created:
        ended = OutboundCall.objects.filter(pk=call.pk, state__in=[CallState.DEAD, CallState.DROPPED])
        ended.update(state=CallState.DUE, attempts=0, due_at=due_at, endpoint=endpoint)


def _payload(order: Fulfilment) -> dict[str, Any]:
    """Return what the shop needs, and no more of the person than the company's own id."""
    reward = order.reward
    return {
        "reward": reward.public_id,
        "kind": order.kind,
        "amount": to_text(order.amount_minor or 0, order.currency),
        "currency": order.currency,
        "customer": reward.recipient.external_id,
        "program": reward.program.slug,
        "rule": reward.rule,
        "side": reward.side,
    }
