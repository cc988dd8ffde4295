"""What a referral's history earns by the rules of its offer. Pure values, exact decimal arithmetic."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal, localcontext

from core.money import to_text, to_units
from referrals.judgement import EARNING, Purchase
from referrals.terms import RewardRule, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The referral as judged: its pair, state, binding and qualifying event (its net in minor units)."""

    referral_pk: int
    friend_pk: int
    state: str
    binding_pk: int
    bound_at: datetime
    touch_at: datetime
    qualifying_pk: int | None = None
    qualifying_id: str = ""
    qualified_at: datetime | None = None
    qualifying_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A reward that the rules give now, or refuse with a reason; `points` are whole."""

    rule: str
    side: str
    moment: str
    cause: str
    event_pk: int
    occurred_at: datetime
    available_at: datetime
    points: int
    reason: str = ""
    inputs: dict[str, str | int | None] = field(default_factory=dict)


def points_of(rule: RewardRule, terms: Terms, net_minor: int, *, multiplier: Decimal = Decimal(1)) -> int:
    """Return whole points by rule 2: one floor at the end, then the cap.

    floor(net x percent / 100 x points_per_unit x multiplier), at most max_points; or floor(points x multiplier).
    """
    with localcontext(prec=80):
        if rule.percent is None:
            return int((Decimal(rule.points or 0) * multiplier).to_integral_value(ROUND_FLOOR))
        worth = to_units(net_minor, terms.currency) * rule.percent * terms.points_per_unit * multiplier / 100
        points = int(worth.to_integral_value(ROUND_FLOOR))
    return points if rule.max_points is None else min(points, rule.max_points)


def rewards_due(terms: Terms, standing: Standing, purchases: Iterable[Purchase]) -> list[Due]:
    """Return every reward the referral earns as it stands, in the order of the file (rules 4 to 7 and 13)."""
    if standing.state == "voided":
        return []
    bought = sorted(purchases, key=_order)
    due: list[Due] = []
    for rule in terms.rewards:
        if rule.on == "signup":
            due.append(_signup(rule, terms, standing))
        elif rule.on == "qualified":
            due += _qualified(rule, terms, standing)
        else:
            due += _purchases(rule, terms, standing, bought)
    return due


def _order(purchase: Purchase) -> tuple[datetime, bytes]:
    return purchase.occurred_at, purchase.event_id.encode()


def _due(
    rule: RewardRule, terms: Terms, *, cause: str, event_pk: int, at: datetime, net_minor: int | None, reason: str = ""
) -> Due:
    inputs: dict[str, str | int | None] = {
        "percent": None if rule.percent is None else str(rule.percent),
        "points": rule.points,
        "net": None if net_minor is None else f"{to_text(net_minor, terms.currency)} {terms.currency}",
        "points_per_unit": str(terms.points_per_unit),
        "multiplier": "1",
        "max_points": rule.max_points,
        "hold_days": terms.hold_days_of(rule),
    }
    return Due(
        rule=rule.id,
        side=rule.to,
        moment=rule.on,
        cause=cause,
        event_pk=event_pk,
        occurred_at=at,
        available_at=at + timedelta(days=terms.hold_days_of(rule)),
        points=0 if reason else points_of(rule, terms, net_minor or 0),
        reason=reason,
        inputs=inputs,
    )


def signup_cause(friend_pk: int) -> str:
    """Return what a sign-up reward is for: a friend joins a program once, however often they are bound."""
    return f"signup:{friend_pk}"


def _signup(rule: RewardRule, terms: Terms, standing: Standing) -> Due:
    return _due(
        rule,
        terms,
        cause=signup_cause(standing.friend_pk),
        event_pk=standing.binding_pk,
        at=standing.bound_at,
        net_minor=None,
    )


def _qualified(rule: RewardRule, terms: Terms, standing: Standing) -> Iterator[Due]:
    if standing.state in EARNING and standing.qualifying_pk is not None and standing.qualified_at is not None:
        yield _due(
            rule,
            terms,
            cause=f"qualified:{standing.referral_pk}",
            event_pk=standing.qualifying_pk,
            at=standing.qualified_at,
            net_minor=standing.qualifying_minor,
        )


def _purchases(rule: RewardRule, terms: Terms, standing: Standing, bought: Iterable[Purchase]) -> Iterator[Due]:
    if standing.state not in EARNING or standing.qualified_at is None:
        return
    start = (standing.qualified_at, standing.qualifying_id.encode())
    if terms.qualifies_on != "purchase":
        start = (standing.qualified_at, b"")
    for purchase in bought:
        if _order(purchase) < start or not _repeats(rule, standing, purchase):
            continue
        other_currency = purchase.currency != terms.currency
        if purchase.net_minor == 0 and not other_currency:
            continue
        yield _due(
            rule,
            terms,
            cause=f"event:{purchase.pk}",
            event_pk=purchase.pk,
            at=purchase.occurred_at,
            net_minor=None if other_currency else purchase.net_minor,
            reason="currency_mismatch" if other_currency else "",
        )


def _repeats(rule: RewardRule, standing: Standing, purchase: Purchase) -> bool:
    if rule.repeat_days is None:
        return True
    if rule.repeat_days == 0 or standing.qualified_at is None:
        return purchase.pk == standing.qualifying_pk
    return purchase.occurred_at <= standing.qualified_at + timedelta(days=rule.repeat_days)


def refused_before_qualifying(terms: Terms, standing: Standing, purchases: Iterable[Purchase]) -> list[Due]:
    """Return the refusals of purchases in another currency that would otherwise have been judged to qualify."""
    if terms.qualifies_on != "purchase" or standing.state not in {"signed_up", "reversed", "expired"}:
        return []
    end = standing.bound_at + timedelta(days=terms.conversion_window_days)
    strange = [p for p in sorted(purchases, key=_order) if p.currency != terms.currency]
    return [
        _due(
            rule,
            terms,
            cause=f"event:{purchase.pk}",
            event_pk=purchase.pk,
            at=purchase.occurred_at,
            net_minor=None,
            reason="currency_mismatch",
        )
        for purchase in strange
        if standing.touch_at <= purchase.occurred_at <= end
        for rule in terms.rewards
        if rule.on in {"qualified", "purchase"}
    ]
