"""`recompute_metrics`: the KPI rollups, from the marks or from the ground up."""

from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from analytics.models import DailyValue
from analytics.queries.collecting import reporting_zone
from analytics.services.rollups import refresh_rollups
from analytics.spans import By, Span, cut
from core.periods import local_day


class Command(BaseCommand):
    """Counts again what is marked; --from and --to add those days, --full counts everything anew."""

    help = "Bring the KPI rollups up to date. Incremental and --full give the same numbers."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the range and the mode."""
        parser.add_argument("--from", dest="start", metavar="DAY", help="first day to count again, such as 2026-03-01")
        parser.add_argument("--to", dest="end", metavar="DAY", help="first day after it (exclusive); default: tomorrow")
        parser.add_argument("--full", action="store_true", help="count all days anew, or all of the range")

    def handle(
        self, *args: Any, start: str | None = None, end: str | None = None, full: bool = False, **options: Any
    ) -> None:
        """Print how many marks were worked off."""
        now = timezone.now()
        days = self._days(start, end, local_day(now, reporting_zone()))
        marks = refresh_rollups(at=now, full=full and not days, days=days)
        told = f"{len(days)} days" if days else ("all days" if full else "what was marked")
        self.stdout.write(f"Counted {told} again; worked off {marks} marks.")

    def _days(self, start: str | None, end: str | None, today: date) -> list[date]:
        if start is None and end is None:
            return []
        oldest = DailyValue.objects.order_by("day").values_list("day", flat=True).first()
        first = self._day("--from", start) if start else (oldest or today)
        last = self._day("--to", end) if end else today + timedelta(days=1)
        if last <= first:
            raise CommandError("--to is exclusive and must be later than --from; nothing was done")
        return [period.start for period in cut(Span(first, last), By.DAY)]

    def _day(self, option: str, text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise CommandError(f"{option}: expected a day such as 2026-03-01, got {text!r}; nothing was done") from None
