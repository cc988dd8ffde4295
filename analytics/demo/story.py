"""What can happen in a story, as plain values."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody the company knows."""

    external_id: str
    name: str
    email: str
    locale: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an event says of who recommended: a visit by its number in the story, an advocate's code, or a text."""

    visit: int | None = None
    code_of: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The company tells of a customer."""

    at: datetime
    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """Somebody, or a machine, opened an advocate's link; `number` is the visit's own in the story, 0 for none.

    `address` is the network they came from; without one the visit is like nobody's.
    """

    at: datetime
    advocate: str
    channel: str
    agent: str
    visitor: str = ""
    number: int = 0
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The company reports a fact; `amount_minor` is in cents. `fresh` ones are told as news, by mail."""

    at: datetime
    type: str
    who: str
    evidence: Evidence | None = None
    order: str = ""
    amount_minor: int = 0
    channel: str = ""
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A customer is asked by survey."""

    at: datetime
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A customer answers what they were asked last."""

    at: datetime
    who: str
    score: int
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Staff void the friend's referral by hand."""

    at: datetime
    friend: str
    note: str


Happening = Joined | Visited | Reported | Asked | Answered | Stopped
