from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.money import MAX_MINOR, exponent_of, to_minor, to_text, to_units

CURRENCIES = ["EUR", "USD", "JPY", "KWD", "CHF", "BHD", "GBP"]


@given(minor=st.integers(0, MAX_MINOR // 1000), currency=st.sampled_from(CURRENCIES))
def test_to_text_and_back_is_the_same(minor, currency):
    text = to_text(minor, currency)

    assert to_minor(text, currency) == minor
    assert Decimal(text) == to_units(minor, currency)


@given(units=st.integers(0, 10**9), currency=st.sampled_from(CURRENCIES))
def test_to_minor_of_whole_units_multiplies_exactly(units, currency):
    assert to_minor(str(units), currency) == units * 10 ** exponent_of(currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("59.90", "EUR", 5990),
        ("59.9", "EUR", 5990),
        ("0", "EUR", 0),
        ("0.00", "EUR", 0),
        ("0.01", "EUR", 1),
        ("1500", "JPY", 1500),
        ("1500.00", "JPY", 1500),
        ("1.234", "KWD", 1234),
        ("999999999999.99", "USD", 99999999999999),
        ("5.100", "EUR", 510),
    ],
)
def test_to_minor_reads(text, currency, minor):
    assert to_minor(text, currency) == minor


@pytest.mark.parametrize(
    "text",
    [
        "-1",
        "-0.01",
        "1.001",
        "1,00",
        "1e3",
        "NaN",
        "Infinity",
        " 1",
        "1 ",
        "+1",
        "",
        ".5",
        "5.",
        "01",
        "１",
        "0x1",
        "1\n",
    ],
)
def test_to_minor_of_anything_else_is_refused(text):
    with pytest.raises(Invalid):
        to_minor(text, "EUR")


def test_to_minor_of_more_than_is_kept_is_refused():
    with pytest.raises(Invalid):
        to_minor("999999999999999.99", "EUR")


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "XX", "€", "ZZZ"])
def test_exponent_of_unknown_currency_is_refused(currency):
    with pytest.raises(Invalid):
        exponent_of(currency)


def test_to_text_keeps_the_currencys_decimals():
    assert [to_text(5990, "EUR"), to_text(0, "EUR"), to_text(5990, "JPY"), to_text(5, "KWD")] == [
        "59.90",
        "0.00",
        "5990",
        "0.005",
    ]
