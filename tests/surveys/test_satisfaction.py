import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from surveys.satisfaction import csat_interval, csat_of, mean_interval, mean_of, nps_change, t_quantile
from surveys.scoring import Tally

fives = st.fixed_dictionaries({score: st.integers(0, 2000) for score in range(1, 6)})
sevens = st.fixed_dictionaries({score: st.integers(0, 2000) for score in range(1, 8)})


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 10, 29, 30, 98, 99, 100, 101, 250, 5000])
def test_t_quantile_is_that_of_scipy(freedom):
    assert t_quantile(freedom) == pytest.approx(t.ppf(0.975, freedom), abs=1e-5)


@pytest.mark.parametrize(
    ("satisfied", "n", "score", "interval"),
    [(75, 100, 75, (65.7, 82.5)), (9, 12, 75, (46.8, 91.1)), (5, 5, 100, (56.6, 100.0)), (0, 0, None, None)],
)
def test_csat_is_the_share_of_four_and_five_with_wilsons_interval(satisfied, n, score, interval):
    counts = {5: satisfied // 2, 4: satisfied - satisfied // 2, 3: n - satisfied}

    assert (csat_of(counts), csat_interval(counts)) == (score, interval)


def test_ces_is_the_mean_with_its_t_interval():
    counts = dict(zip(range(1, 8), (2, 3, 5, 10, 30, 30, 20), strict=True))

    assert (mean_of(counts), mean_interval(counts, low=1, high=7)) == (5.33, (5.06, 5.60))


@pytest.mark.parametrize("counts", [{}, {4: 1}])
def test_mean_of_too_few_has_no_interval(counts):
    assert mean_interval(counts, low=1, high=7) is None


@given(fives)
def test_csat_lies_in_its_interval(counts):
    interval, score = csat_interval(counts), csat_of(counts)

    assert (score is None) == (interval is None) == (sum(counts.values()) == 0)
    if score is not None and interval is not None:
        assert 0 <= interval[0] <= score + 0.5
        assert score - 0.5 <= interval[1] <= 100


@given(sevens)
def test_ces_lies_in_its_interval_and_on_its_scale(counts):
    mean, interval = mean_of(counts), mean_interval(counts, low=1, high=7)

    if mean is not None and interval is not None:
        assert 1 <= interval[0] <= mean + 0.01
        assert mean - 0.01 <= interval[1] <= 7


def test_nps_change_tells_a_real_drop():
    change = nps_change(Tally(120, 60, 40), Tally(100, 70, 70))

    assert change is not None
    assert (change.difference, change.interval, change.real) == (-23.5, (-38.1, -9.0), True)


@given(st.builds(Tally, *[st.integers(0, 500)] * 3), st.builds(Tally, *[st.integers(0, 500)] * 3))
def test_nps_change_is_the_same_backwards(before, after):
    there, back = nps_change(before, after), nps_change(after, before)

    assert (there is None) == (not before.n or not after.n)
    if there is not None and back is not None:
        assert (there.difference, there.real) == (-back.difference, back.real)
        assert there.interval == (-back.interval[1], -back.interval[0])


def test_nps_change_of_a_period_with_itself_is_none_at_all():
    change = nps_change(Tally(10, 5, 5), Tally(10, 5, 5))

    assert change is not None
    assert (change.difference, change.real) == (0, False)
