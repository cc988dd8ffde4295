"""The money rules for one friend and one advocate, written once more and naively, from the words alone.

Imports nothing of the product. Takes facts as JSON, in any order, and says what must stand at an instant.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

DAY = timedelta(days=1)
WINDOW, HOLD, REPEAT = 180 * DAY, 14 * DAY, 365 * DAY


@dataclass
class Outcome:
    """What must stand: the newest referral's state and reason, and (rule, points, available at) by person."""

    state: str = ""
    reason: str = ""
    advocate: list[tuple[str, int, datetime]] = field(default_factory=list)
    friend: list[tuple[str, int, datetime]] = field(default_factory=list)


@dataclass
class Order:
    """A purchase of the friend with what is left of it."""

    at: datetime
    key: bytes
    currency: str
    paid: Decimal
    net: Decimal


def when(fact: dict) -> datetime:
    return datetime.fromisoformat(fact["occurred_at"])


def place(fact: dict) -> tuple[datetime, bytes]:
    return when(fact), fact["event_id"].encode()


def orders_of(facts: list[dict], who: str) -> list[Order]:
    """Return the friend's purchases in order, refunds of the same order and currency subtracted, never below 0."""
    found = []
    for fact in facts:
        if fact["type"] == "purchase" and fact["customer"]["external_id"] == who:
            order = fact["order"]
            back = sum(
                Decimal(other["order"]["amount"])
                for other in facts
                if other["type"] == "refund"
                and (other["order"]["id"], other["order"]["currency"]) == (order["id"], order["currency"])
            )
            paid = Decimal(order["amount"])
            found.append(Order(*place(fact), order["currency"], paid, max(Decimal(0), paid - back)))
    return sorted(found, key=lambda order: (order.at, order.key))


def expected(facts: list[dict], who: str, touches: dict[str, datetime], *, now: datetime) -> Outcome:
    """Return what must stand for the friend at `now`; `touches` names the click behind an event, by event id."""
    facts = list({fact["event_id"]: fact for fact in facts}.values())
    orders = orders_of(facts, who)
    outcome = Outcome()
    bound: tuple[datetime, datetime] | None = None
    first_bound: datetime | None = None
    for fact in sorted((f for f in facts if f.get("referral") and f["customer"]["external_id"] == who), key=place):
        at, touch = when(fact), touches.get(fact["event_id"], when(fact))
        if bound and (at <= bound[0] + WINDOW or in_window(orders, bound, lambda order: order.paid)):
            continue
        if any(order.at < touch for order in orders):
            outcome.state, outcome.reason = "voided", "existing_customer"
            bound = None
            break
        if at - touch > 30 * DAY:
            if not bound:
                outcome.state, outcome.reason = "voided", "outside_window"
            continue
        bound = (at, touch)
        outcome.state, outcome.reason = "bound", ""
        first_bound = first_bound or at
    if first_bound:
        outcome.friend.append(("friend-welcome", 100, first_bound))
    if bound:
        settle(outcome, orders, bound, now)
    return outcome


def in_window(orders: list[Order], bound: tuple[datetime, datetime], worth) -> list[Order]:
    """Return the orders that qualify by what `worth` says is left of them."""
    return [
        order
        for order in orders
        if bound[1] <= order.at <= bound[0] + WINDOW and order.currency == "EUR" and worth(order) >= 20
    ]


def settle(outcome: Outcome, orders: list[Order], bound: tuple[datetime, datetime], now: datetime) -> None:
    """Fill in the state and the advocate's rewards of a friend who is bound."""
    qualifying = in_window(orders, bound, lambda order: order.net)
    if not qualifying:
        reversed_ = in_window(orders, bound, lambda order: order.paid)
        outcome.state = "reversed" if reversed_ else "expired" if now > bound[0] + WINDOW else "signed_up"
        return
    first = qualifying[0]
    outcome.state = "approved" if first.at + HOLD <= now else "qualified"
    outcome.advocate.append(("advocate-fixed", 500, first.at + HOLD))
    for order in orders:
        later = (order.at, order.key) >= (first.at, first.key) and order.at <= first.at + REPEAT
        if later and order.net > 0 and order.currency == "EUR":
            points = min(200, int(order.net * 5 / 100))
            outcome.advocate.append(("advocate-share", points, order.at + HOLD))
