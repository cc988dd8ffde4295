"""Which evidence of an event names the advocate. Pure values."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A human click: its key, moment and the link it visited."""

    pk: int
    at: datetime
    link_pk: int


def credited_visit(visits: Iterable[Visit], *, model: str, window_days: int, at: datetime) -> tuple[Visit, bool] | None:
    """Return the click that the model credits for an event at `at`, and whether it lies in the window.

    `first_touch` takes the visitor's earliest click in the window, `last_touch` the latest before the
    event; the instant exactly `window_days` later is still inside. Without one inside, the latest before
    the event is returned as outside; None if there is none before the event.
    """
    before = sorted((visit for visit in visits if visit.at <= at), key=lambda visit: (visit.at, visit.pk))
    if not before:
        return None
    inside = [visit for visit in before if at - visit.at <= timedelta(days=window_days)]
    if not inside:
        return before[-1], False
    return (inside[0] if model == "first_touch" else inside[-1]), True
