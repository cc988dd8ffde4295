"""Import customers from a CSV file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from referrals.management.progress import Progress
from referrals.services.customers import import_customers
from referrals.sources.csv import FileRefused, RowProblem, read_text
from referrals.sources.customers_csv import ATTRIBUTE, COLUMNS, CustomerRow, read_customers

SHOWN = 100


class Command(BaseCommand):
    """Creates or updates every customer, or none where a row has a problem; the same file again changes nothing."""

    help = "Import customers from a CSV file; all or nothing unless --skip-errors. An empty cell leaves what is known."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the file and what its columns are called."""
        parser.add_argument("file", metavar="FILE.csv", type=Path)
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="OURS=THEIRS",
            help=f"the file's name of a column; ours are {', '.join(COLUMNS)} and {ATTRIBUTE}NAME",
        )
        parser.add_argument("--skip-errors", action="store_true", help="import the rows that are right")

    def handle(self, *_: Any, file: Path, skip_errors: bool, **options: Any) -> None:
        """Import the file and say what became of its rows."""
        try:
            rows = read_customers(read_text(file), _names(options["map"]))
        except FileRefused as refusal:
            raise CommandError(f"nothing was imported:\n{file}:{refusal.detail}", returncode=1) from None
        right = [row for row in rows if not row.problems]
        problems = [problem for row in rows for problem in row.problems]
        if problems and not skip_errors:
            self._refuse(file, problems)
        progress = Progress(len(right))
        told = [(row.external_id, row.told) for row in right]
        created, refusals = import_customers(
            rows=told, at=timezone.now(), skip_errors=skip_errors, on_progress=progress.show
        )
        progress.end()
        problems += [_problem(right[place], why) for place, why in refusals]
        if refusals and not skip_errors:
            self._refuse(file, problems)
        for problem in problems[:SHOWN]:
            self.stderr.write(f"{file}:{problem}")
        refused = len({problem.line for problem in problems})
        updated = len(right) - len(refusals) - created
        self.stdout.write(f"{len(rows):,} rows: {created:,} new, {updated:,} known already, {refused:,} refused")

    def _refuse(self, file: Path, problems: list[RowProblem]) -> None:
        lines = [f"{file}:{problem}" for problem in sorted(problems, key=lambda one: one.line)[:SHOWN]]
        lines += [f"and {len(problems) - SHOWN:,} more"] if len(problems) > SHOWN else []
        raise CommandError("\n".join(["nothing was imported:", *lines]), returncode=1)


def _problem(row: CustomerRow, why: str) -> RowProblem:
    return RowProblem(row.line, "external_id", why)


def _names(pairs: list[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not equals or not theirs or not (ours in COLUMNS or ours.startswith(ATTRIBUTE)):
            expected = f"{', '.join(COLUMNS)} or {ATTRIBUTE}NAME"
            raise CommandError(f"--map {pair}: expected OURS=THEIRS, ours one of {expected}", returncode=1)
        names[ours] = theirs
    return names
