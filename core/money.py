"""Money as integers of the currency's minor unit; text in and out is a decimal string."""

import re
from decimal import Decimal
from functools import cache

import moneyed

from core.errors import Invalid

MAX_MINOR = 10**15
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]+)?")


@cache
def exponent_of(currency: str) -> int:
    """Return how many decimals the ISO 4217 currency has (EUR 2, JPY 0, KWD 3); `Invalid` if unknown."""
    try:
        unit = moneyed.get_currency(currency).sub_unit
    except moneyed.CurrencyDoesNotExist:
        raise Invalid(f"{currency!r} is not an ISO 4217 currency code such as 'EUR'") from None
    return len(str(unit)) - 1


def to_minor(text: str, currency: str) -> int:
    """Return the amount in minor units; `Invalid` for a negative, over-precise or malformed one."""
    exponent = exponent_of(currency)
    if not _DECIMAL.fullmatch(text):
        raise Invalid(f"expected an amount of 0 or more as a decimal string such as '59.90', got {text!r}")
    amount = Decimal(text).scaleb(exponent)
    if amount != int(amount):
        raise Invalid(f"{currency} has {exponent} decimals, {text!r} has more")
    if amount > MAX_MINOR:
        raise Invalid(f"{text!r} is larger than any amount kept here")
    return int(amount)


def to_text(minor: int, currency: str) -> str:
    """Return minor units as a decimal string with the currency's decimals ('59.90')."""
    return str(Decimal(minor).scaleb(-exponent_of(currency)))


def to_units(minor: int, currency: str) -> Decimal:
    """Return minor units as an exact decimal number of currency units."""
    return Decimal(minor).scaleb(-exponent_of(currency))
