"""Ranks, periods, prizes and names of leaderboards."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.display_names import BadDisplayName, check_display_name
from rewards.leaderboard import period_of, prizes_for, shared_ranks


def test_shared_ranks_are_1_2_2_4():
    assert shared_ranks([7, 9, 7, 3]) == [2, 1, 2, 4]
    assert shared_ranks([]) == []


@given(st.lists(st.integers(0, 20), max_size=30))
def test_shared_ranks_are_one_more_than_those_who_have_more(counts):
    assert shared_ranks(counts) == [1 + sum(other > count for other in counts) for count in counts]


@pytest.mark.parametrize(
    ("period", "day", "first", "after"),
    [
        ("month", date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
        ("month", date(2026, 2, 1), date(2026, 2, 1), date(2026, 3, 1)),
        ("quarter", date(2026, 5, 14), date(2026, 4, 1), date(2026, 7, 1)),
        ("quarter", date(2026, 12, 1), date(2026, 10, 1), date(2027, 1, 1)),
        ("year", date(2026, 12, 31), date(2026, 1, 1), date(2027, 1, 1)),
        ("all", date(2026, 5, 14), None, None),
    ],
)
def test_period_of_is_the_calendars(period, day, first, after):
    assert period_of(period, day) == (first, after)


def test_prizes_for_a_shared_rank_are_those_of_the_rank():
    prizes = [(1, 1, "Trip"), (2, 3, "Beans"), (1, 10, "Thanks")]

    assert [prizes_for(rank, prizes) for rank in (1, 2, 4, 11)] == [
        ["Trip", "Thanks"],
        ["Beans", "Thanks"],
        ["Thanks"],
        [],
    ]


@pytest.mark.parametrize("name", ["Ann", "Bean Queen", "Zoë", "Jean-Luc", "王小明", "R2-D2 Fan", "Nazim", "Ashita"])
def test_check_display_name_takes_ordinary_names(name):
    assert check_display_name(f"  {name} ", brand="Goodword") == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "too_short"),
        ("7", "too_short"),
        ("A", "too_short"),
        ("x" * 31, "too_long"),
        ("evil.example", "no_address"),
        ("www.evil.example", "no_address"),
        ("ann@evil.example", "no_address"),
        ("Call 0800123456", "no_address"),
        ("<b>Ann</b>", "no_address"),
        ("evil\u200b.example", "no_address"),
        ("Support", "posing"),
        ("The Goodword Team", "posing"),
        ("GOODWORD", "posing"),
        ("F-u c-k", "rude"),
        ("Scheiße", "rude"),
        ("sh1t happens", "rude"),
    ],
)
def test_check_display_name_refuses_links_posing_and_rudeness(name, why):
    with pytest.raises(BadDisplayName, match=why):
        check_display_name(name, brand="Goodword")
