"""Cutting ranges and joining days."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from analytics.spans import By, Span, before, cut, join

DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def test_cut_weeks_start_on_monday_and_end_where_the_range_does():
    weeks = cut(Span(date(2026, 3, 4), date(2026, 3, 18)), By.WEEK)  # a Wednesday to a Wednesday

    assert [(week.start.day, week.end.day) for week in weeks] == [(4, 9), (9, 16), (16, 18)]


def test_cut_months_know_february_and_the_year():
    months = cut(Span(date(2023, 12, 31), date(2024, 3, 1)), By.MONTH)

    assert [str(month.start) for month in months] == ["2023-12-31", "2024-01-01", "2024-02-01"]
    assert [month.days for month in months] == [1, 31, 29]


@given(start=DAYS, length=st.integers(1, 900), by=st.sampled_from(By))
def test_cut_covers_the_range_without_gap_or_overlap(start, length, by):
    span = Span(start, start + timedelta(days=length))

    periods = cut(span, by)

    assert (periods[0].start, periods[-1].end) == (span.start, span.end)
    assert all(one.end == other.start for one, other in pairwise(periods))


def test_before_is_as_long_and_ends_where_the_span_starts():
    assert before(Span(date(2026, 3, 1), date(2026, 4, 1))) == Span(date(2026, 1, 29), date(2026, 3, 1))


@given(days=st.lists(DAYS, max_size=120))
def test_join_holds_every_day_in_few_spans(days):
    spans = join(days)

    assert len(spans) <= 20
    assert all(any(day in span for span in spans) for day in days)
    assert all(one.end <= other.start for one, other in pairwise(spans))


def test_join_keeps_far_days_apart():
    first, near, far = date(2026, 1, 1), date(2026, 1, 5), date(2026, 6, 1)

    assert join([far, first, near, first]) == [Span(first, date(2026, 1, 6)), Span(far, date(2026, 6, 2))]
