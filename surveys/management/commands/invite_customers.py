"""`manage.py invite_customers nps --all`: ask many, and say who was not asked and why."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.errors import NotFound
from referrals.models import Customer
from referrals.queries.people import living_customers
from referrals.queries.segments import find_segment, members_of
from surveys.access import survey_of_slug
from surveys.services.invitations import invite_customers


class Command(BaseCommand):
    """Ask customers to answer a survey."""

    help = "Invite customers to a survey; those whom the rules protect are left out and counted by reason."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the survey and the people."""
        parser.add_argument("survey", help="the survey's slug, such as nps")
        parser.add_argument("--customer", action="append", default=[], metavar="EXTERNAL_ID", help="repeatable")
        parser.add_argument("--segment", default="", metavar="SLUG", help="the members of a segment")
        parser.add_argument("--all", action="store_true", help="every customer")
        parser.add_argument("--force", action="store_true", help="in spite of the throttle")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, and print the counts."""
        customers = self._chosen(options["customer"], options["segment"], everybody=options["all"])
        try:
            survey = survey_of_slug(options["survey"])
        except NotFound as error:
            raise CommandError(f"{error.detail} Nobody was asked.") from None
        counts = invite_customers(
            survey=survey,
            customers=customers,
            at=timezone.now(),
            force=options["force"],
            cause="command",
        )
        self.stdout.write(str(counts))

    def _chosen(self, names: list[str], segment: str, *, everybody: bool) -> Iterator[Customer]:
        if [bool(names), bool(segment), everybody].count(True) != 1:
            raise CommandError("Name customers with --customer, a segment with --segment, or everybody with --all.")
        if segment:
            found = find_segment(segment)
            if found is None:
                raise CommandError(f"There is no segment {segment!r}. Nobody was asked.")
            return members_of(found)
        customers = living_customers().order_by("pk")
        if names:
            customers = customers.filter(external_id__in=names)
            missing = set(names) - set(customers.values_list("external_id", flat=True))
            if missing:
                raise CommandError(f"No such customer: {', '.join(sorted(missing))}. Nobody was asked.")
        return customers.iterator(500)
