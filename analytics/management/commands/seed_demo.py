"""`seed_demo`: a believable company over eighteen months, made through the same code paths as real data."""

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from analytics.demo.making import make_demo
from core.errors import Refused
from referrals.models import Click, Customer, Event, Referral
from surveys.models import Response

CUSTOMERS = 800  # within a minute on a small machine


class Command(BaseCommand):
    """Fills an empty database with the demo company."""

    help = "Make a demo company: programs, customers, clicks, orders, referrals, rewards, surveys. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the size and the seed."""
        parser.add_argument("--customers", type=int, default=CUSTOMERS, metavar="N", help=f"default: {CUSTOMERS}")
        parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed, another company")

    def handle(self, *args: Any, customers: int = CUSTOMERS, seed: int = 1, **options: Any) -> None:
        """Print what was made and how to sign in; a second call changes nothing and says so."""
        started = time.monotonic()
        progress = _Progress()
        try:
            made = make_demo(customers=customers, seed=seed, at=timezone.now(), on_progress=progress.show)
        except Refused as refusal:
            raise CommandError(f"nothing was made: {refusal.detail}") from None
        finally:
            progress.end()
        if made.fresh:
            self.stdout.write(f"The demo company was made in {time.monotonic() - started:.0f} s: {_inventory()}.")
            self.stdout.write(made.sign_ins)
        else:
            self.stdout.write(f"The demo company is already here; nothing was changed: {_inventory()}.")


def _inventory() -> str:
    counts = {
        "customers": Customer.objects.count(),
        "events": Event.objects.count(),
        "clicks": Click.objects.count(),
        "referrals": Referral.objects.count(),
        "survey answers": Response.objects.count(),
    }
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())


class _Progress:
    """A bar on standard error where somebody watches."""

    def __init__(self) -> None:
        self.watched = sys.stderr.isatty()
        self.drawn = False

    def show(self, done: int, total: int) -> None:
        if self.watched:
            filled = 30 * done // max(total, 1)
            sys.stderr.write(f"\r[{'#' * filled}{'.' * (30 - filled)}] {done:,} of {total:,} ")
            sys.stderr.flush()
            self.drawn = True

    def end(self) -> None:
        if self.drawn:
            sys.stderr.write("\n")
