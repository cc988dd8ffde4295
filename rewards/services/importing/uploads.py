"""A file is kept with its rows; its columns are chosen, or remembered from the last file with the same header."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from core.doorbell import ring_on_commit
from core.errors import Invalid, Refused
from referrals.models import Program
from rewards.importing.columns import REFERRALS, guess_columns, header_key, mapping_problems
from rewards.importing.reading import Upload, read_upload
from rewards.importing.rows import FORMATS, Problem, Reader, Reading, Told, guess_format
from rewards.models import HistoryImport, HistoryRow

TASK = "rewards.tasks.run_imports"
KEPT = timedelta(days=30)
COMMAND = "command line"
"""The actor of what whoever rules the machine itself imports."""
SAMPLE = 200
PAGE = 500
_State = HistoryImport.State


class WrongStage(Refused):
    """The import is at another stage; the detail names it."""

    code = "wrong_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChoice:
    """How a file is read: the file's columns -> ours, what is the same in all rows, the format of its days."""

    columns: Mapping[str, str]
    constants: Mapping[str, str] = field(default_factory=dict)
    date_format: str = "iso"


@transaction.atomic
def upload_history(
    *, kind: str, program: Program | None, file_name: str, raw: bytes, asked_by: User | None, actor: str, at: datetime
) -> HistoryImport:
    """Keep the file with a guess of its columns, or those chosen last for such a header; raises `FileRefused`."""
    if kind not in HistoryImport.Kind.values:
        raise Invalid(f"expected one of {', '.join(HistoryImport.Kind.values)}", pointer="/kind")
    if kind == REFERRALS and program is None:
        raise Invalid("expected the program of the referrals", pointer="/program")
    upload = read_upload(raw)
    mapping = _remembered(kind, upload) or _guessed(kind, upload)
    history = HistoryImport.objects.create(
        kind=kind,
        program=program,
        file_name=file_name[:200],
        header=list(upload.header),
        header_key=header_key(upload.header),
        columns=dict(mapping.columns),
        constants=dict(mapping.constants),
        date_format=mapping.date_format,
        total=len(upload.rows),
        actor=actor[:100],
        asked_by=asked_by,
        asked_at=at,
        forget_at=at + KEPT,
    )
    rows = (
        HistoryRow(history=history, line=row.line, cells=cells_text(row.cells), problem=row.problem[:200])
        for row in upload.rows
    )
    HistoryRow.objects.bulk_create(rows, batch_size=1000)
    return history


def _remembered(kind: str, upload: Upload) -> ColumnChoice | None:
    """Return how the last file with this header was read, by its names of the columns, or None."""
    same = HistoryImport.objects.filter(kind=kind, header_key=header_key(upload.header)).exclude(state=_State.DRAFT)
    last = same.order_by("-pk").first()
    if last is None or not set(last.columns) <= set(upload.header):
        return None
    return ColumnChoice(columns=last.columns, constants=last.constants, date_format=last.date_format)


def _guessed(kind: str, upload: Upload) -> ColumnChoice:
    columns = guess_columns(kind, upload.header)
    days = [place for place, name in enumerate(upload.header) if columns.get(name) in ("date", "expires")]
    texts = [row.cells[place] for row in upload.rows[:SAMPLE] if row.cells for place in days]
    return ColumnChoice(columns=columns, date_format=guess_format(texts, timezone.get_default_timezone()))


def cells_text(cells: tuple[str, ...]) -> str:
    """Return a row's cells as they are kept."""
    return json.dumps(cells, ensure_ascii=False) if cells else ""


def is_remembered(history: HistoryImport) -> bool:
    """Tell whether the columns are those of an earlier file with the same header."""
    earlier = HistoryImport.objects.filter(kind=history.kind, header_key=history.header_key, pk__lt=history.pk)
    return earlier.exclude(state=_State.DRAFT).exists()


@transaction.atomic
def map_columns(*, history: HistoryImport, mapping: ColumnChoice, at: datetime) -> HistoryImport:
    """Choose the columns and have every row checked; nothing is imported. Raises `Invalid`, `WrongStage`."""
    constants = {name: value.strip() for name, value in mapping.constants.items() if value.strip()}
    problems = mapping_problems(history.kind, history.header, mapping.columns, constants)
    if mapping.date_format not in FORMATS:
        problems.append(f"expected the format of days to be one of {', '.join(FORMATS)}")
    if "code" in mapping.columns.values() and history.program_id is None:
        problems.append("an old code needs the program whose link it is: upload the file again with a program")
    if problems:
        raise Invalid("; ".join(problems), pointer="/columns")
    move_stage(
        history,
        (_State.DRAFT, _State.CHECKED),
        _State.CHECKING,
        at=at,
        columns=dict(mapping.columns),
        constants=constants,
        date_format=mapping.date_format,
    )
    history.rows.exclude(outcome="").update(outcome="", column="", message="", points=0)
    return history


@transaction.atomic
def start_import(*, history: HistoryImport, skip_errors: bool, at: datetime) -> HistoryImport:
    """Have the checked rows imported; raises `Invalid` where rows are wrong and are not to be skipped, `WrongStage`."""
    wrong = history.result.get("refused", 0)
    if history.state == _State.CHECKED and wrong and not skip_errors:
        raise Invalid(f"{wrong:,} rows are wrong: correct the file, or skip them", pointer="/skip_errors")
    move_stage(history, (_State.CHECKED,), _State.RUNNING, at=at, skip_errors=skip_errors)
    return history


@transaction.atomic
def discard_import(*, history: HistoryImport) -> None:
    """Forget a file of which nothing was imported; raises `WrongStage`."""
    unused = HistoryImport.objects.filter(pk=history.pk, state__in=(_State.DRAFT, _State.CHECKED))
    if not unused.select_for_update(no_key=True).exists():
        raise WrongStage(f"this import is {history.get_state_display()}")
    unused.delete()


def move_stage(history: HistoryImport, before: tuple[str, ...], after: str, *, at: datetime, **changes: object) -> None:
    """Bring the import to a stage that the worker does, and ring for it; of two who try one wins: `WrongStage`."""
    if history.forgotten_at is not None:
        raise WrongStage("the file's rows have been forgotten")
    here = HistoryImport.objects.filter(pk=history.pk, state__in=before, forgotten_at=None)
    if here.update(state=after, due_at=at, done=0, error="", **changes) != 1:
        history.refresh_from_db()
        raise WrongStage(f"this import is {history.get_state_display()}")
    history.refresh_from_db()
    ring_on_commit(TASK)


def in_pages(rows: QuerySet[HistoryRow], *, backwards: bool = False) -> Iterator[HistoryRow]:
    """Yield rows by their lines, page by page, so that they may be written meanwhile."""
    ordered = rows.order_by("-line" if backwards else "line")
    page = list(ordered[:PAGE])
    while page:
        yield from page
        last = page[-1].line
        page = list((ordered.filter(line__lt=last) if backwards else ordered.filter(line__gt=last))[:PAGE])


def read_rows(history: HistoryImport) -> Iterator[tuple[HistoryRow, Told | Problem]]:
    """Yield the import's rows in their order, each with what it says or what is wrong with it."""
    place = {name: number for number, name in enumerate(history.header)}
    reader = Reader(
        Reading(
            kind=history.kind,
            date_format=history.date_format,
            zone=timezone.get_default_timezone(),
            columns={ours: place[theirs] for theirs, ours in history.columns.items()},
            constants=history.constants,
        )
    )
    for row in in_pages(history.rows.all()):
        if row.cells:
            yield row, reader.read(tuple(json.loads(row.cells)))
        else:
            yield row, Problem("", row.problem or "its cells have been erased")
