"""What the page's script draws, as plain values. Pure."""

from collections.abc import Sequence
from typing import Any

Band = tuple[float, float] | None


def chart_line(
    name: str,
    values: Sequence[float | None],
    *,
    shape: str = "line",
    axis: int = 0,
    bands: Sequence[Band] = (),
    enough: bool = True,
) -> dict[str, Any]:
    """Return one line (or row of bars) of a chart; `axis` 1 is the right-hand one."""
    return {
        "name": name,
        "shape": shape,
        "axis": axis,
        "values": list(values),
        "enough": [enough] * len(values),
        "bands": [list(band) if band else None for band in bands] or [None] * len(values),
    }


def chart_payload(
    title: str, labels: Sequence[str], lines: Sequence[dict[str, Any]], *, axes: Sequence[str], unit: str
) -> dict[str, Any]:
    """Return a chart over `labels`; `unit` is 'ratio', 'points' or 'count'."""
    return {
        "kind": "periods",
        "title": title,
        "labels": list(labels),
        "axes": list(axes),
        "unit": unit,
        "lines": list(lines),
    }
