"""Coupon codes: patterns, uploaded lists, forecasts."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.codes import ALPHABET, coupon_key
from rewards.coupon_codes import (
    LONGEST_CODE,
    RowError,
    code_of_pattern,
    fits_pattern,
    forecast_stock,
    pattern_problem,
    read_upload,
)


@given(st.sampled_from(["######", "HI-########", "A##-##-##-##", "2026-###########"]))
def test_code_of_pattern_is_readable_and_checked(pattern):
    code = code_of_pattern(pattern)

    assert len(code) == len(pattern)
    assert fits_pattern(code.lower(), pattern)
    random = [letter for letter, place in zip(code, pattern, strict=True) if place == "#"]
    assert set(random) <= set(ALPHABET)
    assert not set(random) & set("0O1IL8B")


@given(st.data())
def test_fits_pattern_sees_one_wrong_character(data):
    pattern = "HI-########"
    code = code_of_pattern(pattern)
    at = data.draw(st.integers(3, len(code) - 1))
    wrong = data.draw(st.sampled_from([letter for letter in ALPHABET if letter != code[at]]))

    assert not fits_pattern(code[:at] + wrong + code[at + 1 :], pattern)


def test_fits_pattern_refuses_another_prefix_or_length():
    code = code_of_pattern("HI-######")

    assert not fits_pattern(code.replace("HI", "HO"), "HI-######")
    assert not fits_pattern(code + "A", "HI-######")


@pytest.mark.parametrize("pattern", ["", "HI-#####", "HI ######", "HÄ-######", "#" * 21, "A" * 41, "HI.######"])
def test_pattern_problem_names_what_cannot_be_a_pattern(pattern):
    assert pattern_problem(pattern)


def test_pattern_problem_accepts_enough_places():
    assert pattern_problem("WELCOME-########") == ""


@pytest.mark.parametrize(
    "text",
    [
        "AAA-1\nBBB-2\n",
        "\ufeffcode\r\nAAA-1\r\nBBB-2\r\n",
        "id;Coupon Code;note\n1;AAA-1;x\n\n2;BBB-2;y\n",
        "code\tid\nAAA-1\t1\nBBB-2\t2",
        "  AAA-1  \n,\nBBB-2,\n",
    ],
)
def test_read_upload_finds_the_codes(text):
    upload = read_upload(text)

    assert (upload.codes, upload.errors) == (("AAA-1", "BBB-2"), ())


def test_read_upload_names_every_wrong_row():
    text = f"code,note\nAAA-1,\naaa 1,\naaa1,\n,empty\nA,\n{'X' * (LONGEST_CODE + 1)},\nÄÖÜ,\nCCC-3,\n"

    upload = read_upload(text)

    wrong = "expected 3 to 40 letters, digits, dashes and underscores"
    assert upload.codes == ("AAA-1", "CCC-3")
    assert upload.errors == (
        RowError(3, "aaa 1", wrong),
        RowError(4, "aaa1", "stands in this file twice"),
        RowError(5, "", "no code in this row"),
        RowError(6, "A", wrong),
        RowError(7, "X" * 41, wrong),
        RowError(8, "ÄÖÜ", wrong),
    )


def test_read_upload_of_a_stray_quotation_mark_spoils_its_row_alone():
    upload = read_upload('AAA-1\n"BBB-2"\n"CCC 3\nDDD-4\n' + "E" * 200_000 + "\n")

    assert upload.codes == ("AAA-1", "BBB-2", "DDD-4")
    assert [row.line for row in upload.errors] == [3, 5]


def test_read_upload_guesses_at_no_column_that_is_not_named():
    upload = read_upload("email;number\nann@shop.example;AAA-1\n")

    assert upload.codes == ()
    assert [row.line for row in upload.errors] == [1, 2]
    assert "name its column “code” in the first line" in upload.errors[0].problem


@pytest.mark.parametrize("text", ["", "\n\n", "code\n"])
def test_read_upload_of_nothing_is_empty(text):
    assert read_upload(text) == read_upload("")


@given(st.text(max_size=300))
def test_read_upload_never_breaks(text):
    upload = read_upload(text)

    assert len({coupon_key(code) for code in upload.codes}) == len(upload.codes)


@pytest.mark.parametrize(
    ("free", "used", "days", "per_day", "left"),
    [
        (100, 21, 60, "1", 100),
        (100, 42, 21, "2", 50),
        (10, 3, 2, "1.5", 6),
        (10, 5, 0.1, "5", 2),
        (10, 0, 60, "0", None),
        (0, 21, 60, "1", 0),
    ],
)
def test_forecast_stock_divides_what_is_left_by_the_measured_use(free, used, days, per_day, left):
    forecast = forecast_stock(free=free, used=used, age=timedelta(days=days))

    assert (forecast.per_day, forecast.days_left) == (Decimal(per_day), left)


def test_forecast_is_low_below_the_days_asked_for_or_with_nothing_left():
    unused, empty = (forecast_stock(free=free, used=0, age=timedelta(days=9)) for free in (5, 0))
    tight = forecast_stock(free=20, used=21, age=timedelta(days=21))

    assert (unused.is_low(21), empty.is_low(21)) == (False, True)
    assert (tight.is_low(20), tight.is_low(21)) == (False, True)


@pytest.mark.parametrize(
    ("typed", "key"), [(" aa-1 b ", "AA1B"), ("a_b-2", "A_B2"), ("ä1", ""), ("", ""), ("x" * 65, "")]
)
def test_coupon_key_is_one_spelling_of_all(typed, key):
    assert coupon_key(typed) == key
