"""Deciding rewards: conditions, limits, tiers and budget over what could be earned. Pure; the world is asked.

Everything that depends on more than the friend's own history is asked of a `World`, in the order of the rules,
so that a decision in production and one in a back-test are the same code.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from core.money import to_text
from referrals.conditions import Outcome, Value, evaluate
from referrals.judgement import Purchase
from referrals.terms import Level, Milestone, RewardRule, Terms, decimal_text
from rewards.calculation import Candidate, Standing, candidates_of, points_of
from rewards.standing import level_for

LIMITED = ("qualified", "purchase")
REDECIDED = ("qualified", "purchase", "assist")
"""The moments whose rewards are decided again when another event qualifies (rule 4)."""
STAYS_REFUSED = frozenset({"condition", "limit_reached", "budget_exhausted"})
MILESTONE = "milestone"

Inputs = dict[str, str | int | None]


class World(Protocol):
    """What a decision rests on beyond the friend's own history, as it is when the decision is taken."""

    def values_of(self, event_pk: int) -> Mapping[str, Value]:
        """Return what conditions may ask of an event of the friend (`terms.RULE_FIELDS`)."""
        ...

    def advocate_values(self) -> Mapping[str, Value]:
        """Return what a tier's condition may ask of the advocate (`terms.LEVEL_FIELDS`)."""
        ...

    def referrals_counted(self, since: datetime, until: datetime) -> int:
        """Return how many *other* referrals of the advocate in the program are qualified or approved.

        Those whose qualifying event lies in [since, until], both ends included.
        """
        ...

    def referrals_rewarded(self, at: datetime, period: str) -> int:
        """Return how many *other* referrals of the advocate count against the limit in the period of `at`.

        Those qualified, approved or flagged that were not refused by it.
        """
        ...

    def budget_left(self) -> int | None:
        """Return the program's budget less all that stands but this referral's own rule rewards (None: no budget)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What was decided before for a key: the event it was for, what stands of it, and why not (empty: it stands)."""

    event_pk: int | None
    points: int = 0
    multiplier: Decimal = Decimal(1)
    reason: str = ""
    inputs: Inputs = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A reward that the rules give now, or refuse with a reason; `points` are whole, `detail` what else it gives."""

    rule: str
    side: str
    moment: str
    recipient_pk: int
    cause: str
    event_pk: int
    occurred_at: datetime
    available_at: datetime
    kind: str = "points"
    points: int = 0
    reason: str = ""
    detail: dict[str, str | int] = field(default_factory=dict)
    inputs: Inputs = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int, str]:
        """What is paid once: rule, recipient and cause (rule 14)."""
        return self.rule, self.recipient_pk, self.cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is due of a referral's rules, in order, and whether the advocate's side is above the limit."""

    due: list[Due]
    limited: bool


def level_at(terms: Terms, world: World, at: datetime) -> tuple[Level | None, int]:
    """Return the advocate's tier for an event at `at` (rule 3), and how many other referrals it rests on."""
    if terms.tiers is None:
        return None, 0
    counted = world.referrals_counted(at - timedelta(days=terms.tiers.window_days), at)
    values = world.advocate_values() if any(level.when for level in terms.tiers.levels) else {}
    return level_for(terms.tiers, counted, values, at), counted


def milestone_cause(number: int) -> str:
    """Return what a milestone's reward is for: reaching that many referrals, at most once standing (rule 9)."""
    return f"{MILESTONE}:{number}"


def milestone_number(cause: str) -> int:
    """Return how many referrals a milestone's cause stands for."""
    return int(cause.removeprefix(f"{MILESTONE}:"))


def milestone_rules(one: Milestone) -> list[tuple[str, str]]:
    """Return (rule id, kind) of what a milestone gives: points, a badge or both."""
    points = [] if one.points is None else [(f"{MILESTONE}-{one.referrals}", "points")]
    return points + ([(f"{MILESTONE}-{one.referrals}-badge", "badge")] if one.badge else [])


def is_limited(terms: Terms, standing: Standing, world: World) -> bool:
    """Return whether the advocate has as many rewarded referrals in the period as the offer allows (rule 10)."""
    limits = terms.limits
    if limits.referrals is None or standing.qualified_at is None or not standing.earns:
        return False
    return world.referrals_rewarded(standing.qualified_at, limits.period) >= limits.referrals


def decide(
    terms: Terms,
    standing: Standing,
    purchases: Iterable[Purchase],
    *,
    prior: Mapping[tuple[str, int, str], Prior],
    anew: bool,
    limited: bool,
    limit_anew: bool = False,
    reached: Sequence[Milestone],
    world: World,
    stopped: Set[tuple[str, int, str]] = frozenset(),
) -> Decision:
    """Return what is due of the referral's rules as it stands, in their order, then of the milestones it reaches.

    What was decided before for the same event stays as it was decided, recomputed on the net that is left
    (rule 7). With `anew` another event qualifies, or qualifies again: the limit is judged, and all but sign-up
    rewards are decided again (rule 4). `limited` is the limit's last verdict; `limit_anew` asks for a new one.
    What is `stopped`, by staff, takes nothing of the budget.
    """
    candidates = candidates_of(terms, standing, purchases)
    if anew or limit_anew:
        limited = is_limited(terms, standing, world)
    decider = _Decider(terms, world, prior, stopped, anew=anew, limit_anew=limit_anew)
    decider.keep(candidates)
    due = [decider.decide(one, limited=limited) for one in candidates]
    for one in reached:
        due += decider.decide_milestone(one, standing)
    return Decision(due=due, limited=limited)


class _Decider:
    """One decision in the making: which group has its match, and what is left of the budget."""

    def __init__(
        self,
        terms: Terms,
        world: World,
        prior: Mapping[tuple[str, int, str], Prior],
        stopped: Set[tuple[str, int, str]],
        *,
        anew: bool,
        limit_anew: bool,
    ) -> None:
        self._terms = terms
        self._world = world
        self._prior = prior
        self._stopped = stopped
        self._anew = anew
        self._limit_anew = limit_anew
        self._levels: dict[datetime, tuple[Level | None, int]] = {}
        self._matched: dict[tuple[str, int, int], str] = {}
        self._kept = 0
        self._left: int | None = None
        self._asked = False

    def keep(self, candidates: Sequence[Candidate]) -> None:
        """Set aside what is already decided: its points are spent, its groups have their match."""
        for one in candidates:
            prior = self._decided(one)
            if prior is None or prior.reason:
                continue
            points = points_of(one.rule, self._terms, one.net_minor or 0, multiplier=prior.multiplier)
            self._kept += min(prior.points, points)
            if one.rule.first_match:
                self._matched[one.rule.first_match, one.recipient_pk, one.event_pk] = one.rule.id

    def decide(self, one: Candidate, *, limited: bool) -> Due:
        """Return what is due of one candidate."""
        prior = self._decided(one)
        if one.reason:
            return self._refused(one, one.reason, {})
        if prior is not None and prior.reason:
            return self._refused(one, prior.reason, prior.inputs)
        if prior is not None:
            points = points_of(one.rule, self._terms, one.net_minor or 0, multiplier=prior.multiplier)
            return self._due(one, points, prior.multiplier, prior.inputs)
        return self._fresh(one, limited=limited)

    def _decided(self, one: Candidate) -> Prior | None:
        prior = self._prior.get(one.key)
        if prior is None or one.reason or prior.event_pk != one.event_pk:
            return None
        if self._limit_anew and prior.reason == "limit_reached":
            return None
        return None if self._anew and one.rule.on in REDECIDED else prior

    def _fresh(self, one: Candidate, *, limited: bool) -> Due:
        outcome = self._condition(one)
        if not outcome.holds:
            return self._refused(one, "condition", {"condition": outcome.condition, "saw": outcome.saw})
        if limited and one.rule.to == "advocate" and one.rule.on in LIMITED:
            limits = self._terms.limits
            return self._refused(one, "limit_reached", {"limit": limits.referrals, "period": limits.period})
        level, inputs = self._tier(one)
        multiplier = level.multiplier if level else Decimal(1)
        points = points_of(one.rule, self._terms, one.net_minor or 0, multiplier=multiplier)
        if one.key not in self._stopped:
            left = self._budget() if points else None
            if left is not None and points > left:
                return self._refused(one, "budget_exhausted", {"needs": points, "left": max(left, 0)})
            self._spend(points)
        return self._due(one, points, multiplier, inputs)

    def _condition(self, one: Candidate) -> Outcome:
        rule = one.rule
        group = (rule.first_match, one.recipient_pk, one.event_pk)
        if rule.first_match and group in self._matched:
            return Outcome(False, f"first_match {rule.first_match}", f"{self._matched[group]} came first")
        if rule.when is not None:
            outcome = evaluate(rule.when, self._world.values_of(one.event_pk), at=one.occurred_at)
            if not outcome.holds:
                return outcome
        if rule.first_match:
            self._matched[group] = rule.id
        return Outcome(True)

    def _tier(self, one: Candidate) -> tuple[Level | None, Inputs]:
        multiplied = one.rule.to == "advocate" and one.rule.kind == "points" and one.rule.on != "assist"
        if not multiplied or self._terms.tiers is None:
            return None, {}
        if one.occurred_at not in self._levels:
            self._levels[one.occurred_at] = level_at(self._terms, self._world, one.occurred_at)
        level, counted = self._levels[one.occurred_at]
        return level, {"tier": level.name if level else None, "referrals": counted}

    def _budget(self) -> int | None:
        if not self._asked:
            self._asked = True
            left = self._world.budget_left()
            self._left = None if left is None else left - self._kept
        return self._left

    def _spend(self, points: int) -> None:
        if points and self._left is not None:
            self._left -= points

    def decide_milestone(self, one: Milestone, standing: Standing) -> list[Due]:
        """Return what a milestone gives the advocate: its points and its badge, each granted or refused."""
        if standing.qualified_at is None:
            return []
        outcome = Outcome(True)
        if one.when is not None and standing.qualifying_pk is not None:
            outcome = evaluate(one.when, self._world.values_of(standing.qualifying_pk), at=standing.qualified_at)
        return [self._milestone_due(one, standing, rule, kind, outcome) for rule, kind in milestone_rules(one)]

    def _milestone_due(self, one: Milestone, standing: Standing, rule: str, kind: str, outcome: Outcome) -> Due:
        points = (one.points or 0) if kind == "points" else 0
        reason = ""
        inputs: Inputs = {"referrals": one.referrals, "points": points}
        left = self._budget() if points and outcome.holds else None
        if not outcome.holds:
            reason, inputs = "condition", {"condition": outcome.condition, "saw": outcome.saw}
        elif left is not None and points > left:
            reason, inputs = "budget_exhausted", {"needs": points, "left": max(left, 0)}
        else:
            self._spend(points)
        qualified_at = standing.qualified_at or standing.bound_at
        return Due(
            rule=rule,
            side="advocate",
            moment=MILESTONE,
            recipient_pk=standing.advocate_pk,
            cause=milestone_cause(one.referrals),
            event_pk=standing.qualifying_pk or 0,
            occurred_at=qualified_at,
            available_at=qualified_at + timedelta(days=self._terms.hold_days),
            kind=kind,
            points=0 if reason else points,
            reason=reason,
            detail={"what": one.badge} if kind == "badge" else {},
            inputs=inputs,
        )

    def _refused(self, one: Candidate, reason: str, saw: Inputs) -> Due:
        return self._made(one, reason=reason, inputs=saw)

    def _due(self, one: Candidate, points: int, multiplier: Decimal, inputs: Inputs) -> Due:
        rule, terms = one.rule, self._terms
        net = None if one.net_minor is None else f"{to_text(one.net_minor, terms.currency)} {terms.currency}"
        told: Inputs = {
            "percent": None if rule.percent is None else decimal_text(rule.percent),
            "points": rule.points,
            "net": net,
            "points_per_unit": decimal_text(terms.points_per_unit),
            "multiplier": decimal_text(multiplier),
            "max_points": rule.max_points,
            "hold_days": terms.hold_days_of(rule),
        }
        return self._made(one, points=points, inputs={**inputs, **told})

    def _made(self, one: Candidate, *, inputs: Inputs, points: int = 0, reason: str = "") -> Due:
        rule = one.rule
        return Due(
            rule=rule.id,
            side=rule.to,
            moment=rule.on,
            recipient_pk=one.recipient_pk,
            cause=one.cause,
            event_pk=one.event_pk,
            occurred_at=one.occurred_at,
            available_at=one.occurred_at + timedelta(days=self._terms.hold_days_of(rule)),
            kind=rule.kind,
            points=points,
            reason=reason,
            detail=gift_of(rule, self._terms),
            inputs=inputs,
        )


def gift_of(rule: RewardRule, terms: Terms) -> dict[str, str | int]:
    """Return what a rule of another kind than points gives, as plain values."""
    if rule.amount_minor is not None:
        return {"amount_minor": rule.amount_minor, "currency": terms.currency}
    return {"what": rule.what} if rule.what else {}
