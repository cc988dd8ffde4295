"""Many facts at once, from a file: all or nothing, or all that are right."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from core.errors import Refused
from referrals.facts import fact_from_json
from referrals.services.batches import record_events

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """How many facts are new, how many were known, and which (by their place) were refused why."""

    recorded: int
    known: int
    refusals: tuple[tuple[int, Refused], ...]


class _Undone(Exception):
    """Undoes an import in which a fact was refused."""


def import_facts(
    *,
    bodies: Sequence[object],
    at: datetime,
    source: str,
    skip_errors: bool = False,
    on_progress: Callable[[int], object] = lambda done: None,
) -> Imported:
    """Record JSON facts in their order, exactly as if they had come one by one.

    Where one is refused nothing at all is stored, unless `skip_errors`: then all others are, chunk by
    chunk, so that an interrupted import may simply be run again. `on_progress` is told how many are done.
    """
    refusals = [] if skip_errors else check_facts(bodies=bodies, at=at)
    if refusals:
        return Imported(0, 0, tuple(refusals))
    recorded = known = 0
    try:
        with nullcontext() if skip_errors else transaction.atomic():
            for start in range(0, len(bodies), CHUNK):
                results = _record_chunk(bodies[start : start + CHUNK], at, source)
                for place, (event_known, refusal) in enumerate(results, start=start):
                    recorded += refusal is None and not event_known
                    known += refusal is None and event_known
                    refusals += [] if refusal is None else [(place, refusal)]
                on_progress(start + len(results))
            if refusals and not skip_errors:
                raise _Undone
    except _Undone:
        return Imported(0, 0, tuple(refusals))
    return Imported(recorded, known, tuple(refusals))


@transaction.atomic
def _record_chunk(bodies: Sequence[object], at: datetime, source: str) -> list[tuple[bool, Refused | None]]:
    results = record_events(facts=bodies, at=at, source=source)
    return [(result.duplicate, result.refusal) for result in results]


def check_facts(*, bodies: Sequence[object], at: datetime) -> list[tuple[int, Refused]]:
    """Return which facts, by their place, could not be recorded as they stand, and why; record nothing."""
    refusals: list[tuple[int, Refused]] = []
    for place, body in enumerate(bodies):
        try:
            fact_from_json(body, now=at)
        except Refused as refusal:
            refusals.append((place, refusal))
    return refusals
