"""What a hold of n days risks, told by the shop's own refunds. Pure values."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rewards.survival import Z95, Spell, Step, curve_at, kaplan_meier, log_log_interval

ENOUGH_REFUNDS = 30
ENOUGH_FOLLOWED = 30
LONGEST_DAYS = 365
ONE_SIDED = 0.05
DAYS = (0, 3, 7, 10, 14, 21, 30, 45, 60, 90)


@dataclass(frozen=True, slots=True)
class Order:
    """A purchase: its age in days, what was paid, its refunds as (days after it, amount); amounts in minor units."""

    age_days: float
    amount_minor: int
    refunds: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRisk:
    """What a hold of `days` leaves open.

    `left` is the share of all refunds (up to the horizon) that come later than that; `risk` the share of
    what was not refunded by then that is refunded later all the same. Intervals are 95 %, None where
    they cannot be told; where no refund came later, `left_most` and `risk_most` say what either is at most.
    """

    days: int
    left: float
    left_interval: tuple[float, float] | None
    risk: float
    risk_interval: tuple[float, float] | None
    left_most: float | None = None
    risk_most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAdvice:
    """The risk of each hold by count of orders and by amount, up to the `horizon`, in days, that is followed well."""

    orders: int
    refunds: int
    horizon: int
    by_count: tuple[HoldRisk, ...]
    by_amount: tuple[HoldRisk, ...]

    @property
    def enough(self) -> bool:
        """Whether there are refunds enough to rely on it."""
        return self.refunds >= ENOUGH_REFUNDS and self.horizon > 0

    def of(self, days: int, *, by_amount: bool = False) -> HoldRisk | None:
        """Return the risk of a hold of exactly `days`, None where it is not told."""
        rows = self.by_amount if by_amount else self.by_count
        return next((row for row in rows if row.days == days), None)


def advise_hold(orders: Sequence[Order], *, holds: Iterable[int] = ()) -> HoldAdvice:
    """Return what each of `DAYS`, and of `holds` besides, risks.

    Orders still young are right-censored at their age. By count an order ends with its first refund; by
    amount each refunded part ends on its own day and the rest is censored (weighted Kaplan-Meier). The
    horizon is the longest age, at most a year, at which 30 orders are still followed: of later refunds nothing
    is known.
    """
    paid = [order for order in orders if order.amount_minor > 0 and order.age_days >= 0]
    horizon = _horizon(paid)
    counted = kaplan_meier(_first_refund(order) for order in paid)
    weighed = kaplan_meier(spell for order in paid for spell in _parts(order))
    days = sorted({day for day in (*DAYS, *holds) if 0 <= day < horizon})
    return HoldAdvice(
        orders=len(paid),
        refunds=sum(1 for order in paid if any(at <= horizon for at, _ in order.refunds)),
        horizon=horizon,
        by_count=tuple(_bounded(_risk(counted, day, horizon), paid, horizon) for day in days),
        by_amount=tuple(_bounded(_risk(weighed, day, horizon), paid, horizon) for day in days),
    )


def _horizon(orders: Sequence[Order]) -> int:
    ages = sorted((order.age_days for order in orders), reverse=True)
    if len(ages) < ENOUGH_FOLLOWED:
        return 0
    return min(LONGEST_DAYS, math.floor(ages[ENOUGH_FOLLOWED - 1]))


def _first_refund(order: Order) -> Spell:
    first = min((max(0.0, at) for at, minor in order.refunds if minor > 0), default=None)
    return Spell(order.age_days, ended=False) if first is None else Spell(first, ended=True)


def _parts(order: Order) -> Iterable[Spell]:
    left = order.amount_minor
    for at, minor in sorted(order.refunds):
        part = min(minor, left)
        if part > 0:
            left -= part
            yield Spell(max(0.0, at), ended=True, weight=part)
    if left:
        yield Spell(order.age_days, ended=False, weight=left)


def _risk(curve: tuple[Step, ...], days: int, horizon: int) -> HoldRisk:
    kept, variance = curve_at(curve, days)
    end, end_variance = curve_at(curve, horizon)
    lasting = end / kept if kept else 1.0
    later_variance = end_variance - variance if kept else 0.0
    lasting_interval = log_log_interval(lasting, later_variance)
    return HoldRisk(
        days=days,
        left=(kept - end) / (1 - end) if end < 1 else 0.0,
        left_interval=_left_interval(kept, variance, lasting, later_variance),
        risk=1 - lasting,
        risk_interval=(1 - lasting_interval[1], 1 - lasting_interval[0]) if lasting_interval else None,
    )


def _bounded(row: HoldRisk, orders: Sequence[Order], horizon: int) -> HoldRisk:
    """Bound a share of 0 from above, one-sided at 95 %, by the exact binomial 1 - 0.05^(1/n).

    For what comes later n is the orders followed to the horizon without a refund, for the share of refunds n is the
    refunds; about 3/n, the rule of three (Hanley and Lippman-Hand, JAMA 249 (1983) 1743-1745). By amount it takes
    orders as the ones that decide, since one order's money goes back together.
    """
    if row.risk > 0:
        return row
    followed = sum(1 for one in orders if one.age_days >= horizon and not one.refunds)
    refunded = sum(1 for one in orders if one.refunds)
    return replace(row, risk_most=_at_most(followed), left_most=_at_most(refunded))


def _at_most(watched: int) -> float | None:
    return 1 - ONE_SIDED ** (1 / watched) if watched else None


def _left_interval(kept: float, variance: float, lasting: float, later_variance: float) -> tuple[float, float] | None:
    """Return the 95 % interval of the share of refunds still to come, symmetric on its logit.

    The share is S(n)(1 - c) / (1 - S(n) c) with c = S(horizon) / S(n), so its odds are
    S(n)(1 - c) / (1 - S(n)). S(n) and c rest on different days, so that their Greenwood sums v and w are
    independent; by the delta method the variance of log odds is v / (1 - S(n))^2 + w c^2 / (1 - c)^2.
    """
    if not (0 < kept < 1 and 0 < lasting < 1 and math.isfinite(variance + later_variance)):
        return None
    odds = kept * (1 - lasting) / (1 - kept)
    spread = math.sqrt(variance / (1 - kept) ** 2 + later_variance * lasting**2 / (1 - lasting) ** 2)
    low, high = odds * math.exp(-Z95 * spread), odds * math.exp(Z95 * spread)
    return low / (1 + low), high / (1 + high)
