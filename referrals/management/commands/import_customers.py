"""Import customers from a CSV file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from referrals.management.imports import Progress, read_names, report_problems
from referrals.services.customers import import_customers
from referrals.sources.csv import FileRefused, RowProblem, read_text
from referrals.sources.customers_csv import ATTRIBUTE, COLUMNS, CustomerRow, is_column, read_customers


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
        ours = f"{', '.join(COLUMNS)} or {ATTRIBUTE}NAME"
        names = read_names(options["map"], known=is_column, ours=ours)
        try:
            rows = read_customers(read_text(file), names)
        except FileRefused as refusal:
            raise CommandError(f"nothing was imported:\n{file}:{refusal.detail}", returncode=1) from None
        right = [row for row in rows if not row.problems]
        problems = [problem for row in rows for problem in row.problems]
        if not skip_errors:
            report_problems(file, problems, skip_errors=False, to=self.stderr)
        progress = Progress(len(right))
        told = [(row.external_id, row.told) for row in right]
        created, refusals = import_customers(
            rows=told, at=timezone.now(), skip_errors=skip_errors, on_progress=progress.show
        )
        progress.end()
        problems += [_problem(right[place], why) for place, why in refusals]
        report_problems(file, problems, skip_errors=skip_errors, to=self.stderr)
        refused = len({problem.line for problem in problems})
        updated = len(right) - len(refusals) - created
        self.stdout.write(f"{len(rows):,} rows: {created:,} new, {updated:,} known already, {refused:,} refused")


def _problem(row: CustomerRow, why: str) -> RowProblem:
    return RowProblem(row.line, "external_id", why)
