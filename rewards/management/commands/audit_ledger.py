"""`manage.py audit_ledger`: is every point accounted for?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from rewards.models import Seal
from rewards.services.audit import audit_ledger


class Command(BaseCommand):
    help = "Replay the whole ledger and check every invariant; exit 1 and the first offending row if one fails."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a hash that an earlier audit printed."""
        parser.add_argument("--seal", default="", help="a hash noted earlier: it must still be in the chain")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print what was checked, or fail with the first row that is wrong."""
        noted = options["seal"]
        if noted and not Seal.objects.filter(sha256=noted).exists():
            raise CommandError(f"no seal has the hash {noted}: the chain was made anew")
        audit = audit_ledger()
        if audit.findings:
            for finding in audit.findings[1:]:
                self.stderr.write(f"{finding.row}: expected {finding.expected}")
            first = audit.findings[0]
            raise CommandError(f"{first.row}: expected {first.expected}")
        self.stdout.write(
            f"ledger sound: {audit.transfers} transfers, {audit.entries} entries, {audit.accounts} accounts, "
            f"{audit.points_outstanding} points outstanding"
        )
        if audit.seal:
            self.stdout.write(f"sealed up to transfer {audit.sealed_to}: {audit.seal}")
