"""Amounts and days as people of the page's language write them."""

from datetime import datetime
from decimal import Decimal

from babel import Locale
from babel.core import UnknownLocaleError
from babel.numbers import format_currency, format_decimal
from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, pgettext, to_locale

from core.money import exponent_of, to_units

register = template.Library()


def _locale() -> Locale:
    try:
        return Locale.parse(to_locale(get_language() or "en"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


@register.filter
def money(minor: int, currency: str) -> str:
    """Return minor units of a currency as people of the page's language write them: '€20.00'."""
    return str(format_currency(to_units(minor, currency), currency, locale=_locale()))


@register.filter
def money_short(minor: int, currency: str) -> str:
    """Return the amount like `money`, without decimals where it has none: '€100'."""
    if minor % 10 ** exponent_of(currency):
        return money(minor, currency)
    pattern = _locale().currency_formats["standard"].pattern.replace(".00", "")
    units = to_units(minor, currency)
    return str(format_currency(units, currency, pattern, locale=_locale(), currency_digits=False))


@register.filter
def whole(number: int) -> str:
    """Return a number grouped as the page's language groups it: '1,250'."""
    return str(format_decimal(number, locale=_locale()))


@register.filter
def decimal(number: Decimal) -> str:
    """Return a decimal number as people of the page's language write it: '1.25'."""
    return str(format_decimal(number, locale=_locale()))


@register.filter
def signed(number: int) -> str:
    """Return a number with its sign, the minus as typeset: '+500', '−500'."""
    return f"+{whole(number)}" if number > 0 else whole(number).replace("-", "−")


@register.filter
def day(moment: datetime) -> str:
    """Return the day of a moment in the installation's zone, with its year unless that is this one: '14 May'."""
    local = timezone.localtime(moment)
    if local.year == timezone.localtime().year:
        return date_format(local, pgettext("date format", "j F"))
    return date_format(local, pgettext("date format", "j F Y"))
