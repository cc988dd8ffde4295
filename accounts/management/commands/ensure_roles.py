from typing import Any

from django.core.management.base import BaseCommand

from accounts.services import ensure_roles


class Command(BaseCommand):
    help = "Create the staff roles where missing and bring their permissions up to date."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the roles."""
        for group in ensure_roles():
            self.stdout.write(group.name)
