"""Erase the people on a list, as `erased_customers` prints it: after a backup brought them back."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from referrals.models import Customer
from referrals.queries.people import living_customer_known_as
from referrals.services.erasing import erase_customer
from referrals.services.identities import erased_keys


class Command(BaseCommand):
    """Erases everybody on the list who is there and was not erased yet."""

    help = "Erase the people on a list made by erased_customers; safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the file."""
        parser.add_argument("file", type=Path, help="lines of keep or forfeit, a tab, and your id of the person")

    def handle(self, *_: Any, file: Path, **__: Any) -> None:
        """Erase them one by one and say how many."""
        try:
            lines = [line.split("\t", 1) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"expected a readable UTF-8 file: {error}") from None
        if wrong := [number for number, line in enumerate(lines, start=1) if len(line) != 2]:
            raise CommandError(f"line {wrong[0]}: expected keep or forfeit, a tab, and an id")
        addresses = self._addresses()
        count = 0
        for points, external_id in lines:
            known = addresses.get(external_id, external_id)
            customer = living_customer_known_as(known)
            if customer is not None:
                erase_customer(customer=customer, points=points, by="command line", at=timezone.now())
                count += 1
        self.stdout.write(f"{count} erased, {len(lines) - count} were erased already or are unknown")

    @staticmethod
    def _addresses() -> dict[str, str]:
        """Return the ids that are addresses, by the keyed hashes under which they would be kept."""
        living = Customer.objects.filter(external_id__contains="@", erased_at=None)
        return {key: one for one in living.values_list("external_id", flat=True) for key in erased_keys(one)}
