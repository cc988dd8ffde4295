"""What can be asked of a metric, and what cannot, with the reason."""

from dataclasses import dataclass
from datetime import date

from analytics.metrics import METRICS, Metric
from analytics.spans import By, Span
from core.errors import Invalid, NotFound
from core.money import exponent_of

FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2200, 1, 1)
MAX_PERIODS = 4000
_DAYS_A_PERIOD = {By.DAY: 1, By.WEEK: 7, By.MONTH: 28}


class UnknownMetric(NotFound):
    """There is no metric of that name."""

    code = "unknown_metric"


class NotMeaningful(Invalid):
    """The metric cannot be split, filtered or counted that way."""

    code = "not_meaningful"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One metric over whole days, cut into periods, perhaps split into groups or kept to one program."""

    metric: Metric
    span: Span
    by: By = By.TOTAL
    group: str = ""
    program: str = ""
    currency: str = ""


def metric_of(name: str) -> Metric:
    """Return the metric; `UnknownMetric` (404) if there is none."""
    if name not in METRICS:
        raise UnknownMetric(f"There is no metric {name!r}; GET /api/v1/metrics lists them all.")
    return METRICS[name]


def check_question(question: Question) -> Question:
    """Return the question; `Invalid` (422) with the parameter at fault where it makes no sense."""
    _check_span(question)
    metric = question.metric
    if question.group and question.group not in metric.groups:
        raise NotMeaningful(f"{metric.name} cannot be split by {question.group}; {_allowed(metric)}", pointer="/group")
    if question.program and "program" not in metric.groups:
        raise NotMeaningful(f"{metric.name} belongs to no program", pointer="/program")
    if question.currency:
        if not metric.takes_currency:
            raise NotMeaningful(f"{metric.name} has no currency", pointer="/currency")
        _check_currency(question.currency)
    return question


def _check_span(question: Question) -> None:
    span = question.span
    if span.start < FIRST_DAY or span.end > LAST_DAY:
        where = "/from" if span.start < FIRST_DAY else "/to"
        raise Invalid(f"days lie between {FIRST_DAY} and {LAST_DAY}", pointer=where)
    if span.end <= span.start:
        raise Invalid("`to` is exclusive and must be later than `from`", pointer="/to")
    if span.days / _DAYS_A_PERIOD.get(question.by, span.days) > MAX_PERIODS:
        raise Invalid(f"more than {MAX_PERIODS} periods; ask for longer ones or a shorter range", pointer="/by")


def _check_currency(currency: str) -> None:
    try:
        exponent_of(currency)
    except Invalid as error:
        raise Invalid(error.detail, pointer="/currency") from None


def _allowed(metric: Metric) -> str:
    return f"allowed: {', '.join(metric.groups)}" if metric.groups else "it cannot be split at all"
