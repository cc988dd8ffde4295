"""Whether counts fit what was planned."""

import pytest

from core.proportions import split_p_value


@pytest.mark.parametrize(
    ("counts", "weights", "p"),
    [  # the last digits agree with scipy.stats.chisquare
        ([50, 50], [1, 1], 1.0),
        ([10, 20], [1, 1], 0.0678891549),
        ([20, 10], [2, 1], 1.0),
        ([16, 18, 16, 14], [1, 1, 1, 1], 0.9188914117),
        ([30, 14, 34, 45, 57], [1, 1, 1, 1, 1], 0.0000076169),
        ([5200, 4800], [1, 1], 0.0000633425),
        ([1, 0], [999, 1], 0.9747602606),
    ],
)
def test_split_p_value_agrees_with_the_chi_square_test(counts, weights, p):
    assert split_p_value(counts, weights) == pytest.approx(p, abs=5e-10)


@pytest.mark.parametrize(("counts", "weights"), [([0, 0], [1, 1]), ([7], [1]), ([], [])])
def test_split_p_value_of_nothing_is_none(counts, weights):
    assert split_p_value(counts, weights) is None
