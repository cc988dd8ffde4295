from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.scoring import Band, Tally, band_of, nps_interval, nps_of, tally_of

tallies = st.builds(Tally, *[st.integers(0, 100_000)] * 3)
answered = tallies.filter(lambda tally: tally.n > 0)


@pytest.mark.parametrize(
    ("score", "band"),
    [(0, Band.DETRACTOR), (6, Band.DETRACTOR), (7, Band.PASSIVE), (8, Band.PASSIVE), (9, Band.PROMOTER)],
)
def test_band_of_splits_at_seven_and_nine(score, band):
    assert band_of(score) is band


def test_band_of_ten_is_a_promoter():
    assert band_of(10) is Band.PROMOTER


def test_tally_of_sums_the_scores_of_each_band():
    assert tally_of({0: 1, 6: 2, 7: 3, 8: 4, 9: 5, 10: 6}) == Tally(promoters=11, passives=7, detractors=3)


@pytest.mark.parametrize(
    ("tally", "score"),
    [
        (Tally(3, 4, 1), 25),
        (Tally(2, 3, 1), 17),
        (Tally(1, 3, 2), -17),
        (Tally(9, 0, 7), 13),  # 12.5 goes away from zero
        (Tally(7, 0, 9), -13),
        (Tally(1, 199, 0), 1),  # 0.5
        (Tally(0, 199, 1), -1),
        (Tally(1, 200, 0), 0),
        (Tally(5, 0, 0), 100),
        (Tally(0, 0, 5), -100),
        (Tally(0, 3, 0), 0),
    ],
)
def test_nps_of_rounds_once_half_away_from_zero(tally, score):
    assert nps_of(tally) == score


@pytest.mark.parametrize(
    ("tally", "interval"),
    [
        (Tally(10, 5, 5), (-11.7, 55.2)),
        (Tally(500, 300, 200), (25.1, 34.7)),
        (Tally(5, 0, 0), (17.5, 100.0)),
        (Tally(60, 20, 20), (23.4, 54.3)),
    ],
)
def test_nps_interval_is_adjusted_wald(tally, interval):
    assert nps_interval(tally) == interval


def test_nps_of_nobody_is_none():
    assert nps_of(Tally()) is None
    assert nps_interval(Tally()) is None


@given(answered)
def test_nps_of_is_within_half_a_point_of_the_exact_share(tally):
    score = nps_of(tally)
    exact = Fraction(100 * (tally.promoters - tally.detractors), tally.n)

    assert isinstance(score, int)
    assert -100 <= score <= 100
    assert abs(score - exact) <= Fraction(1, 2)


@given(answered)
def test_nps_of_the_mirrored_answers_is_mirrored(tally):
    mirrored = Tally(tally.detractors, tally.passives, tally.promoters)
    low, high = nps_interval(tally)

    assert nps_of(mirrored) == -nps_of(tally)
    assert nps_interval(mirrored) == (-high, -low)


@given(answered.filter(lambda tally: 1 < tally.n < 10_000))
def test_nps_interval_has_a_width_and_holds_the_score(tally):
    low, high = nps_interval(tally)

    assert -100 <= low <= high <= 100
    assert low < high or tally.n > 1_000
    assert "-0.0" not in (str(low), str(high))
    assert low - 0.5 <= nps_of(tally) <= high + 0.5


def test_nps_interval_of_one_answer_is_nearly_everything():
    assert nps_interval(Tally(promoters=1)) == (-48.5, 98.5)


@given(answered, st.integers(2, 50))
def test_nps_interval_narrows_with_more_of_the_same(tally, times):
    more = Tally(tally.promoters * times, tally.passives * times, tally.detractors * times)
    low, high = nps_interval(tally)
    narrow_low, narrow_high = nps_interval(more)

    assert nps_of(more) == nps_of(tally)
    if low > -100 and high < 100:
        assert narrow_high - narrow_low <= high - low
