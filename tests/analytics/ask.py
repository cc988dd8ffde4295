"""Asking for metrics in one line."""

from datetime import date
from typing import Any

from django.utils import timezone

from analytics.queries.reading import Answer
from analytics.questions import metric_of
from analytics.services.answers import Wish, answer_wish
from analytics.spans import By


def ask(name: str, start: str = "2026-03-01", end: str = "2026-04-01", **wish) -> Answer:
    by = By(wish.pop("by", "total"))
    span: dict[str, Any] = {"start": date.fromisoformat(start), "end": date.fromisoformat(end)}
    return answer_wish(wish=Wish(metric=metric_of(name), by=by, **span, **wish), at=timezone.now())


def values(name: str, *args, **wish) -> list:
    answer = ask(name, *args, **wish)
    return [answer.text_of(point.value) for point in answer.points]


def grouped(name: str, *args, **wish) -> dict:
    answer = ask(name, *args, **wish)
    return {point.group: answer.text_of(point.value) for point in answer.points}
