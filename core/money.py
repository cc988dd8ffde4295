"""Money as integers of the currency's minor unit; text in and out is a decimal string."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
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


@dataclass(frozen=True, slots=True)
class UnitValue:
    """What one unit of something is worth: an exact amount, finer than the currency's decimals if need be."""

    amount: Decimal
    currency: str

    def minor(self, units: int) -> int:
        """Return what so many units are worth in minor units of the currency, halves rounded up."""
        worth = (self.amount * units).scaleb(exponent_of(self.currency))
        return int(worth.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def read_unit_value(text: str) -> UnitValue | None:
    """Return the value written as '0.01 EUR'; None for an empty text, `Invalid` for any other."""
    if not text.strip():
        return None
    amount, _, currency = text.strip().partition(" ")
    try:
        value = Decimal(amount)
    except InvalidOperation:
        value = Decimal(0)
    if not (value.is_finite() and value > 0):
        raise Invalid(f"expected an amount above 0 and its currency such as '0.01 EUR', got {text!r}")
    exponent_of(currency)
    return UnitValue(value, currency)
