"""What a back-test is given: reported facts, people, what named an advocate, what staff decided. Pure values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from referrals.attribution import Visit
from referrals.conditions import Value
from referrals.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A reported fact, with the columns and body of its event; amounts in minor units."""

    pk: int
    event_id: str
    type: str
    name: str
    occurred_at: datetime
    received_at: datetime
    customer_id: int
    order_id: str
    amount_minor: int | None
    currency: str
    lead_id: str
    lead_stage: str
    channel: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A customer as conditions and the rules about one person see them."""

    pk: int
    email: str = ""
    email_normalized: str = ""
    locale: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What in a fact names an advocate: a code, or a click with all human clicks of its visitor in the program.

    `by_visit` says whose link each of `visits` is of, and its channel; without visits the advocate is
    named outright. What is `settled` was rewarded by a former tool: it counts and gives nothing.
    """

    advocate: int
    method: str
    named_at: datetime | None = None
    settled: bool = False
    visits: tuple[Visit, ...] = ()
    by_visit: Mapping[int, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What conditions see of a binding, under the names of a referral."""

    channel: str
    method: str
    friend: Person
    advocate: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that a back-test rests on besides the facts themselves.

    `named` is by fact; pairs are (advocate, friend): `ruled` those that staff or a block list voided, with the
    reason, `pardoned` those that staff reopened, `held` those that wait for review; `elsewhere` are the advocates
    of a friend by live referrals of other programs; `runs_at` tells whether the program runs; `values` what
    conditions may ask of a fact; `listed` since when friends stand on the list of existing customers.
    """

    terms: Terms
    zone: ZoneInfo
    people: Mapping[int, Person]
    named: Mapping[int, tuple[Named, ...]]
    runs_at: Callable[[datetime], bool]
    values: Callable[[Fact, Link], Mapping[str, Value]]
    advocate_values: Callable[[Person], Mapping[str, Value]]
    ruled: Mapping[tuple[int, int], str] = field(default_factory=dict)
    pardoned: frozenset[tuple[int, int]] = frozenset()
    held: frozenset[tuple[int, int]] = frozenset()
    elsewhere: Mapping[int, frozenset[int]] = field(default_factory=dict)
    listed: Mapping[int, datetime] = field(default_factory=dict)
