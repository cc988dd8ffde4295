"""`migrate`, as the role that owns the tables where there is one, and with the cache's table."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandParser
from django.core.management.commands import migrate


class Command(migrate.Command):
    """Django's own command, run by default on DATABASE_OWNER_URL where that is given."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Migrate as the owner unless told otherwise."""
        super().add_arguments(parser)
        if "owner" in settings.DATABASES:
            parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, then make the cache's table if the cache lives in the database."""
        super().handle(*args, **options)
        call_command("createcachetable", database=options["database"], verbosity=0)
