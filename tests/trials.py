"""Experiments made and started as staff do, and customers who are in a variant."""

from collections.abc import Iterator
from datetime import datetime
from html import unescape
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from django.test import Client
from PIL import Image

from accounts.models import User
from referrals.models import Customer, Experiment, Exposure, Link, Program, Variant
from referrals.queries.experiments import variant_of
from referrals.services.experiments import start_experiment
from referrals.services.links import ensure_link
from tests.factories import CustomerFactory, UserFactory
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


def portal(customer, *, at=NOON, language="en"):
    """The customer's portal, with what the share links say."""
    user = User.objects.filter(email=customer.email).first() or UserFactory(email=customer.email)
    client = Client()
    with moment(at):
        client.force_login(user)
        return unquote(unescape(client.get("/", headers={"accept-language": language}).text))


def exposures():
    return list(
        Exposure.objects.order_by("pk").values_list("customer__external_id", "variant__name", "placement", "at")
    )


def png(colour, size=(1200, 630)):
    picture = BytesIO()
    Image.new("RGB", size, colour).save(picture, "PNG")
    return picture.getvalue()
