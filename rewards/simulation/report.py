"""What came out of a back-test, beside what was really granted. Pure values, ready to be kept as JSON."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from core.errors import Invalid
from core.money import exponent_of, to_minor
from referrals.judgement import EARNING
from referrals.terms import Terms
from rewards.calculation import points_of
from rewards.deciding import MILESTONE, Due
from rewards.simulation.facts import Fact
from rewards.simulation.replay import Replay

MOST_AFFECTED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A reward as it stands, of the back-test or of what was really granted."""

    recipient: int
    side: str
    rule: str
    moment: str
    kind: str
    points: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """The moments that count: `start` inclusive, `end` exclusive."""

    start: datetime
    end: datetime

    def __contains__(self, moment: object) -> bool:
        return isinstance(moment, datetime) and self.start <= moment < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A customer with the points they would have, those they really have, and the difference."""

    customer: int
    would: int
    really: int

    @property
    def difference(self) -> int:
        """Points more (or fewer, below 0) than they really have."""
        return self.would - self.really


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of a back-test over a span: points, counts, money in minor units of `currency`.

    `cost_minor` is the worth of points and money rewards together, None without a point value; `base` says
    what `share` is of: 'margin' where it is known of every purchase counted, else 'revenue'; `others` counts
    rewards of other kinds than points; by name, all in their order.
    """

    currency: str
    facts: int
    referrals: int
    conversions: int
    conversions_really: int
    points: int
    points_really: int
    money_minor: int
    cost_minor: int | None
    cost_each_minor: int | None
    base: str
    base_minor: int
    share: float | None
    customers: int
    by_rule: dict[str, tuple[int, int]]
    others: dict[str, int]
    refusals: dict[str, int]
    tier_points: int
    tier_rewards: int
    milestone_points: int
    milestones: int
    affected: list[Affected] = field(default_factory=list)

    @property
    def difference(self) -> int:
        """Points more (or fewer, below 0) than really granted."""
        return self.points - self.points_really

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"difference": self.difference}


def make_report(
    replay: Replay, span: Span, real: Iterable[Granted], *, conversions_really: int, point_value: Decimal | None
) -> Report:
    """Return what the replayed rules gave for events within the span, beside what was really granted for such.

    `point_value` is money per point in the program's currency. Shares and costs each are None where they
    rest on a value that is not known, or on nothing.
    """
    terms = replay.case.terms
    given = [(tie, due) for tie in replay.ties for due in tie.stands.values() if due.occurred_at in span]
    climbed = [due for held in replay.milestones.values() for due in held.values() if due.occurred_at in span]
    dues = [due for _, due in given] + climbed
    really = [one for one in real if one.occurred_at in span]
    converted = [tie for tie in replay.ties if tie.state in EARNING and tie.qualified_at in span]
    money = sum(int(due.detail.get("amount_minor", 0)) for due in dues)
    points = sum(due.points for due in dues)
    cost = None if point_value is None else _minor(points * point_value, terms.currency) + money
    base, base_minor = _base(replay, span)
    return Report(
        currency=terms.currency,
        facts=len(replay.facts),
        referrals=sum(1 for tie in replay.ties if tie.state != "voided" and tie.binding.bound_at in span),
        conversions=len(converted),
        conversions_really=conversions_really,
        points=points,
        points_really=sum(one.points for one in really),
        money_minor=money,
        cost_minor=cost,
        cost_each_minor=_each(cost, len(converted)),
        base=base,
        base_minor=base_minor,
        share=cost / base_minor if cost is not None and base_minor > 0 else None,
        customers=len({due.recipient_pk for due in dues if due.points}),
        by_rule=_by_rule(terms, dues, really),
        others=dict(Counter(due.kind for due in dues if due.kind != "points")),
        refusals=_refusals(replay, span),
        affected=_affected(dues, really),
        **_by_tiers(terms, dues),
        **_by_milestones(climbed),
    )


def _minor(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(exponent_of(currency)).to_integral_value(ROUND_HALF_UP))


def _each(cost: int | None, count: int) -> int | None:
    return None if cost is None or not count else int((Decimal(cost) / count).to_integral_value(ROUND_HALF_UP))


def _by_rule(terms: Terms, dues: Iterable[Due], really: Iterable[Granted]) -> dict[str, tuple[int, int]]:
    """Return per rule the points it would give and those it really gave, the file's own rules first."""
    would: dict[str, int] = {rule.id: 0 for rule in terms.rewards}
    was: dict[str, int] = defaultdict(int)
    for due in dues:
        would[due.rule] = would.get(due.rule, 0) + due.points
    for one in really:
        was[one.rule] += one.points
    return {rule: (would.get(rule, 0), was.get(rule, 0)) for rule in [*would, *(r for r in was if r not in would)]}


def _refusals(replay: Replay, span: Span) -> dict[str, int]:
    """Return how many rewards were refused and do not stand for all that, by reason."""
    found: Counter[str] = Counter()
    for tie in replay.ties:
        last = {(key, event): reason for key, event, reason in tie.refusals}
        for (key, event), reason in last.items():
            due = tie.refusals[key, event, reason]
            if key not in tie.stands and due.occurred_at in span:
                found[reason] += 1
    found.update(due.reason for due in replay.refused_milestones if due.occurred_at in span)
    return dict(found.most_common())


def _by_milestones(climbed: Sequence[Due]) -> dict[str, int]:
    reached = {(due.recipient_pk, due.cause) for due in climbed}
    return {"milestones": len(reached), "milestone_points": sum(due.points for due in climbed)}


def _by_tiers(terms: Terms, dues: Iterable[Due]) -> dict[str, int]:
    """Return the points that tiers gave besides (or, below 0, took), and on how many rewards."""
    rules = {rule.id: rule for rule in terms.rewards}
    more, count = 0, 0
    for due in dues:
        rule = rules.get(due.rule)
        if rule is None or due.moment == MILESTONE or str(due.inputs.get("multiplier", "1")) == "1":
            continue
        net = str(due.inputs.get("net") or "").partition(" ")[0]
        more += due.points - points_of(rule, terms, to_minor(net, terms.currency) if net else 0)
        count += 1
    return {"tier_points": more, "tier_rewards": count}


def _affected(dues: Iterable[Due], really: Iterable[Granted]) -> list[Affected]:
    would: Counter[int] = Counter()
    was: Counter[int] = Counter()
    for due in dues:
        would[due.recipient_pk] += due.points
    for one in really:
        was[one.recipient] += one.points
    everybody = [Affected(customer=pk, would=would[pk], really=was[pk]) for pk in {*would, *was}]
    moved = [one for one in everybody if one.difference]
    return sorted(moved, key=lambda one: (-abs(one.difference), one.customer))[:MOST_AFFECTED]


def _base(replay: Replay, span: Span) -> tuple[str, int]:
    """Return what the cost is compared with: the margin, else the revenue, of what converted friends bought.

    Purchases count from the qualifying one on, net of refunds; margin is reduced as the purchase is.
    """
    revenue, margin, complete = 0, Decimal(0), True
    for tie in replay.ties:
        if tie.state not in EARNING or tie.qualified_at is None:
            continue
        friend = replay.people.friends[tie.friend]
        for purchase in replay.people.history_of(friend).purchases:
            if purchase.occurred_at < tie.qualified_at or purchase.occurred_at not in span:
                continue
            if purchase.currency != replay.case.terms.currency or not purchase.amount_minor:
                continue
            revenue += purchase.net_minor
            told = margin_minor(replay.facts[purchase.pk])
            complete = complete and told is not None
            margin += Decimal(told or 0) * purchase.net_minor / purchase.amount_minor
    whole = int(margin.to_integral_value(ROUND_HALF_UP))
    return ("margin", whole) if complete and whole > 0 else ("revenue", revenue)


def margin_minor(fact: Fact) -> int | None:
    """Return the margin that the shop told of an order, in minor units, or None."""
    order: object = fact.body.get("order")
    told = order.get("margin") if isinstance(order, Mapping) else None
    if not isinstance(told, str):
        return None
    try:
        sign = -1 if told.startswith("-") else 1
        return sign * to_minor(told.removeprefix("-"), fact.currency)
    except Invalid:
        return None
