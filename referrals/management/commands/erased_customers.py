"""Print who was erased, to be erased again after a restore."""

from typing import Any

from django.core.management.base import BaseCommand

from referrals.models import Erasure


class Command(BaseCommand):
    """Prints one line a person: the id under which they are kept, and what became of open points."""

    help = "Print who was erased, one a line, for erase_customers after a restore."

    def handle(self, *_: Any, **__: Any) -> None:
        """Print the list, oldest first."""
        for external_id, points in Erasure.objects.order_by("pk").values_list("customer__external_id", "points"):
            self.stdout.write(f"{points}\t{external_id}")
