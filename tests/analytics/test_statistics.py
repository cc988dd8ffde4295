"""Published intervals."""

import pytest

from analytics.statistics import is_enough
from core.proportions import wilson_interval


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # Newcombe 1998, table I, and statsmodels' proportion_confint(method="wilson")
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (75, 100, 0.6570, 0.8246),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_wilson_interval_agrees_with_published_ones(successes, trials, low, high):
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 2)])
def test_wilson_interval_is_none_where_there_is_no_proportion(successes, trials):
    assert wilson_interval(successes, trials) is None


@pytest.mark.parametrize(
    ("successes", "trials", "enough"), [(5, 30, True), (4, 30, False), (25, 30, True), (26, 30, False), (5, 29, False)]
)
def test_is_enough_wants_trials_and_both_sides(successes, trials, enough):
    assert is_enough(successes, trials, minimum=30) is enough
