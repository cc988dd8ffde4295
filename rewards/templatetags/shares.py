"""Shares as people read them."""

import math

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.simple_tag
def share(value: float, interval: tuple[float, float] | None = None, most: float | None = None) -> str:
    """Return a share in per cent with its interval, '4.2 % (3.1 … 5.6)', or what it is at most: '0 % (≤ 1.2)'."""
    told = f"{_per_cent(value)}\u00a0%"
    if most is not None:
        return f"{told} (≤ {_per_cent(math.ceil(most * 1000) / 1000)})"
    return told if interval is None else f"{told} ({_per_cent(interval[0])} … {_per_cent(interval[1])})"


def _per_cent(value: float) -> str:
    return number_format(round(100 * value, 1), 1)  # number_format itself cuts off
