"""When a budget runs out, by the days so far."""

import random

import pytest

from rewards.budgeting import is_ample, is_spent, project_run_out, stages_reached, typical_referral


def test_project_run_out_of_a_steady_program_is_exact():
    found = project_run_out(1_000, [100] * 28)

    assert (found.per_day, found.days, found.earliest, found.latest) == (100, 10.0, 10.0, 10.0)


def test_project_run_out_looks_at_the_last_28_days():
    found = project_run_out(1_000, [9_999] * 100 + [50] * 28)

    assert found.days == 20.0


@pytest.mark.parametrize("daily", [[100] * 13, [0] * 24 + [100] * 4, [0] * 28, [], [-10] * 20 + [10] * 8], ids=str)
def test_project_run_out_says_not_enough(daily):
    assert project_run_out(1_000, daily) is None


def test_project_run_out_of_an_unsteady_program_may_never_come():
    found = project_run_out(100_000, [-900, 1000, -800, 1000] * 7)

    assert found.latest is None
    assert found.earliest < found.days


def test_project_run_out_of_nothing_left_is_now():
    assert project_run_out(0, [100] * 28).days == 0.0


def test_project_run_out_interval_covers_the_day_it_ran_out():
    """Of programs whose days are alike, 95 in 100 run out within the interval."""
    dice = random.Random(7)
    inside = 0
    for _ in range(400):
        past = [round(dice.gauss(100, 40)) for _ in range(28)]
        found = project_run_out(3_000, past)
        day, spent = 0, 0
        while spent < 3_000:
            day += 1
            spent += round(dice.gauss(100, 40))
        inside += found.earliest - 0.5 <= day <= found.latest + 0.5

    assert inside >= 367  # 95 % of 400, less three standard errors


@pytest.mark.parametrize(
    ("granted", "stages"),
    [(799, ()), (800, ("80",)), (949, ("80",)), (950, ("80", "95")), (1_200, ("80", "95"))],
)
def test_stages_reached_by_share_of_the_budget(granted, stages):
    assert stages_reached(1_000, granted, None) == stages


def test_stages_reached_names_a_run_out_within_a_fortnight():
    assert stages_reached(1_000, 0, project_run_out(1_399, [100] * 28)) == ("soon",)
    assert stages_reached(1_000, 0, project_run_out(1_400, [100] * 28)) == ()


def test_typical_referral_is_the_median_else_the_promise():
    assert typical_referral([100, 600, 700], 500) == 600
    assert typical_referral([100, 201], 500) == 151
    assert typical_referral([], 500) == 500


def test_is_spent_where_a_typical_referral_no_longer_fits():
    assert not is_spent(1_000, 400, 600)
    assert is_spent(1_000, 401, 600)
    assert is_spent(1_000, 1_000, 0)


def test_is_ample_where_ten_fit_again():
    assert is_ample(10_000, 4_000, 600)
    assert not is_ample(10_000, 4_001, 600)
