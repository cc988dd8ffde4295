"""Back-test a program file: what past events would have earned under its rules."""

import sys
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.errors import Refused
from core.money import to_text
from core.periods import DAY, local_day
from referrals.models import Customer
from referrals.program_file import ProgramFileRefused, parse_program
from rewards.services.simulations import Days, backtest_program, hold_json, last_quarter
from rewards.simulation.report import Report

WIDE = 30


class Command(BaseCommand):
    """Replays past events under the file's rules and prints what came out; writes nothing."""

    help = "Back-test: replay past events under a program file's rules. Writes nothing. Default: the last 13 weeks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the file and the days."""
        parser.add_argument("file", metavar="FILE", type=Path, help="a program file (YAML or JSON)")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="D", help="first day, inclusive")
        parser.add_argument("--to", dest="end", type=date.fromisoformat, metavar="D", help="day after the last")

    def handle(self, *_: Any, file: Path, first: date | None, end: date | None, **__: Any) -> None:
        """Run the back-test and print it."""
        now = timezone.now()
        usual = last_quarter(local_day(now, timezone.get_default_timezone()))
        last = end or max(usual.end, (first or usual.start) + DAY)
        days = Days(start=first or min(usual.start, last - DAY), end=last)
        if days.start >= days.end:
            raise CommandError("expected --from before --to")
        try:
            document = parse_program(file.read_text(encoding="utf-8-sig"), file=str(file))
            report = backtest_program(document=document, days=days, at=now, progress=self._progress)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file}: expected a readable UTF-8 file: {error}") from error
        except ProgramFileRefused as refusal:
            raise CommandError("\n".join(str(problem) for problem in refusal.problems)) from refusal
        except Refused as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"{document.slug}: events from {days.start} to {days.end - DAY}, had this file been in force")
        self._print(report)
        self._print_people(report)
        self._print_hold(hold_json(document, now))

    def _progress(self, percent: int) -> None:
        """Draw the bar on standard error, so that standard output stays plain."""
        if not sys.stderr.isatty():
            return
        done = WIDE * percent // 100
        self.stderr.write(f"\r[{'#' * done}{'.' * (WIDE - done)}] {percent:3} %", ending="\n" if percent == 100 else "")

    def _print(self, report: Report) -> None:
        told = [
            ("facts replayed", f"{report.facts}"),
            ("referrals bound", f"{report.referrals}"),
            ("conversions", f"{report.conversions} (really {report.conversions_really})"),
            ("points", f"{report.points} (really {report.points_really}, {report.difference:+d})"),
            ("customers with points", f"{report.customers}"),
            ("tiers gave besides", f"{report.tier_points} points on {report.tier_rewards} rewards"),
            ("milestones", f"{report.milestones}, {report.milestone_points} points"),
            ("cost", _money(report.cost_minor, report) if report.cost_minor is not None else "unknown: no POINT_VALUE"),
            ("cost per conversion", _money(report.cost_each_minor, report)),
            (f"share of {report.base}", "–" if report.share is None else f"{100 * report.share:.1f} %"),
        ]
        told += [(f"{kind} rewards", str(count)) for kind, count in report.others.items()]
        told += [(f"refused: {reason}", str(count)) for reason, count in report.refusals.items()]
        told += [(f"rule {rule}", f"{would} (really {really})") for rule, (would, really) in report.by_rule.items()]
        for name, value in told:
            self.stdout.write(f"  {name:28} {value}")

    def _print_people(self, report: Report) -> None:
        names = Customer.objects.in_bulk([one.customer for one in report.affected])
        self.stdout.write("most affected customers:" if report.affected else "no customer is affected")
        for one in report.affected:
            who = names[one.customer].external_id if one.customer in names else str(one.customer)
            self.stdout.write(f"  {who:28} {one.would} points (really {one.really}, {one.difference:+d})")

    def _print_hold(self, hold: dict[str, Any]) -> None:
        interval = hold["interval"]
        if not hold["enough"] or hold["risk"] is None:
            self.stdout.write(f"hold of {hold['days']} days: not enough yet ({hold['refunds']} refunds)")
            return
        range_ = f" ({100 * interval[0]:.1f}..{100 * interval[1]:.1f})" if interval else ""
        self.stdout.write(
            f"a hold of {hold['days']} days risks {100 * hold['risk']:.1f} %{range_} of the orders released; "
            f"{100 * hold['left']:.0f} % of the refunds are still to come then"
        )


def _money(minor: int | None, report: Report) -> str:
    return "–" if minor is None else f"{to_text(minor, report.currency)} {report.currency}"
