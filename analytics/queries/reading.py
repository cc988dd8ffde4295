"""Reading metrics: periods and groups put together from daily values and person days."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.db.models import Sum as Total

from analytics.metrics import Answers, Metric, People, Running, Share, Sum, Unit
from analytics.models import DailyValue, PersonDay
from analytics.queries.collecting import with_local_day
from analytics.questions import NotMeaningful, Question
from analytics.spans import By, Span, cut, period_start
from analytics.statistics import is_enough
from core.money import to_text
from core.proportions import wilson_interval
from surveys.models import Response
from surveys.scoring import nps_interval, nps_of, tally_of

STORED_GROUPS = ("channel", "placement", "variant")
Cell = tuple[date, str]
Cells = dict[Cell, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One period of one group. Money is in minor units; `numerator` is the value itself where nothing is divided."""

    span: Span
    group: str | None
    value: int | float | None
    numerator: int
    denominator: int | None = None
    interval: tuple[float, float] | None = None
    enough: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A question with its points in order of time, then group."""

    question: Question
    currency: str | None
    as_of: datetime
    complete_through: date | None
    points: tuple[Point, ...]

    @property
    def metric(self) -> Metric:
        """The metric asked for."""
        return self.question.metric

    def text_of(self, value: int | float | None) -> str | int | float | None:
        """Return a value as the API tells it: money as a decimal string, everything else as a number."""
        if value is None or self.metric.unit is not Unit.MONEY:
            return value
        return to_text(int(value), self.currency) if self.currency else str(value)

    def as_json(self) -> dict[str, Any]:
        """Return the answer in the words of the API."""
        return {
            "metric": self.metric.name,
            "unit": self.metric.unit.value,
            "currency": self.currency,
            "time_zone": settings.TIME_ZONE,
            "as_of": self.as_of,
            "complete_through": self.complete_through,
            "points": [self.point_as_json(point) for point in self.points],
        }

    def point_as_json(self, point: Point) -> dict[str, Any]:
        """Return one point in the words of the API."""
        return {
            "from": point.span.start,
            "to": point.span.end,
            "group": point.group,
            "value": self.text_of(point.value),
            "numerator": self.text_of(point.numerator),
            "denominator": point.denominator,
            "interval": list(point.interval) if point.interval else None,
            "enough": point.enough,
        }


def read_metric(question: Question, *, at: datetime, complete_through: date | None) -> Answer:
    """Return what the rollups hold about the question; `Invalid` where several currencies would be added."""
    currency = currency_of(question) if question.metric.unit is Unit.MONEY else None
    points = _READERS[type(question.metric.collector)](question, currency or question.currency)
    return Answer(
        question=question, currency=currency, as_of=at, complete_through=complete_through, points=tuple(points)
    )


def currencies_between(span: Span | None = None) -> list[str]:
    """Return the currencies in which something was bought, in the span or ever."""
    rows = DailyValue.objects.filter(series="revenue_gross", group_kind="").exclude(currency="")
    if span is not None:
        rows = DailyValue.objects.filter(series__in=["revenue_gross", "refunds"], group_kind="").exclude(currency="")
        rows = rows.filter(day__gte=span.start, day__lt=span.end)
    return sorted(rows.order_by().values_list("currency", flat=True).distinct())


def currency_of(question: Question) -> str | None:
    """Return the currency asked for, or the only one there is; `NotMeaningful` (422) if there are several."""
    if question.currency:
        return question.currency
    present = currencies_between(question.span)
    if len(present) > 1:
        raise NotMeaningful(f"there is money in {', '.join(present)}; name one with `currency`", pointer="/currency")
    if not present:
        present = currencies_between()
    return present[0] if len(present) == 1 else None


def first_day_with_data() -> date | None:
    """Return the earliest day about which anything is known."""
    day = DailyValue.objects.order_by("day").values_list("day", flat=True).first()
    rows = with_local_day(Response.objects.filter(state=Response.State.CONFIRMED), "at").order_by("at")
    answer = rows.values_list("local_day", flat=True).first()
    return min((found for found in (day, answer) if found is not None), default=None)


def _rows(question: Question, *series: str, whole: bool = False) -> QuerySet[DailyValue]:
    """Return the daily values asked for; `whole` ones belong to no program even where the question names one."""
    kind = question.group if question.group in STORED_GROUPS else ""
    rows = DailyValue.objects.filter(series__in=series, group_kind=kind)
    if whole or not (question.program or question.group == "program"):
        return rows.filter(program="")
    return rows.filter(program=question.program) if question.program else rows.exclude(program="")


def _group_column(question: Question, *, whole: bool = False) -> str:
    return "program" if question.group == "program" and not whole else "group_value"


def _start(question: Question, day: date) -> date:
    """Return the start of the period of the question that the day is in."""
    if question.by is By.TOTAL:
        return question.span.start
    return max(period_start(day, question.by), question.span.start)


def _cells(question: Question, series: str, currency: str = "", *, minus: str = "", whole: bool = False) -> Cells:
    """Return the sum of the series, less that of `minus`, by start of period and group."""
    span = question.span
    rows = _rows(question, series, *([minus] if minus else []), whole=whole).filter(
        day__gte=span.start, day__lt=span.end
    )
    if currency:
        rows = rows.filter(currency=currency)
    cells: Cells = defaultdict(int)
    group = _group_column(question, whole=whole)
    columns = ("series", group) if question.by is By.TOTAL else ("series", group, "day")
    for name, part, *day, total in rows.order_by().values_list(*columns).annotate(total=Total("value")):
        start = _start(question, day[0]) if day else span.start
        cells[start, part] += -total if name == minus else total
    return cells


def _groups(question: Question, *tables: Mapping[Cell, object]) -> list[str]:
    if not question.group:
        return [""]
    return sorted({group for table in tables for _, group in table})


def _told(question: Question, group: str) -> str | None:
    return group if question.group else None


def _read_sum(question: Question, currency: str) -> list[Point]:
    collector = question.metric.collector
    assert isinstance(collector, Sum)  # noqa: S101 - chosen by this very type
    cells = _cells(question, collector.plus, currency, minus=collector.minus)
    return [
        Point(span=span, group=_told(question, group), value=total, numerator=total)
        for span in cut(question.span, question.by)
        for group in _groups(question, cells)
        for total in [cells.get((span.start, group), 0)]
    ]


def _read_running(question: Question, currency: str) -> list[Point]:
    collector = question.metric.collector
    assert isinstance(collector, Running)  # noqa: S101 - chosen by this very type
    earlier = _rows(question, collector.series).filter(day__lt=question.span.start).order_by()
    so_far = dict(earlier.values_list(_group_column(question)).annotate(total=Total("value")))
    cells = _cells(question, collector.series)
    groups = sorted({*so_far, *_groups(question, cells)}) if question.group else [""]
    points = []
    for span in cut(question.span, question.by):
        for group in groups:
            so_far[group] = so_far.get(group, 0) + cells.get((span.start, group), 0)
            total = so_far[group]
            points.append(Point(span=span, group=_told(question, group), value=total, numerator=total))
    return points


def _read_share(question: Question, currency: str) -> list[Point]:
    collector = question.metric.collector
    assert isinstance(collector, Share)  # noqa: S101 - chosen by this very type
    parts = _cells(question, collector.numerator)
    whole = _cells(question, collector.denominator, whole=True)
    groups = _groups(question, parts) if question.group == "program" else _groups(question, parts, whole)
    of_whole = (lambda group: "") if question.group == "program" else (lambda group: group)
    return [
        _ratio_point(
            question, span, group, parts.get((span.start, group), 0), whole.get((span.start, of_whole(group)), 0)
        )
        for span in cut(question.span, question.by)
        for group in groups
    ]


def _ratio_point(question: Question, span: Span, group: str, part: int, whole: int) -> Point:
    interval = wilson_interval(part, whole)
    return Point(
        span=span,
        group=_told(question, group),
        value=part / whole if whole else None,
        numerator=part,
        denominator=whole,
        interval=(round(interval[0], 6), round(interval[1], 6)) if interval else None,
        enough=is_enough(part, whole, minimum=question.metric.minimum_n),
    )


def _read_people(question: Question, currency: str) -> list[Point]:
    collector = question.metric.collector
    assert isinstance(collector, People)  # noqa: S101 - chosen by this very type
    rows = PersonDay.objects.filter(kind=collector.numerator)
    if question.program:
        rows = rows.filter(program=question.program)
    parts = _people(question, rows, "program" if question.group == "program" else "")
    whole = _people(question, PersonDay.objects.filter(kind=collector.denominator), "")
    return [
        _ratio_point(question, span, group, parts.get((span.start, group), 0), whole.get((span.start, ""), 0))
        for span in cut(question.span, question.by)
        for group in _groups(question, parts)
    ]


def _people(question: Question, rows: QuerySet[PersonDay], group: str) -> Cells:
    """Return how many distinct people the rows name, by start of period and group."""
    span = question.span
    rows = rows.filter(day__gte=span.start, day__lt=span.end).order_by()
    if question.by is By.TOTAL:
        if not group:
            return {(span.start, ""): rows.aggregate(people=Count("customer", distinct=True))["people"]}
        counts = rows.values_list(group).annotate(people=Count("customer", distinct=True))
        return {(span.start, name): people for name, people in counts}
    people: dict[Cell, set[int]] = defaultdict(set)
    columns = ("day", "customer_id", group or "kind")
    for day, customer, name in rows.values_list(*columns).distinct():
        people[_start(question, day), name if group else ""].add(customer)
    return {cell: len(found) for cell, found in people.items()}


def _read_answers(question: Question, currency: str) -> list[Point]:
    """Read the answers themselves: the latest of each person counts, which no daily number can tell."""
    collector = question.metric.collector
    assert isinstance(collector, Answers)  # noqa: S101 - chosen by this very type
    confirmed = Response.objects.filter(kind=collector.kind, state=Response.State.CONFIRMED, score__isnull=False)
    latest: dict[date, dict[int, int]] = defaultdict(dict)
    rows = with_local_day(confirmed, "at", question.span).order_by("at", "pk")
    for day, customer, score in rows.values_list("local_day", "customer_id", "score"):
        latest[_start(question, day)][customer] = score
    points = []
    for span in cut(question.span, question.by):
        counts: dict[int, int] = defaultdict(int)
        for score in latest[span.start].values():
            counts[score] += 1
        tally = tally_of(counts)
        points.append(
            Point(
                span=span,
                group=None,
                value=nps_of(tally),
                numerator=tally.promoters - tally.detractors,
                denominator=tally.n,
                interval=nps_interval(tally),
                enough=tally.n >= question.metric.minimum_n,
            )
        )
    return points


_READERS = {
    Sum: _read_sum,
    Running: _read_running,
    Share: _read_share,
    People: _read_people,
    Answers: _read_answers,
}
