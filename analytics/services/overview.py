"""What the staff's overview shows: tiles with their change, charts with the table behind each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from analytics.metrics import METRICS, Metric, Unit
from analytics.queries.reading import Answer, Point, currencies_between, first_day_with_data, read_metric
from analytics.questions import Question
from analytics.spans import By, Span, before
from core.money import to_units
from referrals.models import Placement, Program

TILES = (
    "revenue_net",
    "orders",
    "new_customers",
    "customers",
    "clicks",
    "signups_referred",
    "referrals_qualified",
    "referral_share",
    "referrer_participation",
    "points_granted",
    "nps",
)
PLACED = ("offer_views", "offer_opens", "shares", "clicks")
_SHORT_DAYS, _LONG_DAYS = 45, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the page is asked to show."""

    span: Span
    program: str = ""
    currency: str = ""

    @property
    def by(self) -> By:
        """Days for a short range, weeks for a longer one, else months."""
        if self.span.days <= _SHORT_DAYS:
            return By.DAY
        return By.WEEK if self.span.days <= _LONG_DAYS else By.MONTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One number with what it was in the period before, of the same length."""

    metric: Metric
    currency: str | None
    point: Point
    earlier: Point | None

    @property
    def change(self) -> float | None:
        """By how much it moved: a part of what it was (0.12), or a plain difference for ratios and scores."""
        now, then = self.point.value, self.earlier.value if self.earlier else None
        if now is None or then is None:
            return None
        if self.metric.unit in (Unit.RATIO, Unit.SCORE):
            return now - then
        return (now - then) / abs(then) if then else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of points in a chart."""

    answer: Answer
    shape: str = "bar"
    axis: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the points as plain numbers, for drawing only."""
        return {
            "name": self.answer.metric.title,
            "shape": self.shape,
            "axis": self.axis,
            "values": [_drawn(self.answer, point.value) for point in self.answer.points],
            "bands": [point.interval for point in self.answer.points],
            "enough": [point.enough for point in self.answer.points],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart with its words; `lines` share their periods, and the table behind it shows the same points."""

    name: str
    title: str
    kind: str = "periods"
    axes: Sequence[str]
    lines: Sequence[Line]
    observed: str
    empty: tuple[str, str]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(point.value or point.denominator for line in self.lines for point in line.answer.points)

    def rows(self) -> list[tuple[Span, list[tuple[Line, Point]]]]:
        """Return the table's rows: a period with the point of each line."""
        periods = zip(*(line.answer.points for line in self.lines), strict=True)
        return [(points[0].span, list(zip(self.lines, points, strict=True))) for points in periods]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementRow:
    """What came of the offer in one place, each number counted on its own days."""

    title: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All of the page."""

    view: View
    tiles: Sequence[Tile]
    charts: Sequence[Chart]
    placements: Sequence[PlacementRow]
    currencies: Sequence[str]
    complete_through: date | None
    is_empty: bool


def _drawn(answer: Answer, value: float | None) -> float | None:
    if value is None or answer.metric.unit is not Unit.MONEY or not answer.currency:
        return value
    return float(to_units(int(value), answer.currency))


def build_overview(*, view: View, complete_through: date | None, at: datetime) -> Overview:
    """Return the overview from what is counted; of several currencies the view's, else the first."""
    currencies = currencies_between()
    if currencies and view.currency not in currencies:
        view = replace(view, currency=currencies[0])

    def ask(name: str, *, span: Span | None = None, by: By = By.TOTAL, group: str = "") -> Answer:
        metric = METRICS[name]
        question = Question(
            metric=metric,
            span=span or view.span,
            by=by,
            group=group,
            program=view.program if "program" in metric.groups else "",
            currency=view.currency if metric.unit is Unit.MONEY else "",
        )
        return read_metric(question, at=at, complete_through=complete_through)

    tiles = [_tile(ask(name), ask(name, span=before(view.span))) for name in TILES]
    return Overview(
        view=view,
        tiles=tiles,
        charts=[make(ask, view) for make in CHARTS],
        placements=placement_rows(ask),
        currencies=currencies,
        complete_through=complete_through,
        is_empty=first_day_with_data() is None,
    )


def _tile(now: Answer, then: Answer) -> Tile:
    return Tile(metric=now.metric, currency=now.currency, point=now.points[0], earlier=then.points[0])


Asker = Callable[..., Answer]


def _every(by: By) -> str:
    return {By.DAY: _("by day"), By.WEEK: _("by week"), By.MONTH: _("by month")}[by]


def _counted(points: Iterable[Point], *, denominators: bool = False) -> str:
    total = sum(int((point.denominator if denominators else point.value) or 0) for point in points)
    return number_format(total, force_grouping=True)


def revenue_chart(ask: Asker, view: View) -> Chart:
    """Return net revenue as bars with the orders as a line."""
    revenue, orders = ask("revenue_net", by=view.by), ask("orders", by=view.by)
    return Chart(
        name="revenue",
        title=_("Net revenue and orders %(by)s") % {"by": _every(view.by)},
        axes=[revenue.currency or "", _("orders")],
        lines=[Line(answer=revenue), Line(answer=orders, shape="line", axis=1)],
        observed=_("%(n)s orders") % {"n": _counted(orders.points)},
        empty=(_("No purchases in these days"), _("Send purchases to the API, or import a file with import_events.")),
    )


def customers_chart(ask: Asker, view: View) -> Chart:
    """Return the new customers as bars."""
    new = ask("new_customers", by=view.by)
    return Chart(
        name="new-customers",
        title=_("New customers %(by)s") % {"by": _every(view.by)},
        axes=[_("people")],
        lines=[Line(answer=new)],
        observed=_("%(n)s people") % {"n": _counted(new.points)},
        empty=(_("Nobody bought for the first time"), _("Choose more days, or report purchases from before them.")),
    )


def funnel_chart(ask: Asker, view: View) -> Chart:
    """Return the stages from the offer's being seen to a qualified referral, each counted on its own days."""
    stages = [ask(name) for name in ("offer_views", "shares", "clicks", "signups_referred", "referrals_qualified")]
    return Chart(
        name="funnel",
        title=_("From offer view to qualified referral"),
        kind="stages",
        axes=[_("count, each on its own days")],
        lines=[Line(answer=stage) for stage in stages],
        observed=_("%(n)s clicks") % {"n": _counted(stages[2].points)},
        empty=(_("No clicks on share links"), _("Mail your customers their link, or show it after the checkout.")),
    )


def placement_rows(ask: Asker) -> list[PlacementRow]:
    """Return what came of the offer in every place where there was something, the busiest first."""
    found: dict[str, list[int]] = {}
    for column, name in enumerate(PLACED):
        for point in ask(name, group="placement").points:
            found.setdefault(point.group or "", [0] * len(PLACED))[column] = point.numerator
    titles = dict(Placement.choices)
    busiest = sorted(found.items(), key=lambda item: (tuple(-count for count in item[1]), item[0]))
    return [
        PlacementRow(title=titles.get(placement, "not known"), counts=tuple(counts))
        for placement, counts in busiest
        if any(counts)
    ]


def share_chart(ask: Asker, view: View) -> Chart:
    """Return the share of purchases that referred friends made."""
    share = ask("referral_share", by=view.by)
    return Chart(
        name="referral-share",
        title=_("Share of orders from referred friends %(by)s") % {"by": _every(view.by)},
        axes=["%"],
        lines=[Line(answer=share, shape="line")],
        observed=_("%(n)s orders, band: 95 %% interval") % {"n": _counted(share.points, denominators=True)},
        empty=(_("No orders in these days"), _("The share appears with the first purchases.")),
    )


def nps_chart(ask: Asker, view: View) -> Chart:
    """Return the Net Promoter Score."""
    by = By.MONTH if view.by is By.MONTH else By.WEEK
    score = ask("nps", by=by)
    return Chart(
        name="nps",
        title=_("Net Promoter Score %(by)s") % {"by": _every(by)},
        axes=[_("points, −100 to 100")],
        lines=[Line(answer=score, shape="line")],
        observed=_("%(n)s answers, band: 95 %% interval") % {"n": _counted(score.points, denominators=True)},
        empty=(_("No confirmed answers in these days"), _("Invite customers to the survey: answers appear at once.")),
    )


CHARTS: tuple[Callable[[Asker, View], Chart], ...] = (
    revenue_chart,
    customers_chart,
    funnel_chart,
    share_chart,
    nps_chart,
)


def programs_to_choose() -> QuerySet[Program]:
    """Return the programs that numbers can be kept to."""
    return Program.objects.order_by("name")
