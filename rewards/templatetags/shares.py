"""Shares as people read them."""

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.simple_tag
def share(value: float, interval: tuple[float, float] | None = None) -> str:
    """Return a share in per cent with its interval: '4.2 % (3.1 … 5.6)'."""
    told = f"{_per_cent(value)}\u00a0%"
    return told if interval is None else f"{told} ({_per_cent(interval[0])} … {_per_cent(interval[1])})"


def _per_cent(value: float) -> str:
    return number_format(100 * value, 1)
