from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import ApiKey
from accounts.origins import read_origins
from accounts.services import BadOrigin, UnknownScope, create_api_key


class Command(BaseCommand):
    help = (
        "Make an API key and print it once, alone on the last line. Without --scope it may read and write; "
        "a publishable one may fetch widget settings and report clicks, views and shares, nothing else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the key's name and what it may do."""
        parser.add_argument("name", help="whose key it is, at most 50 characters")
        parser.add_argument("--scope", action="append", choices=ApiKey.Scope.values, default=[])
        parser.add_argument("--publishable", action="store_true")
        parser.add_argument("--origin", action="append", default=[], help="a page's origin, for a publishable key")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the key."""
        if not 1 <= len(options["name"]) <= 50:
            raise CommandError("the name has 1 to 50 characters")
        try:
            key, text = create_api_key(
                name=options["name"],
                scopes=options["scope"],
                publishable=options["publishable"],
                origins=read_origins(options["origin"]),
            )
        except (UnknownScope, BadOrigin) as refused:
            raise CommandError(refused.detail) from None
        may = "publishable" if key.publishable else " and ".join(key.scopes)
        if key.publishable:
            self.stdout.write(f"Secret to sign customers' ids with (also in the admin): {key.identity_secrets[0]}")
        self.stdout.write(f"API key {key.name!r} ({may}); it is not shown again:")
        self.stdout.write(text)
