"""The worker's part: rows are checked, imported and undone in chunks; a worker that dies loses and doubles none."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.doorbell import ring_on_commit
from core.errors import Refused
from core.retrying import with_retries
from rewards.importing.rows import Problem, Told
from rewards.models import HistoryImport, HistoryRow
from rewards.services.importing.applying import CHANGED, CHANGES, NEW, REFUSED, apply_row, blank_row, column_of
from rewards.services.importing.undoing import KEPT, UNDONE, undo_row
from rewards.services.importing.uploads import KEPT as KEPT_FOR
from rewards.services.importing.uploads import TASK, in_pages, read_rows

LEASE = timedelta(minutes=5)
CHUNK = 50
SLICE = timedelta(seconds=20)
"""How long one call works on a file before other work has its turn."""
_State = HistoryImport.State
_Row = HistoryRow.State
_UNDO = ("state", "undo", "undo_points", "message", "key", "customer")
Work = tuple[HistoryRow, Told | Problem | None]


class _Stopped(Exception):
    """Somebody else has taken the import over, or it was stopped at a wrong row."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """What the worker does at a stage: of which rows, what, whether that stays, and where the import is then."""

    rows: Callable[[HistoryImport], Iterator[Work]]
    work: Callable[[HistoryImport, Work, datetime], None]
    stays: bool
    then: str
    report: tuple[str, ...]


def run_imports(*, at: datetime) -> int:
    """Do the stages that wait, and those whose worker died, for a while; return how many were worked on.

    What is left waits for the next call, so that a long file does not keep other due work from being done.
    """
    count = 0
    while (history := _claim(HistoryImport.objects.all())) is not None:
        count += 1
        if not _run(history, at):
            break
    return count


def run_import(*, history: HistoryImport, at: datetime) -> HistoryImport:
    """Do what one import waits for, here and now, until it waits for nothing; return it as it is then."""
    mine = HistoryImport.objects.filter(pk=history.pk)
    while (taken := _claim(mine)) is not None:
        _run(taken, at)
    history.refresh_from_db()
    return history


def _claim(imports: QuerySet[HistoryImport]) -> HistoryImport | None:
    waiting = imports.filter(state__in=HistoryImport.WORKING, due_at__lte=timezone.now())
    for found in waiting.select_related("program").order_by("pk")[:5]:
        same = HistoryImport.objects.filter(pk=found.pk, state=found.state, due_at=found.due_at)
        if same.update(due_at=timezone.now() + LEASE) == 1:
            return found
    return None


def _run(history: HistoryImport, at: datetime) -> bool:
    """Go through the rows of the stage and keep what came of it; False where the time was up before the rows were.

    A bug stops it and is told; it is taken up again an hour later.
    """
    stage = _STAGES[history.state]
    here = HistoryImport.objects.filter(pk=history.pk, state=history.state)
    done, until = history.total - sum(1 for _ in stage.rows(history)), time.monotonic() + SLICE.total_seconds()
    try:
        _stop_at_wrong_row(history, at)
        for chunk in _chunks(stage.rows(history)):
            with_retries(partial(_do_chunk, history, stage, chunk, at))
            done += len(chunk)
            is_up = time.monotonic() > until
            if here.update(done=done, due_at=timezone.now() + (timedelta() if is_up else LEASE)) != 1:
                return True
            _stop_at_wrong_row(history, at)
            if is_up:
                ring_on_commit(TASK)
                return False
    except _Stopped:
        return True
    except Exception as error:
        told = f"{type(error).__name__}: {error}"[:500]
        here.update(error=told, due_at=timezone.now() + timedelta(hours=1))
        raise
    now = timezone.now()
    here.update(
        state=stage.then, done=history.total, result=_result(history), finished_at=now, forget_at=now + KEPT_FOR
    )
    return True


def _chunks(rows: Iterator[Work]) -> Iterator[list[Work]]:
    chunk: list[Work] = []
    for one in rows:
        chunk.append(one)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _do_chunk(history: HistoryImport, stage: _Stage, chunk: Sequence[Work], at: datetime) -> None:
    """Do a chunk in one transaction; where nothing is to stay it is rolled back, and only the report is kept."""
    if stage.stays:
        with transaction.atomic():
            for one in chunk:
                stage.work(history, one, at)
        return
    with transaction.atomic():
        for one in chunk:
            stage.work(history, one, at)
        transaction.set_rollback(True)
    report = [row for row, _ in chunk]
    HistoryRow.objects.bulk_update(report, stage.report)


def _import_one(history: HistoryImport, one: Work, at: datetime) -> None:
    row, told = one
    if not _take(row, _Row.WAITING, _Row.DONE):
        return
    try:
        if isinstance(told, Told):
            apply_row(row, told, history, at=at)
        else:
            _refuse(row, told.column if told else "", told.message if told else "", history)
    except Refused as refusal:
        detail = refusal.errors[0][1] if refusal.errors else refusal.detail
        _refuse(row, column_of(refusal, history.kind), detail, history)


def _refuse(row: HistoryRow, column: str, message: str, history: HistoryImport) -> None:
    theirs = {ours: name for name, ours in history.columns.items()}
    blank_row(row)
    row.state, row.outcome = _Row.REFUSED, REFUSED
    row.column, row.message = theirs.get(column, column)[:200], message[:300]
    row.save(update_fields=CHANGES)


def _undo_one(history: HistoryImport, one: Work, at: datetime) -> None:
    row, _ = one
    if not _take(row, _Row.DONE, _Row.UNDONE):
        return
    undone = undo_row(row, history, at=at)
    row.undo, row.undo_points, row.message = (UNDONE if undone.all_of_it else KEPT), undone.points, undone.why[:300]
    row.state = _Row.UNDONE if undone.all_of_it else _Row.KEPT
    row.key = "" if undone.all_of_it else row.key
    row.save(update_fields=_UNDO)


def _take(row: HistoryRow, before: str, after: str) -> bool:
    """Take a row in the transaction that does it: of two workers one gets it, and one that dies gives it back."""
    if HistoryRow.objects.filter(pk=row.pk, state=before).update(state=after) != 1:
        return False
    row.state = _Row(after)
    return True


def _stop_at_wrong_row(history: HistoryImport, at: datetime) -> None:
    """Have everything undone where a row turned out wrong that was right when it was checked: all or nothing.

    Also where the worker that met it died before it could stop.
    """
    if history.state != _State.RUNNING or history.skip_errors:
        return
    wrong = history.rows.filter(state=_Row.REFUSED).order_by("line").first()
    if wrong is None:
        return
    told = f"line {wrong.line}: {f'column {wrong.column}: ' if wrong.column else ''}{wrong.message}"
    HistoryImport.objects.filter(pk=history.pk, state=_State.RUNNING).update(
        state=_State.UNDOING, undo_reason=f"stopped at {told}"[:200], error=told, due_at=at, done=0
    )
    raise _Stopped


def _unchecked_rows(history: HistoryImport) -> Iterator[Work]:
    return (one for one in read_rows(history) if not one[0].outcome)


def _waiting_rows(history: HistoryImport) -> Iterator[Work]:
    return (one for one in read_rows(history) if one[0].state == _Row.WAITING)


def _done_rows(history: HistoryImport) -> Iterator[Work]:
    """Yield what the import did, the last first."""
    rows = history.rows.filter(state=_Row.DONE, outcome__in=(NEW, CHANGED))
    related = ("customer", "referral", "transfer__credit")
    yield from ((row, None) for row in in_pages(rows.select_related(*related), backwards=True))


def _rows_to_look_at(history: HistoryImport) -> Iterator[Work]:
    return (one for one in _done_rows(history) if not one[0].undo)


def _result(history: HistoryImport) -> dict[str, int]:
    """Return how many rows came out how, and the points that were given and taken back."""
    rows = list(history.rows.values_list("outcome", "undo", "points", "undo_points"))
    counts = Counter(word for outcome, undo, *_ in rows for word in (outcome, undo) if word)
    return {**counts, "points": sum(row[2] for row in rows), "points_back": sum(row[3] for row in rows)}


_IMPORTED = ("outcome", "column", "message", "points")
_STAGES: dict[str, _Stage] = {
    _State.CHECKING: _Stage(_unchecked_rows, _import_one, stays=False, then=_State.CHECKED, report=_IMPORTED),
    _State.RUNNING: _Stage(_waiting_rows, _import_one, stays=True, then=_State.DONE, report=()),
    _State.UNDO_CHECKING: _Stage(
        _rows_to_look_at, _undo_one, stays=False, then=_State.UNDO_CHECKED, report=("undo", "undo_points", "message")
    ),
    _State.UNDOING: _Stage(_done_rows, _undo_one, stays=True, then=_State.UNDONE, report=()),
}
