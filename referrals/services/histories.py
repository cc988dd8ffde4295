"""Reading what is known of friends, in the shape that the pure rules judge."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Min

from referrals.happenings import happenings_of
from referrals.judgement import History, Purchase
from referrals.models import Customer, Event
from referrals.queries.existing import listed_since

_MOMENTS = (Event.Type.PURCHASE, Event.Type.LEAD, Event.Type.LEAD_STAGE, Event.Type.CUSTOM)


def load_history(friend: Customer) -> History:
    """Return the friend's purchases with their refunds, other qualifying facts, and the person's first purchase."""
    events = list(Event.objects.filter(customer=friend, type__in=_MOMENTS).order_by("occurred_at", "event_id"))
    bought = [event for event in events if event.type == Event.Type.PURCHASE]
    refunded = refunded_minor(bought)
    purchases = tuple(
        Purchase(
            pk=event.pk,
            event_id=event.event_id,
            occurred_at=event.occurred_at,
            amount_minor=event.amount_minor or 0,
            refunded_minor=refunded.get(event.order_id, 0),
            currency=event.currency,
        )
        for event in bought
    )
    return History(
        purchases=purchases,
        happenings=tuple(happenings_of(event for event in events if event.type != Event.Type.PURCHASE)),
        first_purchase_at=_first_purchase_at(friend, bought),
        listed_at=listed_since(friend.email),
    )


def refunded_minor(purchases: Sequence[Event]) -> dict[str, int]:
    """Return per order id what was given back in the purchase's own currency, in minor units."""
    if not purchases:
        return {}
    currency = {purchase.order_id: purchase.currency for purchase in purchases}
    total: dict[str, int] = defaultdict(int)
    refunds = Event.objects.filter(type=Event.Type.REFUND, order_id__in=list(currency))
    for order_id, amount, unit in refunds.values_list("order_id", "amount_minor", "currency"):
        if unit == currency[order_id]:
            total[order_id] += amount or 0
    return dict(total)


def _first_purchase_at(friend: Customer, bought: Sequence[Event]) -> datetime | None:
    own = min((event.occurred_at for event in bought), default=None)
    if not friend.email_normalized:
        return own
    namesakes = Event.objects.filter(
        type=Event.Type.PURCHASE, customer__email_normalized=friend.email_normalized
    ).aggregate(first=Min("occurred_at"))["first"]
    return min((at for at in (own, namesakes) if at is not None), default=None)
