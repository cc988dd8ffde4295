"""Tiers from the dates of referrals: the window to the instant, grace, risk; milestones ahead."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.conditions import parse_condition
from referrals.terms import LEVEL_FIELDS, Level, Milestone, Tiers
from rewards.standing import (
    TICK,
    count_in_window,
    last_held,
    level_for,
    next_milestone,
    standing_at,
)

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
BRONZE = Level(name="Bronze", least=0)
SILVER = Level(name="Silver", least=2, multiplier=Decimal("1.25"))
GOLD = Level(name="Gold", least=4, multiplier=Decimal("1.5"), vip=True)
TIERS = Tiers(window_days=100, levels=(BRONZE, SILVER, GOLD))
GRACIOUS = Tiers(window_days=100, grace_days=20, levels=(BRONZE, SILVER, GOLD))
NOBODY: dict = {}


def days(*numbers):
    return [START + number * DAY for number in numbers]


def test_count_in_window_includes_both_ends():
    moments = days(0, 50, 100)

    assert count_in_window(moments, START + 100 * DAY, 100) == 3
    assert count_in_window(moments, START + 100 * DAY + TICK, 100) == 2
    assert count_in_window(moments, START + 100 * DAY - TICK, 100) == 2


@pytest.mark.parametrize(("count", "name"), [(0, "Bronze"), (1, "Bronze"), (2, "Silver"), (3, "Silver"), (4, "Gold")])
def test_level_for_is_the_highest_reached(count, name):
    assert level_for(TIERS, count, NOBODY, START).name == name


def test_level_for_below_the_lowest_is_none():
    assert level_for(Tiers(window_days=100, levels=(SILVER, GOLD)), 1, NOBODY, START) is None


def test_level_for_skips_a_level_whose_condition_fails():
    when = parse_condition({"customer.locale": "de"}, LEVEL_FIELDS)
    tiers = Tiers(window_days=100, levels=(BRONZE, SILVER, Level(name="Gold", least=4, when=when)))

    assert level_for(tiers, 5, {"customer.locale": "en"}, START).name == "Silver"
    assert level_for(tiers, 5, {"customer.locale": "de"}, START).name == "Gold"


def test_standing_at_keeps_a_level_to_the_instant_its_window_ends():
    moments = days(0, 10)
    end = START + 100 * DAY

    held, lost = (standing_at(TIERS, moments, NOBODY, at) for at in (end, end + TICK))

    assert (held.shown.name, held.count, held.held_until) == ("Silver", 2, end)
    assert (lost.shown.name, lost.count, lost.held_until) == ("Bronze", 1, None)


def test_standing_at_shows_a_lost_level_through_its_grace_but_does_not_multiply_by_it():
    moments = days(0, 10)
    end = START + 120 * DAY

    kept, lost = (standing_at(GRACIOUS, moments, NOBODY, at) for at in (end, end + TICK))

    assert (kept.shown.name, kept.level.name, kept.in_grace, kept.held_until) == ("Silver", "Bronze", True, end)
    assert (lost.shown.name, lost.level.name, lost.in_grace) == ("Bronze", "Bronze", False)


def test_standing_at_is_at_risk_in_the_last_quarter_of_a_short_window():
    moments = days(0, 10)
    begins = START + 75 * DAY

    before, since = (standing_at(TIERS, moments, NOBODY, at) for at in (begins - TICK, begins))

    assert (before.at_risk, before.next_change_at) == (False, begins)
    assert (since.at_risk, since.needed, since.held_until) == (True, 1, START + 100 * DAY)


def test_standing_at_says_how_many_more_keep_the_level():
    moments = days(0, 0, 0, 50)

    found = standing_at(TIERS, moments, NOBODY, START + 90 * DAY)

    assert (found.shown.name, found.needed, found.to_next, found.next) == ("Gold", 3, 0, None)


def test_standing_at_names_the_next_level_and_the_way_to_it():
    found = standing_at(TIERS, days(0, 1, 2), NOBODY, START + 3 * DAY)

    assert (found.shown.name, found.next.name, found.to_next) == ("Silver", "Gold", 1)


def test_standing_at_does_not_know_what_comes_later():
    found = standing_at(TIERS, days(0, 1), NOBODY, START)

    assert (found.count, found.shown.name) == (1, "Bronze")


@given(
    st.lists(st.integers(0, 300), max_size=8),
    st.integers(0, 400),
    st.sampled_from([TIERS, GRACIOUS]),
)
def test_standing_at_agrees_with_looking_at_every_day(offsets, on, tiers):
    """Moments on whole days: what is shown is the best level of any day of the grace."""
    moments, at = days(*offsets), START + on * DAY

    found = standing_at(tiers, moments, NOBODY, at)

    seen = [START + day * DAY for day in range(on - tiers.grace_days, on + 1)]
    counts = [count_in_window([m for m in moments if m <= day], day, tiers.window_days) for day in seen]
    assert found.shown == level_for(tiers, max(counts), NOBODY, at)
    assert found.level == level_for(tiers, counts[-1], NOBODY, at)


@given(st.lists(st.integers(0, 300), max_size=8), st.integers(0, 400), st.sampled_from([TIERS, GRACIOUS]))
def test_standing_at_changes_by_time_only_at_the_moment_it_foretells(offsets, on, tiers):
    moments = [m for m in days(*offsets) if m <= START + on * DAY]

    found = standing_at(tiers, moments, NOBODY, START + on * DAY)

    until = found.next_change_at - TICK if found.next_change_at else START + 2000 * DAY
    later = standing_at(tiers, moments, NOBODY, until)
    assert (later.count, later.shown, later.at_risk) == (found.count, found.shown, found.at_risk)
    if found.next_change_at:
        changed = standing_at(tiers, moments, NOBODY, found.next_change_at)
        assert (changed.count, changed.shown, changed.at_risk) != (found.count, found.shown, found.at_risk)


@given(st.lists(st.integers(0, 300), max_size=8), st.integers(0, 400))
def test_standing_at_needed_referrals_keep_the_level(offsets, on):
    at = START + on * DAY
    moments = [m for m in days(*offsets) if m <= at]
    found = standing_at(TIERS, moments, NOBODY, at)
    if found.held_until is None or found.held_until < at:
        return

    saved = standing_at(TIERS, moments + [found.held_until] * found.needed, NOBODY, found.held_until + TICK)
    short = standing_at(TIERS, moments + [found.held_until] * (found.needed - 1), NOBODY, found.held_until + TICK)

    assert saved.shown.least >= found.shown.least
    assert short.shown.least < found.shown.least


def test_last_held_of_never_is_none():
    assert last_held(days(0, 200), 2, 100) is None


@pytest.mark.parametrize(("count", "number", "to_go"), [(0, 1, 1), (1, 5, 4), (4, 5, 1)])
def test_next_milestone_is_the_nearest_ahead(count, number, to_go):
    found = next_milestone((Milestone(referrals=5, points=9), Milestone(referrals=1, badge="first")), count)

    assert (found.milestone.referrals, found.to_go) == (number, to_go)


def test_next_milestone_after_the_last_is_none():
    assert next_milestone((Milestone(referrals=5, points=9),), 5) is None
