"""Import the list of existing customers."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from referrals.management.imports import report_problems
from referrals.queries.existing import hash_of_email
from referrals.services.existing import add_existing
from referrals.sources.csv import FileRefused, read_text
from referrals.sources.existing_csv import read_existing


class Command(BaseCommand):
    """Whoever is on the list is an existing customer for every friend who is bound from now on."""

    help = (
        "Import existing customers from a CSV file with a column email, or sha256 of the trimmed lower-case address; "
        "all or nothing unless --skip-errors. Only keyed hashes are stored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file."""
        parser.add_argument("file", metavar="FILE.csv", type=Path)
        parser.add_argument("--skip-errors", action="store_true", help="import the rows that are right")

    def handle(self, *_: Any, file: Path, skip_errors: bool, **options: Any) -> None:
        """Import the file and say what became of its rows."""
        try:
            listed = read_existing(read_text(file))
        except FileRefused as refusal:
            raise CommandError(f"nothing was imported:\n{file}:{refusal.detail}", returncode=1) from None
        report_problems(file, listed.problems, skip_errors=skip_errors, to=self.stderr)
        hashes = [*listed.hashes, *map(hash_of_email, listed.emails)]
        added = add_existing(hashes=hashes, at=timezone.now())
        told = f"{added:,} new, {len(hashes) - added:,} known already, {len(listed.problems):,} refused"
        self.stdout.write(f"{listed.rows:,} rows: {told}")
