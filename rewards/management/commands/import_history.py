"""Import what another tool kept: customers, referrals or points."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.errors import Refused
from referrals.models import Program
from rewards.importing.columns import COLUMNS
from rewards.importing.reading import MAX_BYTES
from rewards.importing.rows import FORMATS
from rewards.models import HistoryImport, HistoryRow
from rewards.services.importing.running import run_import
from rewards.services.importing.uploads import (
    COMMAND,
    ColumnChoice,
    discard_import,
    map_columns,
    start_import,
    upload_history,
)

SHOWN = 100
State = HistoryImport.State


class Command(BaseCommand):
    """Checks every row by the real rules, then imports all of them, or none where one is wrong."""

    help = "Import customers, referrals or points of another tool from a CSV file; the same file again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the file, what it holds and how it is read."""
        parser.add_argument("kind", choices=list(COLUMNS), metavar="KIND", help=", ".join(COLUMNS))
        parser.add_argument("file", metavar="FILE.csv", type=Path)
        parser.add_argument("--program", metavar="SLUG", help="whose referrals, or whose links old codes are")
        parser.add_argument("--map", action="append", default=[], metavar="OURS=THEIRS", help="the column of the file")
        parser.add_argument("--set", action="append", default=[], metavar="OURS=VALUE", help="the same in all rows")
        parser.add_argument("--dates", choices=list(FORMATS), help="how days are written; default: guessed")
        parser.add_argument("--dry-run", action="store_true", help="check every row, store nothing")
        parser.add_argument("--skip-errors", action="store_true", help="import the rows that are right")

    def handle(self, *_: Any, kind: str, file: Path, dry_run: bool, skip_errors: bool, **options: Any) -> None:
        """Check the file, import it, and say what became of its rows."""
        try:
            history = self._upload(kind, file, options["program"])
            history = self._check(history, options)
            self._report(history, file)
            if dry_run:
                self.stdout.write(f"would be: {told(history)}; nothing was stored")
                discard_import(history=history)
                return
            self._import(history, file, skip_errors=skip_errors)
        except Refused as refusal:
            raise CommandError(f"nothing was imported:\n{file}:{refusal.detail}", returncode=1) from None

    def _upload(self, kind: str, file: Path, slug: str | None) -> HistoryImport:
        program = Program.objects.filter(slug=slug).first() if slug else None
        if slug and program is None:
            raise CommandError(f"--program {slug}: there is no such program", returncode=1)
        try:
            with file.open("rb") as opened:
                raw = opened.read(MAX_BYTES + 1)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}", returncode=1) from None
        return upload_history(
            kind=kind,
            program=program,
            file_name=file.name,
            raw=raw,
            asked_by=None,
            actor=COMMAND,
            at=timezone.now(),
        )

    def _check(self, history: HistoryImport, options: dict[str, Any]) -> HistoryImport:
        """Have every row checked, its columns as told, remembered or guessed."""
        columns = dict(history.columns)
        for ours, theirs in _pairs("--map", options["map"]):
            columns = {their: our for their, our in columns.items() if our != ours and their != theirs}
            columns[theirs] = ours
        constants = history.constants | dict(_pairs("--set", options["set"]))
        columns = {theirs: ours for theirs, ours in columns.items() if ours not in constants}
        choice = ColumnChoice(columns=columns, constants=constants, date_format=options["dates"] or history.date_format)
        try:
            history = map_columns(history=history, mapping=choice, at=timezone.now())
        except Refused:
            discard_import(history=history)
            raise
        return run_import(history=history, at=timezone.now())

    def _report(self, history: HistoryImport, file: Path) -> None:
        wrong = history.rows.filter(outcome="refused").order_by("line")
        for row in wrong[:SHOWN]:
            self.stderr.write(f"{file}:{problem_of(row)}")
        if wrong.count() > SHOWN:
            self.stderr.write(f"and {wrong.count() - SHOWN:,} more")

    def _import(self, history: HistoryImport, file: Path, *, skip_errors: bool) -> None:
        try:
            history = start_import(history=history, skip_errors=skip_errors, at=timezone.now())
        except Refused:
            discard_import(history=history)
            raise
        history = run_import(history=history, at=timezone.now())
        if history.state != State.DONE:
            raise CommandError(f"{file}: stopped, what had been imported was taken back: {history.error}", returncode=1)
        self.stdout.write(f"{history.public_id}: {told(history)}")


def problem_of(row: HistoryRow) -> str:
    """Return a wrong row's line, column and what was expected."""
    return f"{row.line}: {f'column {row.column}: ' if row.column else ''}{row.message}"


def told(history: HistoryImport) -> str:
    """Return in a line how the rows came out."""
    counts = history.result
    said = ", ".join(f"{counts.get(word, 0):,} {word}" for word in ("new", "changed", "known", "refused"))
    return f"{history.total:,} rows: {said}; {counts.get('points', 0):,} points"


def _pairs(option: str, given: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for pair in given:
        ours, equals, value = pair.partition("=")
        if not equals or not value:
            raise CommandError(f"{option} {pair}: expected OURS=VALUE", returncode=1)
        found.append((ours, value))
    return found
