"""Import the facts of POST /events from a CSV file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from referrals.facts import BadFact
from referrals.management.imports import Progress, read_names, report_problems
from referrals.services.imports import Imported, check_facts, import_facts
from referrals.sources.csv import COLUMNS, FileRefused, Layout, Row, RowProblem, read_events, read_text


class Command(BaseCommand):
    """Records every row, or none where one has a problem; the same file again changes nothing."""

    help = "Import events (sign-ups, purchases, refunds, ...) from a CSV file; all or nothing unless --skip-errors."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the file, its columns and what is the same in all its rows."""
        parser.add_argument("file", metavar="FILE.csv", type=Path)
        parser.add_argument(
            "--map",
            action="append",
            nargs="+",
            default=[],
            metavar="OURS=THEIRS",
            help=f"the file's name of a column; ours are {', '.join(COLUMNS)}",
        )
        parser.add_argument("--type", help="the type of all rows, such as purchase")
        parser.add_argument("--currency", help="the currency of all rows, such as EUR")
        parser.add_argument("--skip-errors", action="store_true", help="import the rows that are right")

    def handle(self, *_: Any, file: Path, skip_errors: bool, **options: Any) -> None:
        """Import the file and say what became of its rows."""
        constants = {name: options[name] for name in ("type", "currency") if options[name]}
        zone = timezone.get_default_timezone()
        pairs = [pair for group in options["map"] for pair in group]
        names = read_names(pairs, known=COLUMNS.__contains__, ours=", ".join(COLUMNS))
        layout = Layout(zone=zone, names=names, constants=constants)
        try:
            rows = list(read_events(read_text(file), layout))
        except FileRefused as refusal:
            raise CommandError(f"nothing was imported:\n{file}:{refusal.detail}", returncode=1) from None
        problems = [problem for row in rows for problem in row.problems]
        whole = [row for row in rows if not row.problems]
        bodies = [row.body for row in whole]
        if problems and not skip_errors:
            imported = Imported(0, 0, tuple(check_facts(bodies=bodies, at=timezone.now())))
        else:
            progress = Progress(len(bodies))
            imported = import_facts(
                bodies=bodies, at=timezone.now(), source="csv", skip_errors=skip_errors, on_progress=progress.show
            )
            progress.end()
        problems += _problems_of(imported, whole, layout)
        report_problems(file, problems, skip_errors=skip_errors, to=self.stderr)
        refused = len({problem.line for problem in problems})
        told = f"{imported.recorded:,} recorded, {imported.known:,} known already, {refused:,} refused"
        self.stdout.write(f"{len(rows):,} rows: {told}")


def _problems_of(imported: Imported, rows: list[Row], layout: Layout) -> list[RowProblem]:
    found = []
    for place, refusal in imported.refusals:
        told = refusal.problems if isinstance(refusal, BadFact) else [refusal]
        for problem in told:
            column = layout.column_of(problem.pointer) if problem.pointer else ""
            found.append(RowProblem(rows[place].line, column, problem.detail))
    return found
