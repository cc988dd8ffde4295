"""Reading the shop's orders with their refunds, for what they say about holds."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from referrals.models import Event
from rewards.holds import HoldAdvice, Order, advise_hold

LOOKED_BACK = timedelta(days=730)
_DAY = timedelta(days=1)


def order_currencies() -> list[str]:
    """Return the currencies in which anything was bought, the most used first."""
    counts = Counter(Event.objects.filter(type=Event.Type.PURCHASE).values_list("currency", flat=True))
    return [currency for currency, _ in counts.most_common()]


def orders_of(currency: str, *, at: datetime) -> list[Order]:
    """Return the orders in the currency of the last two years with their refunds, as known at `at`."""
    since = at - LOOKED_BACK
    given_back: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    refunds = Event.objects.filter(type=Event.Type.REFUND, currency=currency, occurred_at__gte=since)
    for order, moment, minor in refunds.filter(occurred_at__lte=at).values_list(
        "order_id", "occurred_at", "amount_minor"
    ):
        given_back[order].append((moment, minor or 0))
    bought = Event.objects.filter(type=Event.Type.PURCHASE, currency=currency, occurred_at__gte=since)
    rows = bought.filter(occurred_at__lte=at).values_list("order_id", "occurred_at", "amount_minor")
    return [
        Order(
            age_days=(at - moment) / _DAY,
            amount_minor=minor or 0,
            refunds=tuple(((back - moment) / _DAY, amount) for back, amount in given_back.get(order, ())),
        )
        for order, moment, minor in rows
    ]


def hold_advice(currency: str, *, at: datetime, holds: tuple[int, ...] = ()) -> HoldAdvice:
    """Return what holds of different lengths risk, told by the shop's own refunds in the currency."""
    return advise_hold(orders_of(currency, at=at), holds=holds)
