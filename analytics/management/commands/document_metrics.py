"""`document_metrics`: docs/metrics.md, written from METRICS."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from analytics.metrics import METRICS, Metric

HEAD = """\
# Metrics

Written from `analytics/metrics.py` by `python manage.py document_metrics`; change the words there.

Every number is a pure function of the stored facts, counted by calendar days of the installation's zone
(`TIME_ZONE`). A ratio keeps its numerator and denominator and is divided on reading; with a denominator of 0 it is
null, never 0. Money is never added across currencies. Additive values of days may be added up; semi-additive ones are
balances at the end of the range; non-additive ones are counted anew for every range. Intervals are 95 %: Wilson for
ratios, adjusted Wald for the Net Promoter Score. Below the minimum of observations, or with fewer than five on the
rarer side of a ratio, a value is shown greyed (`"enough": false`).

`GET /api/v1/metrics/{name}?from=&to=&by=total|day|week|month&group=&program=&currency=`: `from` inclusive, `to`
exclusive, weeks from Monday. `complete_through` is the last day about which everything received is counted.
"""


def metrics_page() -> str:
    """Return the text of docs/metrics.md."""
    parts = [HEAD]
    for category in dict.fromkeys(metric.category for metric in METRICS.values()):
        parts.append(f"## {category}\n")
        parts += [_entry(metric) for metric in METRICS.values() if metric.category == category]
    return "\n".join(parts)


def _entry(metric: Metric) -> str:
    rows = {
        "unit": metric.unit.value,
        "formula": metric.formula,
        "numerator": metric.numerator,
        "denominator": metric.denominator,
        "counted on": metric.basis,
        "additivity": metric.additivity.value,
        "minimum n": str(metric.minimum_n or ""),
        "groups": ", ".join(metric.groups),
        "source": metric.source,
    }
    told = "\n".join(f"| {name} | {text} |" for name, text in rows.items() if text)
    return f"### {metric.title} (`{metric.name}`)\n\n{metric.definition}\n\n| | |\n| --- | --- |\n{told}\n"


class Command(BaseCommand):
    """Writes docs/metrics.md."""

    help = "Write docs/metrics.md from METRICS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file."""
        file = Path(settings.BASE_DIR) / "docs" / "metrics.md"
        file.write_text(metrics_page(), encoding="utf-8")
        self.stdout.write(f"Wrote {file}.")
