"""Answering questions about metrics with numbers that hold everything accepted so far."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from analytics.metrics import Metric
from analytics.queries.collecting import reporting_zone
from analytics.queries.reading import Answer, first_day_with_data, read_metric
from analytics.questions import Question, check_question
from analytics.services.rollups import bring_up_to_date
from analytics.spans import By, Span
from core.errors import Invalid
from core.periods import local_day
from referrals.models import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A question as it was asked: a missing `start` means since the first fact, a missing `end` through today."""

    metric: Metric
    start: date | None = None
    end: date | None = None
    by: By = By.TOTAL
    group: str = ""
    program: str = ""
    currency: str = ""


def answer_wish(*, wish: Wish, at: datetime) -> Answer:
    """Return the answer, counted up to date first; refused with 422 where the question makes no sense."""
    tomorrow = local_day(at, reporting_zone()) + timedelta(days=1)
    end = wish.end or tomorrow
    start = wish.start or end - timedelta(days=1)
    question = Question(
        metric=wish.metric,
        span=Span(start, end),
        by=wish.by,
        group=wish.group,
        program=wish.program,
        currency=wish.currency,
    )
    check_question(question)
    if question.program and not Program.objects.filter(slug=question.program).exists():
        raise Invalid(f"there is no program {question.program!r}", pointer="/program")
    complete_through = bring_up_to_date(at=at)
    if wish.start is None:
        first = min(first_day_with_data() or start, start)
        question = check_question(replace(question, span=Span(first, end)))
    return read_metric(question, at=at, complete_through=complete_through)
