"""Let a shop, a till or a payment system report by webhooks."""

import json
import re
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from referrals.models import Source
from referrals.services.sources import BadSource, create_source


class Command(BaseCommand):
    """Makes a source and prints its secret once, alone on the last line."""

    help = "Make a source of webhooks in and print its address and, alone on the last line, its secret."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what speaks, under which name, and with which secret."""
        parser.add_argument("kind", choices=Source.Kind.values)
        parser.add_argument("slug", metavar="NAME", help="the last part of its address, such as my-shop")
        parser.add_argument("--secret", default="", help="the secret that the other system has; without it one is made")
        parser.add_argument("--options", default="{}", metavar="JSON", help='such as {"signature": "hex"}')

    def handle(self, *_: Any, kind: str, slug: str, secret: str, **options: Any) -> None:
        """Make it and tell the other system's side of it."""
        if not re.fullmatch(r"[-a-zA-Z0-9_]{1,40}", slug):
            raise CommandError("the name has 1 to 40 letters, digits, '-' or '_'")
        if Source.objects.filter(slug=slug).exists():
            raise CommandError(f"there is a source {slug!r} already")
        try:
            source = create_source(kind=kind, slug=slug, secret=secret, options=_read_options(options["options"]))
        except BadSource as refused:
            raise CommandError(refused.detail) from None
        self.stdout.write(f"Its calls go to /in/{source.kind}/{source.slug}/, signed with this secret:")
        self.stdout.write(source.secret)


def _read_options(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise CommandError("--options: expected a JSON object")
    return value
