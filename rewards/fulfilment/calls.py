"""Giving through the shop's own system, by a signed call; by hand where no endpoint is set up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

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
    asked = withdraw_call(OutboundCall.objects.filter(fulfilment=order), at=at)
    if asked is None:
        return TakenBack(State.STOPPED)
    if asked.due_at is None:
        return TakenBack(State.STOPPED, "the shop had not been asked yet")
    _call(order, asked.endpoint, OutboundCall.Type.REVERSE, asked.due_at)
    return TakenBack(State.STOPPED, "the shop is asked to take it back")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked to give it, and from when on a reversal may be sent; None where they were not asked yet."""

    endpoint: FulfilmentEndpoint
    due_at: datetime | None


def withdraw_call(calls: QuerySet[OutboundCall], *, at: datetime) -> Asked | None:
    """Drop the call to give; return whether it may have arrived, or None where there was none."""
    wanted = calls.filter(type=OutboundCall.Type.FULFIL)
    dropped = wanted.filter(state=CallState.DUE, attempts=0).update(state=CallState.DROPPED)
    call = wanted.select_related("endpoint").first()
    if call is None or dropped:
        return Asked(call.endpoint, None) if call else None
    wanted.filter(state=CallState.DUE).update(state=CallState.DROPPED)
    # A try that is under way now may arrive later than a reversal sent at once.
    sending = wanted.filter(state=CallState.SENDING).exists()
    return Asked(call.endpoint, at + _AFTER_A_LEASE if sending else at)


def _call(order: Fulfilment, endpoint: FulfilmentEndpoint, kind: OutboundCall.Type, due_at: datetime) -> None:
    about = {"fulfilment": order, "payload": _payload(order)}
    make_call(order.reward.public_id, endpoint=endpoint, kind=kind, due_at=due_at, about=about)


def make_call(
    public_id: str,
    *,
    endpoint: FulfilmentEndpoint,
    kind: OutboundCall.Type,
    due_at: datetime,
    about: Mapping[str, Any],
) -> None:
    """Write the call once; one that was given up or dropped starts over with the same webhook-id."""
    prefix = "ful" if kind == OutboundCall.Type.FULFIL else "rev"
    fresh = {"endpoint": endpoint, "type": kind, "due_at": due_at, **about}
    call, created = OutboundCall.objects.get_or_create(webhook_id=f"{prefix}_{public_id}", defaults=fresh)
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
