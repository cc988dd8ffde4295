"""A pretend shop that reports facts as any shop would, and reads what came of them."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import time_machine
from django.utils import timezone

from core.models import Delivery
from referrals.models import Customer, Program, Referral
from referrals.program_file import parse_program
from referrals.services.batches import record_events
from referrals.services.customers import CustomerData, put_customer
from referrals.services.lifecycle import approve_due, expire_due
from referrals.services.links import ensure_link
from referrals.services.programs import apply_program
from rewards.models import Reward
from rewards.queries.balances import points_of
from rewards.services.audit import audit_ledger
from rewards.services.grants import release_due

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

PROGRAM = """
program: refer-a-friend
name: Refer a friend
status: active
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {on: purchase, min_amount: "20.00"}
hold_days: 14
rewards:
  - {id: advocate-fixed, to: advocate, on: qualified, points: 500}
  - {id: friend-welcome, to: friend, on: signup, points: 100, hold_days: 0}
  - {id: advocate-share, to: advocate, on: purchase, percent: 5, max_points: 200, repeat_days: 365}
"""


def day(number: float) -> datetime:
    """Return the instant `number` days after noon of 1 March 2026."""
    return NOON + timedelta(days=number)


def apply_text(text: str = PROGRAM, *, at: datetime = NOON) -> Program:
    """Apply a program file's text."""
    return apply_program(document=parse_program(text), at=at)


class Shop:
    """Reports facts at the clock `now` and answers what customers have."""

    def __init__(self, text: str = PROGRAM) -> None:
        self.program = apply_text(text)
        self.now = timezone.now()
        self._ids = count(1)

    def code_of(self, external_id: str, **data: Any) -> str:
        """Return the customer's code, creating customer and code."""
        customer, _ = put_customer(external_id=external_id, data=CustomerData(**data), at=self.now)
        return ensure_link(customer=customer, program=self.program).code

    def fact(self, kind: str, who: str, at: datetime, **more: object) -> dict:
        """Return a fact as JSON, with an event id of its own."""
        body: dict[str, Any] = {
            "event_id": more.pop("event_id", None) or f"{kind}-{next(self._ids)}",
            "type": kind,
            "occurred_at": at.isoformat(),
            "customer": {"external_id": who},
        }
        if email := more.pop("email", ""):
            body["customer"]["email"] = email
        evidence = {key: more.pop(key) for key in ("code", "click_id") if key in more}
        if evidence:
            body["referral"] = evidence
        return body | more

    def signup(self, who: str, at: datetime, **more: object) -> dict:
        return self.fact("signup", who, at, **more)

    def purchase(self, who: str, at: datetime, order: str, amount: str, currency: str = "EUR", **more: object) -> dict:
        return self.fact("purchase", who, at, order={"id": order, "amount": amount, "currency": currency}, **more)

    def refund(self, who: str, at: datetime, order: str, amount: str, currency: str = "EUR", **more: object) -> dict:
        return self.fact("refund", who, at, order={"id": order, "amount": amount, "currency": currency}, **more)

    def report(self, *facts: dict, at: datetime | None = None) -> list:
        """Report facts in this order, with the clock at `at`; refuse to go on where one is refused."""
        with time_machine.travel(at or self.now, tick=False):
            results = record_events(facts=facts, at=at or self.now)
        for one in results:
            assert one.refusal is None, one.refusal
        return results

    def pass_time(self, at: datetime) -> None:
        """Do what is due at an instant, as `run_due --as-of` does."""
        with time_machine.travel(at, tick=False):
            approve_due(at=at)
            expire_due(at=at)
            release_due(at=at)

    def points(self, who: str) -> tuple[int, int, int]:
        """Return (available, pending, debt)."""
        points = points_of(Customer.objects.get(external_id=who))
        return points.available, points.pending, points.debt

    def referral(self, who: str) -> Referral:
        """Return the friend's newest referral."""
        return Referral.objects.filter(friend__external_id=who).latest("pk")

    def rewards(self, who: str) -> list[tuple[str, int, str]]:
        """Return (rule, points, state) of the customer's standing and refused rewards, in order."""
        rows = Reward.objects.filter(recipient__external_id=who).exclude(state__in=["cancelled", "revoked"])
        return [(row.rule, row.points, str(row.state)) for row in rows.order_by("pk")]


def assert_books_balance() -> None:
    """Assert that nothing is left undone and that an audit of the whole ledger finds nothing."""
    assert not Delivery.objects.exclude(state="done").exists()
    assert audit_ledger().findings == ()
