"""Experiments made and started as staff do, and customers who are in a variant."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from referrals.models import Customer, Experiment, Link, Program, Variant
from referrals.queries.experiments import variant_of
from referrals.services.experiments import start_experiment
from referrals.services.links import ensure_link
from tests.factories import CustomerFactory
from tests.scenes import NOON, moment

BOLD = {"en": {"text": "{name} dares you: {brand}", "subject": "A dare"}, "de": {"text": "Trau dich!", "subject": ""}}


def draft(program: Program, *variants: dict[str, Any], subject: str = "share_text", slug: str = "bold") -> Experiment:
    """Prepare an experiment; without variants a control as today against one with words of its own."""
    experiment = Experiment.objects.create(slug=slug, title=f"Try {slug}", program=program, subject=subject)
    given = variants or ({"name": "today"}, {"name": "bold", "words": BOLD})
    for position, fields in enumerate(given):
        Variant.objects.create(experiment=experiment, position=position, **fields)
    return experiment


def running(program: Program, *variants: dict[str, Any], at: datetime = NOON, **named: Any) -> Experiment:
    """Prepare an experiment and start it."""
    with moment(at):
        return start_experiment(experiment=draft(program, *variants, **named), expected="more friends", at=at)


def people_in(experiment: Experiment, name: str) -> Iterator[Customer]:
    """Yield new customers who are in the variant of that name."""
    while True:
        customer = CustomerFactory()
        if variant_of(experiment, customer.pk).name == name:
            yield customer


def links_in(experiment: Experiment, name: str, count: int) -> list[Link]:
    """Return so many links of new customers who are in the variant of that name."""
    found = people_in(experiment, name)
    return [ensure_link(customer=next(found), program=experiment.program) for _ in range(count)]
