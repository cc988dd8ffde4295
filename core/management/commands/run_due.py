"""`run_due`: once, in this process, everything that is due."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.services.jobs import run_due_work


def parse_moment(text: str) -> datetime:
    """Return the ISO 8601 instant; without a zone it is in the installation's. ValueError if it is not one."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(settings.TIME_ZONE))).astimezone(UTC)


class Command(BaseCommand):
    """Does all due work once; with --as-of, as if it were that moment."""

    help = "Do everything that is due, once, in this process."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the run's clock."""
        parser.add_argument(
            "--as-of",
            metavar="ISO",
            help="this run's clock, past or future, such as 2026-03-15T10:00:00Z; without a zone: TIME_ZONE",
        )

    def handle(self, *args: Any, as_of: str | None = None, **options: Any) -> None:
        """Print one line per kind of work with how many items were done; fail if one kind failed."""
        try:
            at = timezone.now() if as_of is None else parse_moment(as_of)
        except (ValueError, OverflowError):
            raise CommandError(
                f"--as-of: expected an ISO 8601 moment such as 2026-03-15T10:00:00Z, got {as_of!r}; nothing was done"
            ) from None
        results = run_due_work(at=at)
        for result in results:
            self.stdout.write(f"{result.name}: {result.count}" + (f" (failed: {result.error})" if result.error else ""))
        failed = [result.name for result in results if result.error]
        if failed:
            raise CommandError(f"failed: {', '.join(failed)}; the rest is done")
