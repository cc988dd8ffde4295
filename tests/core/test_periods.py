from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.periods import DAY, day_bounds, local_day, start_of_day

ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata",
    "Pacific/Apia", "Pacific/Auckland", "Africa/Casablanca", "America/St_Johns",
]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Pacific/Auckland", date(2026, 9, 27), 23),
        ("UTC", date(2028, 2, 29), 24),
        ("Europe/Berlin", date(2028, 2, 29), 24),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # midnight itself does not exist
    ],
)
def test_day_bounds_span_the_days_real_hours(zone, day, hours):
    start, end = day_bounds(day, ZoneInfo(zone))

    assert end - start == timedelta(hours=hours)


def test_start_of_day_is_utc_and_exact():
    assert start_of_day(date(2026, 7, 1), ZoneInfo("Europe/Berlin")) == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert start_of_day(date(2026, 7, 1), ZoneInfo("Asia/Kolkata")) == datetime(2026, 6, 30, 18, 30, tzinfo=UTC)


@given(
    at=st.integers(1_704_067_200, 1_956_528_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    name=st.sampled_from(ZONES),
)
def test_local_day_holds_its_instant(at, name):
    zone = ZoneInfo(name)

    start, end = day_bounds(local_day(at, zone), zone)

    assert start <= at < end


@given(day=st.dates(date(2024, 1, 1), date(2032, 12, 31)), name=st.sampled_from(ZONES))
def test_day_bounds_meet_without_gap_or_overlap(day, name):
    zone = ZoneInfo(name)

    assert day_bounds(day, zone)[1] == day_bounds(day + DAY, zone)[0]
