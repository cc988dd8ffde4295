"""Numbers as people read them, in their language."""

from datetime import timedelta

from django import template
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from analytics.metrics import Metric, Unit
from analytics.queries.reading import Answer, Point
from analytics.services.overview import Tile
from analytics.spans import By, Span
from core.money import exponent_of, to_units

register = template.Library()
NOTHING = "–"


def _rounded(value: float, places: int = 1) -> str:
    """Return a number rounded to so many places; Django's own format of a float cuts them off."""
    return number_format(round(value, places), places, force_grouping=True)


@register.filter
def percent(part: float | None) -> str:
    """Return a part in percent, rounded to a tenth; a dash where there is none."""
    return NOTHING if part is None else f"{_rounded(100 * part)}\u00a0%"


def in_words(value: float | None, metric: Metric, currency: str | None) -> str:
    """Return a value with its unit: '1,234.50 EUR', '12.5 %', '+40'; a dash where there is none."""
    if value is None:
        return NOTHING
    if metric.unit is Unit.MONEY:
        if not currency:
            return number_format(value, force_grouping=True)
        amount = to_units(int(value), currency)
        return f"{number_format(amount, exponent_of(currency), force_grouping=True)} {currency}"
    if metric.unit is Unit.RATIO:
        return percent(value)
    if metric.unit is Unit.SCORE:
        return f"{value:+d}".replace("-", "−") if value else "0"
    return number_format(value, force_grouping=True)


@register.simple_tag
def tile_value(tile: Tile) -> str:
    """Return the tile's number in words."""
    return in_words(tile.point.value, tile.metric, tile.currency)


@register.simple_tag
def tile_before(tile: Tile) -> str:
    """Return what the tile's number was in the period before."""
    return in_words(tile.earlier.value, tile.metric, tile.currency) if tile.earlier else NOTHING


@register.simple_tag
def tile_change(tile: Tile) -> str:
    """Return how the tile's number moved: '▲ 12 %', '▼ 1.5 points'; empty where that cannot be said."""
    change = tile.change
    if change is None:
        return ""
    if tile.metric.unit is Unit.RATIO:
        size = _("%(n)s points") % {"n": _rounded(abs(100 * change))}
    elif tile.metric.unit is Unit.SCORE:
        size = _("%(n)s points") % {"n": abs(round(change))}
    else:
        size = f"{_rounded(abs(100 * change), 0 if abs(change) >= 0.1 else 1)} %"
    return f"{_arrow(change)} {size}"


def _arrow(change: float) -> str:
    if not change:
        return "="
    return "▲" if change > 0 else "▼"


@register.simple_tag
def tile_tone(tile: Tile) -> str:
    """Return whether the change is good or bad news."""
    change = tile.change
    if not change:
        return ""
    return "good" if change > 0 else "bad"


@register.simple_tag
def tile_interval(tile: Tile) -> str:
    """Return the 95 % interval in words, empty where there is none."""
    return interval_in_words(tile.point, tile.metric)


def interval_in_words(point: Point, metric: Metric) -> str:
    """Return '7.3 % … 33.6 %' or '−11.7 … +55.2'; empty where there is no interval."""
    if point.interval is None:
        return ""
    if metric.unit is Unit.RATIO:
        return percent_range(point.interval)
    return " … ".join(f"{'+' if bound > 0 else ''}{_rounded(bound)}".replace("-", "−") for bound in point.interval)


@register.filter
def percent_range(interval: tuple[float, float] | None) -> str:
    """Return an interval of parts in percent; empty where there is none."""
    return "" if interval is None else " … ".join(percent(bound) for bound in interval)


@register.filter
def grouped(count: int) -> str:
    """Return a count with its thousands apart."""
    return number_format(count, force_grouping=True)


@register.simple_tag
def point_value(answer: Answer, point: Point) -> str:
    """Return a point's value in words."""
    return in_words(point.value, answer.metric, answer.currency)


@register.simple_tag
def point_interval(answer: Answer, point: Point) -> str:
    """Return a point's interval in words, a dash where there is none."""
    return interval_in_words(point, answer.metric) or NOTHING


@register.simple_tag
def period_label(span: Span, by: str) -> str:
    """Return what a period is called: 'Mar 2026', '2 Mar'."""
    return label_of(span, By(by))


def label_of(span: Span, by: By) -> str:
    """Return what a period is called in a chart and its table."""
    return date_format(span.start, "M Y" if by is By.MONTH else "j M Y")


@register.simple_tag
def span_label(span: Span) -> str:
    """Return the first and the last day of a span."""
    first, last = (date_format(day, "j M Y") for day in (span.start, span.end - timedelta(days=1)))
    return first if first == last else f"{first} – {last}"
