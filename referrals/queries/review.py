"""Reading what reviewers need: the queue, one pair with everything about it, and how well each rule was right."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from core.proportions import wilson_interval
from referrals.judgement import FLAGGING
from referrals.models import Customer, Event, Referral, ReferralStep, ReviewDecision, RiskAssessment, VetoCall
from referrals.people import mask_email
from referrals.risk import RULES, Rule

ORDERS = {"oldest": ("held_at", "pk"), "score": ("-score", "held_at", "pk")}
_BY_CODE: Mapping[str, Rule] = {rule.code: rule for rule in RULES}
_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSignal:
    """A signal in words."""

    code: str
    title: str
    meaning: str
    weight: int
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One of the two people: who, since when, what they bought, whom they brought."""

    customer: Customer
    email: str
    orders: int
    refunds: int
    last_order_at: datetime | None
    brought: tuple[tuple[str, int], ...]
    brought_by: tuple[Referral, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A referral with all that a reviewer looks at."""

    referral: Referral
    advocate: Party
    friend: Party
    assessment: RiskAssessment | None
    signals: tuple[SeenSignal, ...]
    others: tuple[Referral, ...]
    decisions: tuple[ReviewDecision, ...]
    steps: tuple[ReferralStep, ...]
    vetoes: tuple[VetoCall, ...]

    @property
    def in_review(self) -> bool:
        """Whether it waits for staff."""
        return self.referral.held and self.referral.held_for in FLAGGING

    @property
    def can_hold(self) -> bool:
        """Whether staff may hold it by hand."""
        return not self.in_review and self.referral.state in {"signed_up", "qualified", "reversed"}

    @property
    def can_void(self) -> bool:
        """Whether it is not void yet."""
        return self.referral.state != Referral.State.VOIDED

    @property
    def can_undo(self) -> bool:
        """Whether a verdict stands that can be taken back."""
        verdict = any(one.undone_at is None and one.decision in {"approve", "void"} for one in self.decisions)
        return verdict and self.referral.state in {"signed_up", "qualified", "reversed", "voided"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How often a rule was right: of `n` reviewed referrals that it spoke on, `bad` were confirmed as fraud."""

    rule: Rule
    seen: int
    n: int
    bad: int
    interval: tuple[float, float] | None

    @property
    def percent(self) -> int | None:
        """The share that was bad, in whole percent; None where nothing was reviewed."""
        return round(100 * self.bad / self.n) if self.n else None

    @property
    def low(self) -> int | None:
        """The lower end of the interval, in whole percent."""
        return round(100 * self.interval[0]) if self.interval else None

    @property
    def high(self) -> int | None:
        """The upper end of the interval, in whole percent."""
        return round(100 * self.interval[1]) if self.interval else None


def review_queue(*, program: str = "", signal: str = "", search: str = "", order: str = "oldest") -> QuerySet[Referral]:
    """Return the referrals that score or staff hold, with their newest `score` and `signals`."""
    newest = RiskAssessment.objects.filter(referral=OuterRef("pk")).order_by("-at", "-pk")
    rows = (
        Referral.objects.filter(held=True, held_for__in=FLAGGING)
        .annotate(score=Subquery(newest.values("score")[:1]), signals=Subquery(newest.values("signals")[:1]))
        .select_related("program", "advocate", "friend")
    )
    if program:
        rows = rows.filter(program__slug=program)
    if signal:
        rows = rows.filter(signals__icontains=f'"{signal}"')
    return _found(rows, search).order_by(*ORDERS.get(order, ORDERS["oldest"]))


def decided_reviews(*, program: str = "", search: str = "") -> QuerySet[Referral]:
    """Return the referrals that reviewers decided on, the newest decision first."""
    last = ReviewDecision.objects.filter(referral=OuterRef("pk"), undone_at=None).order_by("-at", "-pk")
    verdicts = ReviewDecision.objects.filter(undone_at=None).values("referral")
    rows = (
        Referral.objects.filter(pk__in=verdicts)
        .annotate(
            decided_at=Subquery(last.values("at")[:1]),
            decided_by=Subquery(last.values("actor")[:1]),
            decision=Subquery(last.values("decision")[:1]),
            decided_why=Subquery(last.values("reason")[:1]),
        )
        .select_related("program", "advocate", "friend")
    )
    if program:
        rows = rows.filter(program__slug=program)
    return _found(rows, search).order_by("-decided_at", "-pk")


def _found(rows: QuerySet[Any], search: str) -> QuerySet[Any]:
    if not search:
        return rows
    chosen = Q(public_id=search) | Q(code__iexact=search)
    for side in ("advocate", "friend"):
        for column in ("external_id", "email", "name"):
            chosen |= Q(**{f"{side}__{column}__icontains": search})
    return rows.filter(chosen)


def seen_signals(signals: Iterable[Mapping[str, object]]) -> tuple[SeenSignal, ...]:
    """Return stored signals with their titles; one of a rule that is gone keeps its code."""
    found = []
    for signal in signals:
        code = str(signal["code"])
        rule = _BY_CODE.get(code)
        found.append(
            SeenSignal(
                code=code,
                title=rule.title if rule else code,
                meaning=rule.meaning if rule else "",
                weight=int(str(signal["weight"])),
                evidence=str(signal["evidence"]),
            )
        )
    return tuple(found)


def pair_of(referral: Referral) -> Pair:
    """Return everything about a referral that a reviewer looks at."""
    assessment = RiskAssessment.objects.filter(referral=referral).order_by("-at", "-pk").first()
    others = Referral.objects.filter(advocate=referral.advocate_id).exclude(pk=referral.pk).select_related("friend")
    return Pair(
        referral=referral,
        advocate=_party(referral.advocate),
        friend=_party(referral.friend),
        assessment=assessment,
        signals=seen_signals(assessment.signals) if assessment else (),
        others=tuple(others.order_by("-bound_at", "-pk")[:_SHOWN]),
        decisions=tuple(ReviewDecision.objects.filter(referral=referral).order_by("-at", "-pk")),
        steps=tuple(ReferralStep.objects.filter(referral=referral).order_by("at", "pk")),
        vetoes=tuple(VetoCall.objects.filter(referral=referral).order_by("pk")),
    )


def _party(customer: Customer) -> Party:
    bought = Event.objects.filter(customer=customer, type=Event.Type.PURCHASE).order_by("-occurred_at")
    refunded = Event.objects.filter(type=Event.Type.REFUND, order_id__in=bought.values("order_id"))
    states = Referral.objects.filter(advocate=customer).values_list("state").annotate(Count("pk")).order_by("state")
    labels = dict(Referral.State.choices)
    received = Referral.objects.filter(friend=customer).select_related("advocate", "program").order_by("bound_at", "pk")
    return Party(
        customer=customer,
        email=mask_email(customer.email),
        orders=bought.count(),
        refunds=refunded.values("order_id").distinct().count(),
        last_order_at=bought.values_list("occurred_at", flat=True).first(),
        brought=tuple((str(labels[state]), number) for state, number in states),
        brought_by=tuple(received[:_SHOWN]),
    )


def rule_precision() -> list[Precision]:
    """Return, per rule, on how many referrals it spoke and what reviewers found: fraud, or nothing wrong.

    The last verdict on each referral counts, with the score it was made on; a void for another reason than
    fraud says nothing about the rules.
    """
    seen: Counter[str] = Counter()
    spoken: set[tuple[int, str]] = set()
    spoke = RiskAssessment.objects.exclude(signals=[]).values_list("referral_id", "signals")
    for referral, signals in spoke.iterator():
        spoken |= {(referral, signal["code"]) for signal in signals}
    seen.update(code for _, code in spoken)
    reviewed: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for decision in _last_verdicts().values():
        codes = {signal["code"] for signal in decision.assessment.signals} if decision.assessment else set()
        reviewed.update(codes)
        bad.update(codes if decision.kind == "fraud" else ())
    return [
        Precision(
            rule=rule,
            seen=seen[rule.code],
            n=reviewed[rule.code],
            bad=bad[rule.code],
            interval=wilson_interval(bad[rule.code], reviewed[rule.code]),
        )
        for rule in RULES
    ]


def _last_verdicts() -> dict[int, ReviewDecision]:
    verdicts = ReviewDecision.objects.filter(Q(decision="approve") | Q(decision="void", kind="fraud"), undone_at=None)
    rows = verdicts.select_related("assessment").order_by("at", "pk")
    return {decision.referral_id: decision for decision in rows}
