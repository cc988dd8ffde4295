"""Plays a made-up quarter through the product: clicks, facts and clocks as in life, then what became of each friend."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from core.clocks import clock_at
from referrals.bots import Verdict
from referrals.facts import fact_from_json
from referrals.models import Customer, Link, Referral, RiskAssessment
from referrals.services.clicks import Visit, purge_daily_keys, record_click
from referrals.services.customers import CustomerData, put_customer
from referrals.services.events import record_event
from referrals.services.lifecycle import approve_due, expire_due, weigh_due
from referrals.services.links import ensure_link
from rewards.services.grants import release_due
from tests.referrals.fraud_set import HONEST, Act, Quarter
from tests.shop import apply_text

PROGRAM = """
program: refer-a-friend
name: Refer a friend
status: active
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {on: purchase}
hold_days: 14
rewards:
  - {id: advocate-fixed, to: advocate, on: qualified, points: 500}
risk: {review_at: 50}
"""
HARD = ("self_referral", "blocked", "cycle")


@dataclass(frozen=True)
class Outcome:
    """What became of a quarter: per label how many, held, stopped hard; and what the rules saw."""

    total: Counter
    held: Counter
    stopped: Counter
    signals: dict[str, Counter]
    scores: dict[str, int]


class Stage:
    """The product while a quarter is played."""

    def __init__(self) -> None:
        self.program = apply_text(PROGRAM)
        self.links: dict[str, Link] = {}
        self.clicks: dict[int, str] = {}

    def play(self, quarter: Quarter) -> Outcome:
        """Play all acts, with the worker's work each midnight, until every hold has ended."""
        midnight = quarter.acts[0].at
        for act in quarter.acts:
            while midnight < act.at:
                self.work(midnight)
                midnight += timedelta(days=1)
            self.do(act)
        for _ in range(16):
            self.work(midnight)
            midnight += timedelta(days=1)
        return outcome_of(quarter)

    def work(self, at) -> None:
        with clock_at(at):
            for due in (weigh_due, release_due, approve_due, expire_due, purge_daily_keys):
                due(at=at)

    def do(self, act: Act) -> None:
        with clock_at(act.at):
            if act.what == "click":
                self.click(act)
            else:
                record_event(fact=fact_from_json(self.fact(act), now=act.at), at=act.at)

    def click(self, act: Act) -> None:
        if act.who.id not in self.links:
            data = CustomerData(email=act.who.email, name=act.who.name)
            customer, _ = put_customer(external_id=act.who.id, data=data, at=act.at)
            self.links[act.who.id] = ensure_link(customer=customer, program=self.program)
        visit = Visit(
            verdict=Verdict("person"),
            agent=act.by.agent,
            address=act.by.address,
            visitor=act.by.browser,
            utm={"utm_source": act.source} if act.source else {},
        )
        self.clicks[act.click] = record_click(link=self.links[act.who.id], visit=visit, at=act.at).click_id

    def fact(self, act: Act) -> dict:
        body = {
            "event_id": f"{act.what}-{act.by.id}",
            "type": act.what,
            "occurred_at": act.at.isoformat(),
            "customer": {"external_id": act.by.id, "email": act.by.email, "name": act.by.name},
        }
        if act.click:
            body["referral"] = {"click_id": self.clicks[act.click]}
        if act.order:
            body["order"] = {"id": act.order, "amount": act.amount, "currency": "EUR"}
        return body


def outcome_of(quarter: Quarter) -> Outcome:
    """Count, per label, the referrals, those ever held by their score, and those stopped hard."""
    ids = {customer.external_id: customer.pk for customer in Customer.objects.all()}
    total: Counter = Counter()
    held: Counter = Counter()
    stopped: Counter = Counter()
    signals: dict[str, Counter] = {}
    scores: dict[str, int] = {}
    for person, label in quarter.labels.items():
        referral = Referral.objects.get(friend=ids[person])
        seen = list(RiskAssessment.objects.filter(referral=referral).order_by("pk"))
        total[label] += 1
        stopped[label] += referral.reason in HARD
        held[label] += any(one.verdict != "clear" for one in seen) or referral.reason in HARD
        scores[person] = max((one.score for one in seen), default=0)
        codes = {signal["code"] for one in seen if one.verdict != "clear" for signal in one.signals}
        signals.setdefault(label, Counter()).update(codes)
    return Outcome(total, held, stopped, signals, scores)


def bad_held(outcome: Outcome) -> int:
    return sum(number for label, number in outcome.held.items() if label != HONEST)
