"""How long a back-test of 100,000 events takes, with tiers, milestones, conditions, a limit and a budget at work."""

import random
import time
from datetime import timedelta

import pytest
from django.db import connection

from core.periods import DAY
from referrals.models import Code, Customer, Event, Link
from referrals.program_file import parse_program
from rewards.services.simulations import Days, backtest_program
from tests.shop import apply_text, day

EVENTS = 100_000
FRIENDS = 20_000
ADVOCATES = 2_000
SPAN_DAYS = 365
SECONDS = 60
"""Of this process's own computing, so that a busy machine does not decide."""

FILE = """
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
  - {id: big-basket, to: advocate, on: qualified, points: 200, when: {order.amount: {gte: "100"}}}
tiers:
  window_days: 365
  levels:
    - {name: Bronze, from: 0, multiplier: "1"}
    - {name: Silver, from: 3, multiplier: "1.25"}
    - {name: Gold, from: 10, multiplier: "1.5"}
milestones: [{referrals: 1, badge: first}, {referrals: 5, points: 500, badge: five}]
limits: {per_advocate: {referrals: 3, period: month}, budget_points: 20000000}
"""


def make_people():
    """Store the advocates with a link each, and the friends; return the codes and the friends' keys."""
    program = apply_text(FILE)
    people = [
        Customer(external_id=f"p{n}", email=f"p{n}@shop.example", email_normalized=f"p{n}@shop.example")
        for n in range(ADVOCATES + FRIENDS)
    ]
    people = Customer.objects.bulk_create(people, batch_size=5000)
    links = [Link(customer=person, program=program, code=f"CODE{n}") for n, person in enumerate(people[:ADVOCATES])]
    links = Link.objects.bulk_create(links, batch_size=5000)
    Code.objects.bulk_create([Code(code=link.code, link=link) for link in links], batch_size=5000)
    return [link.code for link in links], [person.pk for person in people[ADVOCATES:]]


def make_events(codes, friends):
    """Store a sign-up, three purchases and a refund of each friend, in the order in which they happened."""
    dice = random.Random(1)
    events = []
    for number, friend in enumerate(friends):
        start = day(dice.uniform(0, SPAN_DAYS - 60))
        events.append(an_event(number, "s", "signup", friend, start, code=dice.choice(codes)))
        for nth in range(3):
            at = start + timedelta(days=dice.uniform(0, 50))
            order = f"o{number}-{nth}"
            events.append(an_event(number, f"p{nth}", "purchase", friend, at, order, dice.choice([1999, 5990, 15000])))
            if nth == 0:
                back = at + timedelta(days=dice.uniform(1, 10))
                events.append(an_event(number, "r", "refund", friend, back, order, dice.choice([500, 1999])))
    events.sort(key=lambda event: event.occurred_at)
    Event.objects.bulk_create(events, batch_size=5000)


def an_event(number, name, kind, friend, at, order="", minor=None, code=""):
    event_id = f"{name}-{number}"
    money = {"amount_minor": minor, "currency": "EUR"} if minor is not None else {}
    body = {"event_id": event_id, "order": {"id": order, "margin": "10.00"}} if order else {"event_id": event_id}
    return Event(
        event_id=event_id,
        type=kind,
        occurred_at=at,
        received_at=at,
        customer_id=friend,
        order_id=order,
        code=code,
        body=body,
        fingerprint=event_id,
        **money,
    )


@pytest.mark.django_db(transaction=True)
def test_backtest_program_of_100000_events(capsys):
    codes, friends = make_people()
    make_events(codes, friends)
    assert Event.objects.count() == EVENTS
    told = []
    start, busy = time.perf_counter(), time.process_time()

    report = backtest_program(
        document=parse_program(FILE),
        days=Days(start=day(0).date(), end=day(SPAN_DAYS).date() + DAY),
        at=day(SPAN_DAYS),
        progress=lambda percent: told.append((percent, time.perf_counter() - start)),
    )

    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    with capsys.disabled():
        print(f"\n{connection.vendor}: back-test of {report.facts} events")
        print(f"  loaded after {told[0][1]:.1f} s, done after {seconds:.1f} s, {busy:.1f} s of them computing here")
        print(f"  {report.conversions} conversions, {report.points} points, refused {report.refusals}")
    assert report.facts == EVENTS
    assert busy < SECONDS
