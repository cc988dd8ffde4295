"""Print a program as the file that makes it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from referrals.program_text import render_program
from referrals.queries.programs import find_document


class Command(BaseCommand):
    """Prints a program file on which `apply_program --check` finds nothing."""

    help = "Print a program's file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the slug."""
        parser.add_argument("slug", metavar="SLUG")

    def handle(self, *_: Any, slug: str, **__: Any) -> None:
        """Print the file, or exit 1 where there is no such program."""
        document = find_document(slug)
        if document is None:
            raise CommandError(f"there is no program {slug!r}", returncode=1)
        self.stdout.write(render_program(document), ending="")
