"""Cash rewards, paid by the company: collected, approved by a second person, handed over, settled one by one."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts.models import User
from core.errors import Refused
from core.money import to_text
from rewards.models import Fulfilment, FulfilmentEndpoint, OutboundCall, PayoutBatch, PayoutItem
from rewards.services.fulfilling import complete_fulfilment, fail_fulfilment

State = PayoutBatch.State
ItemState = PayoutItem.State
TAKEN = (ItemState.OPEN, ItemState.PAID)
MOST_ITEMS = 500
A_CALL = 100


class NothingToPay(Refused):
    """No customer has a total of at least the minimum that stands in no other batch."""

    code = "nothing_to_pay"


class SamePerson(Refused):
    """Whoever made a payout batch cannot approve it."""

    code = "same_person"


class BatchInWrongState(Refused):
    """The batch is in a state from which this step is not possible; the detail names the state."""

    code = "wrong_state"


class NoEndpoint(Refused):
    """No endpoint for cash payouts is set up and switched on."""

    code = "no_endpoint"


@transaction.atomic
def create_payout(*, currency: str, minimum_minor: int, by: User, at: datetime) -> PayoutBatch:
    """Collect the cash rewards of a currency, of every customer whose total reaches the minimum, at most 500.

    Raises `NothingToPay`.
    """
    waiting = Fulfilment.objects.filter(
        kind="cash", how=Fulfilment.How.PAYOUT, state=Fulfilment.State.ASKED, currency=currency, amount_minor__gt=0
    ).exclude(payout_items__state__in=TAKEN)
    locked = list(waiting.select_related("reward").select_for_update(of=("self",)).order_by("pk"))
    chosen = _above_minimum(_not_taken(locked), minimum_minor)[:MOST_ITEMS]
    if not chosen:
        raise NothingToPay(f"nobody has {to_text(minimum_minor, currency)} {currency} or more waiting to be paid")
    batch = PayoutBatch.objects.create(currency=currency, minimum_minor=minimum_minor, created_by=by, created_at=at)
    items = [PayoutItem(batch=batch, fulfilment=order, amount_minor=order.amount_minor or 0) for order in chosen]
    PayoutItem.objects.bulk_create(items)
    return batch


def _not_taken(locked: list[Fulfilment]) -> list[Fulfilment]:
    """Leave out what another batch took while this one waited for the locks."""
    taken = set(
        PayoutItem.objects.filter(fulfilment__in=locked, state__in=TAKEN).values_list("fulfilment_id", flat=True)
    )
    return [order for order in locked if order.pk not in taken]


def _above_minimum(orders: Iterable[Fulfilment], minimum_minor: int) -> list[Fulfilment]:
    by_person: dict[int, list[Fulfilment]] = {}
    for order in orders:
        by_person.setdefault(order.reward.recipient_id, []).append(order)
    reach = [own for own in by_person.values() if sum(one.amount_minor or 0 for one in own) >= minimum_minor]
    return [order for own in reach for order in own]


@transaction.atomic
def approve_payout(*, batch: PayoutBatch, by: User, at: datetime) -> PayoutBatch:
    """Let a batch be handed over; raises `SamePerson` for who made it, `BatchInWrongState` unless it is a draft."""
    if is_same_person(batch, by):
        raise SamePerson("a payout is approved by a second person, not by who made it")
    return _move(batch, (State.DRAFT,), State.APPROVED, approved_by=by, approved_at=at)


def is_same_person(batch: PayoutBatch, by: User) -> bool:
    """Tell whether the person is the one who made the batch."""
    return batch.created_by_id == by.pk


@transaction.atomic
def discard_payout(*, batch: PayoutBatch, at: datetime) -> PayoutBatch:
    """Give up a batch that nobody has been handed; its rewards wait for another one."""
    _move(batch, (State.DRAFT, State.APPROVED), State.DISCARDED)
    batch.items.filter(state=ItemState.OPEN).update(
        state=ItemState.REMOVED, settled_at=at, note="the batch was discarded"
    )
    return batch


@transaction.atomic
def hand_over_payout(*, batch: PayoutBatch, at: datetime) -> PayoutBatch:
    """Note that an approved batch left the house; of one that did nothing changes."""
    if batch.state in (State.HANDED_OVER, State.CLOSED):
        return batch
    return _move(batch, (State.APPROVED,), State.HANDED_OVER, handed_over_at=at)


@transaction.atomic
def call_payout(*, batch: PayoutBatch, at: datetime) -> list[OutboundCall]:
    """Hand an approved batch to the company's own system by signed calls of at most 100 items; raises `NoEndpoint`."""
    endpoint = FulfilmentEndpoint.objects.filter(kind=FulfilmentEndpoint.Kind.CASH, enabled=True).first()
    if endpoint is None:
        raise NoEndpoint("set up an endpoint for cash payouts first, or export the batch as CSV")
    _move(batch, (State.APPROVED,), State.HANDED_OVER, handed_over_at=at)
    rows = batch.items.filter(state=ItemState.OPEN).select_related("fulfilment__reward__recipient").order_by("pk")
    items = [_item_json(item, batch.currency) for item in rows]
    parts = [items[start : start + A_CALL] for start in range(0, len(items), A_CALL)]
    calls = [
        OutboundCall(
            webhook_id=f"call_{batch.public_id}_{number}",
            endpoint=endpoint,
            type=OutboundCall.Type.PAYOUT,
            batch=batch,
            payload={"batch": batch.public_id, "part": number, "parts": len(parts), "items": part},
            due_at=at,
            created_at=at,
        )
        for number, part in enumerate(parts, start=1)
    ]
    return OutboundCall.objects.bulk_create(calls)


def _item_json(item: PayoutItem, currency: str) -> dict[str, str]:
    reward = item.fulfilment.reward
    return {
        "id": item.public_id,
        "reward": reward.public_id,
        "customer": reward.recipient.external_id,
        "amount": to_text(item.amount_minor, currency),
        "currency": currency,
    }


@transaction.atomic
def settle_item(*, item: PayoutItem, paid: bool, note: str, actor: str, at: datetime) -> PayoutItem:
    """Say that an item was paid, or that it failed and why; with the last one the batch is closed."""
    batch = PayoutBatch.objects.select_for_update(no_key=True).get(pk=item.batch_id)
    if batch.state not in (State.APPROVED, State.HANDED_OVER):
        raise BatchInWrongState(
            f"the batch is in the state “{State(batch.state).label}”; only an approved one can be settled"
        )
    after = ItemState.PAID if paid else ItemState.FAILED
    mine = PayoutItem.objects.filter(pk=item.pk, state=ItemState.OPEN)
    if mine.update(state=after, note=note[:200], settled_at=at) != 1:
        item.refresh_from_db()
        raise BatchInWrongState(f"this item is {ItemState(item.state).label} already")
    order = Fulfilment.objects.select_related("reward").get(pk=item.fulfilment_id)
    if paid:
        complete_fulfilment(order=order, at=at, why=note or f"paid in {batch.public_id}", actor=actor)
    else:
        fail_fulfilment(order=order, at=at, why=note or "the payment failed", actor=actor)
    if not batch.items.filter(state=ItemState.OPEN).exists():
        _move(batch, (State.APPROVED, State.HANDED_OVER), State.CLOSED)
    item.refresh_from_db()
    return item


def _move(batch: PayoutBatch, before: tuple[str, ...], after: str, **changes: object) -> PayoutBatch:
    mine = PayoutBatch.objects.filter(pk=batch.pk, state__in=before)
    if mine.update(state=after, **changes) != 1:
        now = PayoutBatch.objects.values_list("state", flat=True).get(pk=batch.pk)
        raise BatchInWrongState(f"the batch is in the state “{State(now).label}”")
    batch.refresh_from_db()
    return batch
