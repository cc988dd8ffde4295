"""Trying what would happen: the real decision, taken back whole before anybody can see it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction

from core.ids import new_id
from core.money import to_minor, to_text
from core.retrying import with_retries
from referrals.facts import fact_from_json
from referrals.models import Link
from referrals.queries.programs import offer_live_at, terms_of
from referrals.queries.takeovers import program_in_charge
from referrals.services.customers import CustomerData, put_customer
from referrals.services.events import record_event
from referrals.services.links import ensure_links
from referrals.terms import CUSTOM, Terms
from rewards.models import Reward
from rewards.queries.decisions import Decision, decision_of, rewards_with_people

Result = TypeVar("Result")
USUAL_ORDER = "100"
"""What a friend is taken to spend, in units of the currency, where the program asks for less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendPreview:
    """What the next friend in a program would bring: for which order, and the rewards of both sides."""

    program: str
    amount: str
    currency: str
    rewards: list[Reward]


def preview_event(*, body: dict[str, Any], at: datetime, show: Callable[[Decision], Result]) -> Result:
    """Return what `show` makes of the decision that the fact would get at `at`. Nothing stays.

    `body` is a fact as `POST /events` takes it. Raises what recording it would raise.
    """

    def decide() -> Result:
        with _taken_back():
            recorded = record_event(fact=fact_from_json(body, now=at), at=at)
            if recorded.event is None:
                raise RuntimeError("a refused event has no decision")
            return show(decision_of(recorded.event))

    return with_retries(decide)


def preview_friends(
    *, external_id: str, program: str = "", at: datetime, show: Callable[[FriendPreview], Result]
) -> list[Result]:
    """Return what the customer's next friend would bring in each program offered to them now. Nothing stays.

    The friend is new, signs up and orders for the program's minimum, at least `USUAL_ORDER`. Raises `Erased`.
    """

    def decide() -> list[Result]:
        with _taken_back():
            customer, _ = put_customer(external_id=external_id, data=CustomerData(), at=at)
            links = [link for link in ensure_links(customer=customer) if program in {"", link.program.slug}]
            return [show(_next_friend(link, at)) for link in links]

    return with_retries(decide)


def _next_friend(link: Link, at: datetime) -> FriendPreview:
    terms = terms_of(offer_live_at(program_in_charge(link.program, at), at))
    worth = max(terms.min_amount_minor, to_minor(USUAL_ORDER, terms.currency))
    amount, friend = to_text(worth, terms.currency), new_id("friend")
    with _taken_back():
        for number, fact in enumerate(_story(terms, link.code, amount)):
            body = {
                "event_id": f"{friend}:{number}",
                "occurred_at": at.isoformat(),
                "customer": {"external_id": friend},
            }
            record_event(fact=fact_from_json(body | fact, now=at), at=at)
        rewards = list(rewards_with_people().filter(referral__friend__external_id=friend).order_by("pk"))
    return FriendPreview(program=link.program.slug, amount=amount, currency=terms.currency, rewards=rewards)


def _story(terms: Terms, code: str, amount: str) -> list[dict[str, Any]]:
    """Return what a friend does: sign up with the code, what else qualifies, and an order."""
    money = {"id": new_id("preview"), "currency": terms.currency}
    steps: list[dict[str, Any]] = [{"type": "signup", "referral": {"code": code}}]
    if terms.qualifies_on == "lead_won":
        steps.append({"type": "lead_stage", "lead": money | {"stage": "won", "value": amount}})
    elif terms.qualifies_on.startswith(CUSTOM):
        steps.append({"type": "custom", "name": terms.qualifies_on.removeprefix(CUSTOM)})
    return [*steps, {"type": "purchase", "order": money | {"amount": amount}}]


@contextmanager
def _taken_back() -> Iterator[None]:
    """Take back whatever is written inside; what rings after the commit never rings."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
