"""The dashboard: the overview, the numbers explained, and every series as CSV."""

import csv
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import staff_may
from analytics.forms import DEFAULT_PRESET, PRESETS, CsvForm, FilterForm, span_of_preset
from analytics.metrics import METRICS, Metric
from analytics.queries.collecting import reporting_zone
from analytics.queries.experiments import MINIMUM_EXPOSED, experiments_begun, result_of
from analytics.queries.reading import Answer, first_day_with_data
from analytics.questions import metric_of
from analytics.services.answers import Wish, answer_wish
from analytics.services.overview import Chart, Line, View, build_overview
from analytics.services.rollups import bring_up_to_date
from analytics.spans import By, Span, before, cut
from analytics.templatetags.numbers import label_of
from core.csv_cells import safe_cell
from core.errors import Refused
from core.periods import local_day

NUMBERS = "analytics.view_dailyvalue"
COLUMNS = ("from", "to", "group", "value", "numerator", "denominator", "interval_low", "interval_high", "enough")


@require_safe
@staff_may(NUMBERS)
def overview(request: HttpRequest) -> HttpResponse:
    """Show the numbers of a range of days beside those of the days before."""
    now = timezone.now()
    complete_through = bring_up_to_date(at=now)
    form = FilterForm(request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    span, preset = _span(chosen, now)
    view = View(span=span, program=chosen.get("program", ""), currency=chosen.get("currency", ""))
    shown = build_overview(view=view, complete_through=complete_through, at=now)
    view = shown.view
    kept = {"program": view.program, "currency": view.currency if len(shown.currencies) > 1 else ""}
    context = {
        "here": "dashboard",
        "overview": shown,
        "view": view,
        "before": before(span),
        "last_day": span.last,
        "form": form,
        "presets": [(name, title, _query(range=name, **kept)) for name, title in PRESETS.items()],
        "preset": preset,
        "charts": [_drawn(chart, view) for chart in shown.charts],
        "time_zone": reporting_zone().key,
        "running": _running(view, local_day(now, reporting_zone())),
    }
    return render(request, "analytics/staff/overview.html", context, status=200 if form.is_valid() else 422)


def _span(chosen: dict[str, Any], now: datetime) -> tuple[Span, str]:
    """Return the days asked for and the preset they come from, '' for days of one's own."""
    today = local_day(now, reporting_zone())
    first: date | None = chosen.get("first")
    last: date | None = chosen.get("last")
    if first is None and last is None:
        preset = chosen.get("range") or DEFAULT_PRESET
        earliest = first_day_with_data() if preset == "all" else None
        return span_of_preset(preset, today=today, first=earliest), preset
    end = last or max(today, first or today)
    start = first or min(first_day_with_data() or end, end)
    return Span(start, end + timedelta(days=1)), ""


def _running(view: View, today: date) -> str:
    """Return a word of warning where the last period shown is not over."""
    if today not in cut(view.span, view.by)[-1]:
        return ""
    last = {By.DAY: _("The last day"), By.WEEK: _("The last week"), By.MONTH: _("The last month")}[view.by]
    return _("%(period)s is still running: it will grow.") % {"period": last}


def _query(**parameters: str) -> str:
    return "?" + urlencode({name: value for name, value in parameters.items() if value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A chart with what its script draws and where its numbers can be had as CSV."""

    chart: Chart
    by: By
    payload: dict[str, Any]
    downloads: list[tuple[str, str]]

    @property
    def id(self) -> str:
        """The id of the element that holds the payload."""
        return f"payload-{self.chart.name}"


def _drawn(chart: Chart, view: View) -> Drawn:
    by = chart.lines[0].answer.question.by
    labels = [line.answer.metric.title for line in chart.lines]
    if chart.kind == "periods":
        labels = [label_of(point.span, by) for point in chart.lines[0].answer.points]
    payload = {
        "kind": chart.kind,
        "title": chart.title,
        "labels": labels,
        "axes": list(chart.axes),
        "unit": chart.lines[0].answer.metric.unit.value,
        "lines": [line.as_json() for line in chart.lines],
    }
    downloads = [(line.answer.metric.title, _csv_address(line)) for line in chart.lines]
    return Drawn(chart=chart, by=by, payload=payload, downloads=downloads)


def _csv_address(line: Line) -> str:
    question = line.answer.question
    return reverse("analytics:csv", args=[question.metric.name]) + _query(
        **{"from": question.span.start.isoformat()},
        to=question.span.end.isoformat(),
        by=question.by.value,
        program=question.program,
        currency=question.currency,
    )


@require_safe
@staff_may(NUMBERS)
def numbers(request: HttpRequest) -> HttpResponse:
    """Explain every number in words."""
    categories: dict[str, list[Metric]] = {}
    for metric in METRICS.values():
        categories.setdefault(metric.category, []).append(metric)
    return render(request, "analytics/staff/numbers.html", {"here": "numbers", "categories": categories})


@require_safe
@staff_may(NUMBERS)
def experiments(request: HttpRequest) -> HttpResponse:
    """List the experiments that run or ran."""
    context = {"here": "experiments", "experiments": experiments_begun()}
    return render(request, "analytics/staff/experiments.html", context)


@require_safe
@staff_may(NUMBERS)
def experiment(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what came of each variant of an experiment."""
    found = get_object_or_404(experiments_begun(), slug=slug)
    context = {"here": "experiments", "result": result_of(found), "minimum": MINIMUM_EXPOSED}
    return render(request, "analytics/staff/experiment.html", context)


@require_safe
@staff_may(NUMBERS)
def metric_csv(request: HttpRequest, name: str) -> HttpResponse:
    """Give a metric as CSV, the same points as the API's."""
    form = CsvForm(request.GET)
    if not form.is_valid():
        return HttpResponse(json.dumps(form.errors), status=422, content_type="application/json")
    asked = form.cleaned_data
    try:
        wish = Wish(
            metric=metric_of(name),
            start=asked["from"],
            end=asked["to"],
            by=By(asked["by"] or By.TOTAL),
            group=asked["group"],
            program=asked["program"],
            currency=asked["currency"],
        )
        answer = answer_wish(wish=wish, at=timezone.now())
    except Refused as refusal:
        return HttpResponse(refusal.detail, status=refusal.status, content_type="text/plain; charset=utf-8")
    return _csv(answer, f"{name}-{asked['from']}-{asked['to']}.csv")


def _csv(answer: Answer, filename: str) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    writer = csv.writer(response)
    writer.writerow([*COLUMNS, "unit", "currency"])
    for point in answer.points:
        told = answer.point_as_json(point)
        low, high = told.pop("interval") or ("", "")
        row = {**told, "interval_low": low, "interval_high": high}
        writer.writerow([*(_cell(row[column]) for column in COLUMNS), answer.metric.unit.value, answer.currency or ""])
    return response


def _cell(value: object) -> object:
    """Return what a spreadsheet reads: words for truth, nothing for null, and no text that it would compute."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else safe_cell(value)
