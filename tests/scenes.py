"""Situations that many tests look at, made through the services as the product makes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import time_machine

from referrals.models import Customer, Program
from referrals.services.lifecycle import approve_due, expire_due, void_referral
from referrals.services.links import ensure_link
from rewards.services.grants import release_due
from tests.factories import CustomerFactory, make_program, report

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@contextmanager
def moment(at: datetime) -> Iterator[None]:
    """Let it be `at` inside, for the product and the database's defaults alike."""
    with time_machine.travel(at, tick=False):
        yield


def do_due(at: datetime) -> None:
    """Do what is due for referrals and rewards by `at`."""
    with moment(at):
        approve_due(at=at)
        expire_due(at=at)
        release_due(at=at)


def bring(advocate: Customer, name: str, at: datetime, *, program: Program, buys_after_days: int | None = None) -> str:
    """Have a friend sign up through the advocate's code and maybe buy; return the order's id, or ''."""
    code = ensure_link(customer=advocate, program=program).code
    friend = CustomerFactory(name=name)
    with moment(at):
        report("signup", friend, at, code=code)
    if buys_after_days is None:
        return ""
    bought_at, order = at + timedelta(days=buys_after_days), f"order-of-{friend.external_id}"
    with moment(bought_at):
        report("purchase", friend, bought_at, order=order)
    return order


def brought_friends(advocate: Customer, *, now: datetime = NOON) -> Program:
    """Have an advocate who brought friends in every state a referral can have, seen from `now`; return the program."""
    program = make_program()

    def ago(days: int) -> datetime:
        return now - timedelta(days=days)

    bring(advocate, "Emma Clarke", ago(210), program=program)
    bring(advocate, "Noah Fischer", ago(90), program=program, buys_after_days=2)
    bring(advocate, "Mia Okafor", ago(60), program=program, buys_after_days=5)
    order = bring(advocate, "Liam Novak", ago(40), program=program, buys_after_days=3)
    returned = Customer.objects.get(name="Liam Novak")
    do_due(ago(25))
    with moment(ago(20)):
        report("refund", returned, ago(20), order=order)
    _bought_before(advocate, "Sofia Rossi", ago(16), program=program)
    bring(advocate, "Ben Adeyemi", ago(12), program=program, buys_after_days=3)
    bring(advocate, "Hannah Lindqvist", ago(4), program=program)
    void = bring(advocate, "Otto Krause", ago(30), program=program, buys_after_days=1)
    assert void
    with moment(ago(29)):
        referral = advocate.referrals_made.get(friend__name="Otto Krause")
        void_referral(referral=referral, reason="manual", note="agreed by phone", actor="staff", at=ago(29))
    do_due(now)
    return program


def _bought_before(advocate: Customer, name: str, at: datetime, *, program: Program) -> None:
    friend = CustomerFactory(name=name)
    with moment(at):
        report("purchase", friend, at - timedelta(days=30))
        report("signup", friend, at, code=ensure_link(customer=advocate, program=program).code)
