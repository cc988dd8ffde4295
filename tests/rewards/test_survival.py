"""The Kaplan-Meier estimate against published curves, and the hold advice made of it."""

import math
import random

import pytest

from rewards.holds import Order, advise_hold
from rewards.survival import Spell, curve_at, kaplan_meier
from rewards.templatetags.shares import share

SIX_MP = [(6, 1), (6, 1), (6, 1), (7, 1), (10, 1), (13, 1), (16, 1), (22, 1), (23, 1)] + [
    (days, 0) for days in (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
]  # Freireich et al., Blood 21 (1963) 699-716


def spells(pairs):
    return [Spell(days, ended=bool(ended)) for days, ended in pairs]


def test_kaplan_meier_agrees_with_freireich_1963():
    curve = kaplan_meier(spells(SIX_MP))

    assert [step.days for step in curve] == [6, 7, 10, 13, 16, 22, 23]
    assert [step.survival for step in curve] == pytest.approx(
        [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], abs=1e-4
    )
    assert [step.standard_error for step in curve] == pytest.approx(
        [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346], abs=1e-4
    )


def test_kaplan_meier_interval_agrees_with_r_survival():
    curve = kaplan_meier(spells([(9, 1), (19, 1), (32, 1), (34, 1), (34, 0), (34, 0)]))

    assert [step.survival for step in curve] == pytest.approx([0.8333, 0.6667, 0.5, 0.3333], abs=1e-4)
    assert [step.interval[0] for step in curve] == pytest.approx([0.2731, 0.1946, 0.1109, 0.0461], abs=1e-3)
    assert [step.interval[1] for step in curve] == pytest.approx([0.9747, 0.9044, 0.8037, 0.6756], abs=1e-3)


def test_kaplan_meier_with_equal_weights_is_the_same_curve():
    plain = kaplan_meier(spells(SIX_MP))
    weighed = kaplan_meier([Spell(one.days, ended=one.ended, weight=700) for one in spells(SIX_MP)])

    assert [s.survival for s in weighed] == pytest.approx([s.survival for s in plain])
    assert [s.hazard_sum for s in weighed] == pytest.approx([s.hazard_sum for s in plain])


def test_kaplan_meier_where_everything_ended_is_zero_without_interval():
    (step,) = kaplan_meier([Spell(3, ended=True), Spell(3, ended=True)])

    assert (step.survival, step.interval, step.hazard_sum) == (0.0, None, math.inf)


def test_curve_at_before_the_first_end_is_one():
    assert curve_at(kaplan_meier(spells(SIX_MP)), 5.9) == (1.0, 0.0)


def shop(*, orders, seed=1, share=0.2, mean_days=8.0, longest=120):
    """Return orders of ages up to `longest`, of which a share is refunded after exponential days, seen so far."""
    dice = random.Random(seed)
    made = []
    for _ in range(orders):
        age = dice.uniform(0, longest)
        back = dice.expovariate(1 / mean_days) if dice.random() < share else None
        refunds = ((back, 2000),) if back is not None and back <= age else ()
        made.append(Order(age_days=age, amount_minor=5000, refunds=refunds))
    return made


def test_advise_hold_tells_the_share_of_refunds_still_to_come():
    advice = advise_hold(shop(orders=20_000))

    seven = advice.of(7)
    assert advice.enough
    assert seven.left == pytest.approx(math.exp(-7 / 8), abs=0.02)
    assert seven.left_interval[0] < math.exp(-7 / 8) < seven.left_interval[1]
    truth = 0.2 * math.exp(-7 / 8) / (0.8 + 0.2 * math.exp(-7 / 8))
    assert seven.risk_interval[0] < truth < seven.risk_interval[1]


def test_advise_hold_counts_young_orders_as_not_yet_decided():
    """Left out of the count of those at risk, or taken for kept, young orders would bend the share."""
    orders = shop(orders=20_000, longest=40, mean_days=20.0)

    naive = sum(1 for one in orders if one.refunds) / len(orders)

    advice = advise_hold(orders)
    end = advice.horizon
    refunded_by_end = 0.2 * (1 - math.exp(-end / 20.0))
    assert advice.of(0).risk == pytest.approx(refunded_by_end, abs=0.01)
    assert naive < refunded_by_end - 0.03


def test_advise_hold_interval_covers_the_truth_in_most_shops():
    truth = math.exp(-7 / 8)
    inside = 0
    for seed in range(200):
        low, high = advise_hold(shop(orders=600, seed=seed)).of(7).left_interval
        inside += low <= truth <= high

    assert inside >= 183  # 95 % of 200, less three standard errors


def test_advise_hold_by_amount_weighs_what_went_back():
    orders = [Order(100, 1000, ((2, 1000),))] * 40 + [Order(100, 9000, ((20, 9000),))] * 40 + [Order(100, 5000)] * 20

    advice = advise_hold(orders)

    assert advice.of(7).left == pytest.approx(0.5)
    assert advice.of(7, by_amount=True).left == pytest.approx(0.9)


def test_advise_hold_by_amount_takes_a_refund_beyond_the_order_for_the_order():
    orders = [Order(100, 1000, ((2, 900), (30, 900)))] * 40

    advice = advise_hold(orders)

    assert advice.of(7, by_amount=True).left == pytest.approx(0.1)


def test_advise_hold_says_not_enough_under_thirty_refunds():
    orders = [Order(100, 1000, ((2, 1000),))] * 29 + [Order(100, 1000)] * 100

    assert not advise_hold(orders).enough
    assert advise_hold([*orders, Order(100, 1000, ((2, 1000),))]).enough


def test_advise_hold_stops_where_too_few_orders_are_followed():
    orders = [Order(10, 1000, ((2, 1000),))] * 100 + [Order(200, 1000)] * 29

    advice = advise_hold(orders, holds=[9, 12])

    assert advice.horizon == 10
    assert [row.days for row in advice.by_count] == [0, 3, 7, 9]


def test_advise_hold_without_orders_is_empty():
    advice = advise_hold([])

    assert (advice.orders, advice.refunds, advice.horizon, advice.by_count) == (0, 0, 0, ())


def test_advise_hold_without_a_later_refund_says_how_much_it_is_at_most():
    """One-sided 95 %: 1 - 0.05^(1/60), about 3/60, of the orders that lasted; 1 - 0.05^(1/40) of the refunds."""
    orders = [Order(100, 1000, ((2, 1000),))] * 40 + [Order(100, 1000)] * 60

    row = advise_hold(orders).of(7)

    assert (row.risk, row.left, row.risk_interval, row.left_interval) == (0.0, 0.0, None, None)
    assert row.risk_most == pytest.approx(0.0487, abs=1e-4)
    assert row.left_most == pytest.approx(0.0722, abs=1e-4)
    assert (1 - row.risk_most) ** 60 == pytest.approx(0.05)
    assert share(row.risk, row.risk_interval, row.risk_most) == "0.0\u00a0% (≤ 4.9)"


def test_advise_hold_with_later_refunds_has_an_interval_and_no_bound():
    row = advise_hold(shop(orders=600, seed=1)).of(7)

    assert (row.risk_most, row.left_most) == (None, None)
    assert row.risk_interval is not None
