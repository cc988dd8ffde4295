"""Makers of what tests start from; what the rules decide is made by the services, never by a factory."""

import itertools
from datetime import UTC, datetime

import factory
from allauth.account.models import EmailAddress

from accounts.models import User
from referrals.facts import fact_from_json
from referrals.models import Customer, Event, Program
from referrals.people import normalize_email
from referrals.program_file import parse_program
from referrals.services.events import record_event
from referrals.services.programs import apply_program

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
_numbers = itertools.count(1)

PROGRAM_FILE = """\
program: {slug}
name: {name}
status: {status}
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {{on: purchase, min_amount: "20.00"}}
hold_days: 14
rewards:
  - {{id: advocate-fixed, to: advocate, on: qualified, points: 500}}
  - {{id: friend-welcome, to: friend, on: signup, points: 100, hold_days: 0}}
"""


class CustomerFactory(factory.django.DjangoModelFactory):
    """A customer with an email address of their own."""

    class Meta:
        model = Customer

    external_id = factory.Sequence(lambda n: f"c-{n}")
    name = factory.Sequence(lambda n: f"Person{n} Example")
    email = factory.LazyAttribute(lambda person: f"{person.external_id}@shop.example")
    email_normalized = factory.LazyAttribute(lambda person: normalize_email(person.email))


class UserFactory(factory.django.DjangoModelFactory):
    """Somebody who can sign in and has proven their email address."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"user-{n}@shop.example")

    @factory.post_generation
    def proven(self, create, extracted, **kwargs):
        if extracted is not False:
            EmailAddress.objects.create(user=self, email=self.email, verified=True, primary=True)


def make_program(slug="refer-a-friend", *, name="Refer a friend", status="active", text=PROGRAM_FILE) -> Program:
    """Return a program applied from a file: 500 points for the advocate, 100 for the friend, 14 days of hold."""
    return apply_program(document=parse_program(text.format(slug=slug, name=name, status=status)), at=SINCE)


def report(type_: str, customer: Customer, at: datetime, *, code="", order="", amount="59.90") -> Event:
    """Report a fact about a customer as the shop would, received when it happened; return its event."""
    body = {
        "event_id": f"{type_}-{next(_numbers)}",
        "type": type_,
        "occurred_at": at.isoformat(),
        "customer": {"external_id": customer.external_id},
    }
    if code:
        body["referral"] = {"code": code}
    if type_ in ("purchase", "refund"):
        body["order"] = {"id": order or f"order-{next(_numbers)}", "amount": amount, "currency": "EUR"}
    event = record_event(fact=fact_from_json(body, now=at), at=at).event
    assert event is not None
    return event
