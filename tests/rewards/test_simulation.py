"""The back-test against what production really granted: same file, same past, same rewards."""

import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Max

from core.reading import read_only
from referrals.models import Click, Customer, Event, Link, Referral
from referrals.program_file import parse_program
from referrals.queries.programs import document_of
from referrals.services.lifecycle import void_referral
from rewards.models import Account, Entry, Reward, RewardStep, Transfer
from rewards.queries.backtests import load_material
from rewards.services.simulations import Days, UnknownProgram, backtest_program
from rewards.simulation.replay import Replay
from tests.shop import NOON, PROGRAM, Shop, day

pytestmark = pytest.mark.django_db

EVERYTHING = """
program: refer-a-friend
name: Refer a friend
status: active
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {on: purchase, min_amount: "20.00"}
conversion_window_days: 90
hold_days: 14
rewards:
  - {id: advocate-fixed, to: advocate, on: qualified, points: 500}
  - {id: friend-welcome, to: friend, on: signup, points: 100, hold_days: 0}
  - {id: advocate-share, to: advocate, on: purchase, percent: 5, max_points: 200, repeat_days: 365}
  - {id: big-basket, to: advocate, on: qualified, points: 200, when: {order.amount: {gte: "100"}}, first_match: extra}
  - {id: small-basket, to: advocate, on: qualified, points: 20, first_match: extra}
  - {id: helper, to: advocate, on: assist, points: 30}
tiers:
  window_days: 120
  levels:
    - {name: Bronze, from: 0, multiplier: "1"}
    - {name: Silver, from: 1, multiplier: "1.25"}
    - {name: Gold, from: 3, multiplier: "1.5"}
milestones:
  - {referrals: 1, badge: first}
  - {referrals: 2, points: 150}
  - {referrals: 4, points: 400, badge: four}
limits:
  per_advocate: {referrals: 2, period: month}
  budget_points: 6000
"""
AMOUNTS = ["0.00", "19.99", "20.00", "59.90", "150.00", "5000.00"]
ADVOCATES = ["ann", "amy", "abe"]


def some_past(shop, seed, *, friends=7, most=70):
    """Have friends of several advocates sign up, buy and give back in random order, reported late or not."""
    rng = random.Random(seed)
    codes = [shop.code_of(name, email=f"{name}@shop.example") for name in ADVOCATES]
    facts, orders = [], []
    for number in range(friends):
        who = f"f{number}"
        more = {"email": f"{rng.choice([who, 'shared', 'ann'])}@shop.example"} if rng.random() < 0.3 else {}
        for _ in range(rng.randint(1, 6)):
            moment = day(rng.randint(0, 200))
            evidence = an_evidence(rng, codes, moment) if rng.random() < 0.5 else {}
            kind = rng.choice(["signup", "purchase", "purchase", "refund"])
            if kind == "refund" and orders:
                order, amount = rng.choice(orders)
                facts.append(shop.refund(who, moment, order, rng.choice([amount, "5.55"])))
            elif kind == "signup":
                facts.append(shop.signup(who, moment, **evidence, **more))
            else:
                orders.append((f"o{len(orders)}", rng.choice(AMOUNTS)))
                currency = rng.choice(["EUR", "EUR", "EUR", "USD"])
                facts.append(shop.purchase(who, moment, *orders[-1], currency, **evidence, **more))
    if rng.random() < 0.6:
        facts.sort(key=lambda fact: fact["occurred_at"])
    else:
        rng.shuffle(facts)
    now = day(201)
    for fact in facts[:most]:
        shop.report(fact, at=now)
        if rng.random() < 0.2:
            now += timedelta(days=rng.choice([1, 15, 60]))
            shop.pass_time(now)
    return now


def an_evidence(rng, codes, moment):
    code = rng.choice(codes)
    if rng.random() < 0.5:
        return {"code": code}
    link = Link.objects.get(code=code)
    at = moment - timedelta(days=rng.choice([0, 3, 30, 31]))
    visitor = rng.choice(["", "v1", "v2"])
    click = Click.objects.create(link=link, program=link.program, at=at, verdict="person", visitor=visitor)
    return {"click_id": click.click_id}


def replayed(shop, text, now):
    material = load_material(program=shop.program, document=parse_program(text), at=now)
    replay = Replay(material.case)
    for fact in material.facts:
        replay.take(fact)
    return replay


def given_by(replay):
    own = [due for tie in replay.ties for due in tie.stands.values()]
    climbed = [due for held in replay.milestones.values() for due in held.values()]
    return Counter((due.recipient_pk, due.rule, due.points, due.occurred_at) for due in own + climbed)


def really_given():
    rows = Reward.objects.filter(state__in=Reward.STANDING)
    return Counter(rows.values_list("recipient_id", "rule", "points", "occurred_at"))


def states_of(replay):
    return Counter((tie.advocate, tie.friend, tie.state, tie.reason, tie.binding.bound_at) for tie in replay.ties)


def real_states():
    rows = Referral.objects.values_list("advocate_id", "friend_id", "state", "reason", "bound_at")
    return Counter(rows)


def settled(counter):
    """Return the states without what the clock alone decides."""
    same = {"approved": "qualified", "expired": "signed_up"}
    return Counter((a, f, same.get(state, state), reason, at) for (a, f, state, reason, at) in counter.elements())


@pytest.mark.long
@pytest.mark.parametrize("text", [PROGRAM, EVERYTHING], ids=["plain", "everything"])
@pytest.mark.parametrize("start", [0, pytest.param(1000, marks=pytest.mark.once)])
def test_backtest_program_of_the_same_file_gives_what_was_really_given(text, start):
    for seed in range(start, start + 12):
        with transaction.atomic():
            shop = Shop(text)
            now = some_past(shop, seed)
            replay = replayed(shop, text, now)
            assert settled(states_of(replay)) == settled(real_states()), f"seed {seed}"
            assert given_by(replay) == really_given(), f"seed {seed}"
            assert replay.granted == sum(
                Reward.objects.filter(state__in=Reward.STANDING).values_list("points", flat=True)
            )
            transaction.set_rollback(True)


def test_backtest_program_of_the_same_file_sabotaged(monkeypatch):
    """Did the replay forget who else counts, tiers and limits would come out otherwise."""
    monkeypatch.setattr(Replay, "rewarded_of", lambda *_: 0)
    shop = Shop(EVERYTHING)
    now = four_friends(shop)

    assert given_by(replayed(shop, EVERYTHING, now)) != really_given()


def four_friends(shop, at=1):
    """Have ann bring four friends who buy for 50.00 on four days of one month; return the day after."""
    code = shop.code_of("ann", name="Ann Example")
    for number in range(4):
        when = day(at + number)
        margin = {"id": f"o{number}", "amount": "50.00", "currency": "EUR", "margin": "20.00"}
        fact = shop.fact("purchase", f"f{number}", when, code=code) | {"order": margin}
        shop.report(fact, at=when)
    return day(at + 5)


MARCH = Days(start=date(2026, 3, 1), end=date(2026, 4, 1))


def backtest(text, now, days=MARCH, progress=lambda _: None):
    return backtest_program(document=parse_program(text), days=days, at=now, progress=progress)


def test_backtest_program_tells_cost_and_difference(settings):
    settings.POINT_VALUE = "0.01 EUR"
    shop = Shop(PROGRAM)
    now = four_friends(shop)

    report = backtest(PROGRAM.replace("points: 500", "points: 700"), now)

    assert (report.points, report.points_really, report.difference) == (3208, 2408, 800)
    assert (report.conversions, report.conversions_really, report.customers) == (4, 4, 5)
    assert report.by_rule["advocate-fixed"] == (2800, 2000)
    assert report.by_rule["advocate-share"] == (8, 8)
    assert report.by_rule["friend-welcome"] == (400, 400)
    assert (report.cost_minor, report.cost_each_minor) == (3208, 802)
    assert (report.base, report.base_minor, report.share) == ("margin", 8000, pytest.approx(0.401))
    ann = Customer.objects.get(external_id="ann")
    assert [(one.customer, one.would, one.really) for one in report.affected] == [(ann.pk, 2808, 2008)]


@pytest.mark.parametrize("value", ["", "0.01 USD"])
def test_backtest_program_without_point_value_tells_no_money(settings, value):
    settings.POINT_VALUE = value
    now = four_friends(Shop(PROGRAM))

    report = backtest(PROGRAM, now)

    assert (report.cost_minor, report.cost_each_minor, report.share) == (None, None, None)


def test_backtest_program_compares_with_revenue_where_a_margin_is_missing(settings):
    settings.POINT_VALUE = "0.01 EUR"
    shop = Shop(PROGRAM)
    now = four_friends(shop)
    shop.report(shop.purchase("f0", now, "more", "100.00"), at=now)

    report = backtest(PROGRAM, now)

    assert (report.base, report.base_minor) == ("revenue", 30000)


def test_backtest_program_counts_what_the_days_caused_alone():
    shop = Shop(PROGRAM)
    now = four_friends(shop, at=1)

    report = backtest(PROGRAM, now, Days(start=date(2026, 3, 3), end=date(2026, 3, 5)))

    assert (report.conversions, report.conversions_really, report.difference) == (2, 2, 0)


def test_backtest_program_names_refusals_tiers_and_milestones():
    shop = Shop(PROGRAM)
    now = four_friends(shop)
    extra = """tiers:
  window_days: 90
  levels: [{name: A, from: 0, multiplier: "1"}, {name: B, from: 1, multiplier: "2"}]
milestones: [{referrals: 3, points: 70, badge: three}]
limits: {per_advocate: {referrals: 2, period: month}}
"""

    report = backtest(PROGRAM + extra, now)

    assert report.refusals == {"limit_reached": 4}
    assert (report.tier_rewards, report.tier_points) == (2, 503)
    assert (report.milestones, report.milestone_points, report.others) == (1, 70, {"badge": 1})


def test_backtest_program_judges_evidence_by_the_edited_window():
    shop = Shop(PROGRAM)
    shop.code_of("ann")
    link = Link.objects.get(customer__external_id="ann")
    click = Click.objects.create(link=link, program=link.program, at=day(0), verdict="person")
    shop.report(shop.purchase("bob", day(40), "1", "50.00", click_id=click.click_id), at=day(40))
    spring = Days(start=date(2026, 3, 1), end=date(2026, 6, 1))

    same = backtest(PROGRAM, day(41), spring)
    wider = backtest(PROGRAM + "attribution: {window_days: 60}\n", day(41), spring)

    assert (same.conversions, wider.conversions, wider.conversions_really) == (0, 1, 0)


def test_backtest_program_keeps_what_staff_voided():
    shop = Shop(PROGRAM)
    now = four_friends(shop)
    void_referral(referral=shop.referral("f0"), reason="fraud", note="seen", actor="staff", at=now)

    report = backtest(PROGRAM, now)

    assert (report.conversions, report.difference) == (3, 0)


def test_backtest_program_of_an_unknown_program_is_refused():
    with pytest.raises(UnknownProgram):
        backtest(PROGRAM.replace("refer-a-friend", "unheard-of"), NOON)


def everything_stored():
    tables = (Account, Customer, Entry, Event, Referral, Reward, RewardStep, Transfer, Click, Link)
    return [
        (table.__name__, table.objects.count(), table.objects.aggregate(last=Max("pk"))["last"]) for table in tables
    ]


def test_backtest_program_writes_nothing():
    now = four_friends(Shop(PROGRAM))
    before = everything_stored()
    writes = []

    def watch(execute, sql, params, many, context):
        if sql.split()[0].upper() in {"INSERT", "UPDATE", "DELETE"}:
            writes.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        backtest(EVERYTHING, now)

    assert writes == []
    assert everything_stored() == before


@pytest.mark.django_db(transaction=True)
def test_read_only_has_the_database_refuse_writes():
    with pytest.raises(DatabaseError), read_only():
        Customer.objects.create(external_id="forbidden")

    assert not Customer.objects.exists()
    Customer.objects.create(external_id="allowed")
    assert Customer.objects.count() == 1


def test_read_only_inside_a_transaction_ends_with_it():
    with read_only():
        assert Customer.objects.count() == 0

    Customer.objects.create(external_id="allowed")
    assert Customer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_backtest_program_reads_under_the_guard(monkeypatch):
    """Whatever a rule tried to write while loading would be refused."""
    now = four_friends(Shop(PROGRAM))
    monkeypatch.setattr(
        "rewards.services.simulations.load_material", lambda **_: Customer.objects.create(external_id="smuggled")
    )

    with pytest.raises(DatabaseError):
        backtest(PROGRAM, now)

    assert not Customer.objects.filter(external_id="smuggled").exists()


def test_backtest_program_tells_its_progress():
    now = four_friends(Shop(PROGRAM))
    told = []

    backtest(PROGRAM, now, progress=told.append)

    assert told[0] == 10
    assert told[-1] == 100
    assert told == sorted(told)


def test_replay_of_a_file_with_dates_binds_only_while_it_runs():
    shop = Shop(PROGRAM)
    now = four_friends(shop)

    document = replace(document_of(shop.program), starts=date(2026, 3, 4))
    report = backtest_program(document=document, days=MARCH, at=now, progress=lambda _: None)

    assert report.conversions == 2
    assert report.points == 1204


def test_backtest_program_keeps_what_waits_for_review_waiting():
    """A flagged referral earns and fills the limit, but brings no milestone."""
    shop = Shop(PROGRAM + "milestones: [{referrals: 4, points: 90}]\n")
    now = four_friends(shop)
    held = Referral.objects.filter(friend__external_id="f3")

    counted = backtest(PROGRAM + "milestones: [{referrals: 4, points: 90}]\n", now)
    held.update(state="flagged")
    waiting = backtest(PROGRAM + "milestones: [{referrals: 4, points: 90}]\n", now)

    assert (counted.milestone_points, counted.conversions) == (90, 4)
    assert (waiting.milestone_points, waiting.conversions) == (0, 4)
