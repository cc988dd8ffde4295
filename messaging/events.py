"""What happens in messaging that other apps may react to."""

from dataclasses import dataclass

from core.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencesChanged(DomainEvent):
    """A recipient chose anew; `changed` are (purpose, wanted) pairs, `source` is where they chose."""

    recipient_key: str
    changed: tuple[tuple[str, bool], ...]
    source: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMailed(DomainEvent):
    """A mail with a customer's share link was handed over, once a message; `at` is the ISO moment it is dated."""

    message: int
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointDisabled(DomainEvent):
    """A webhook endpoint was switched off by itself; `endpoint` is its primary key."""

    endpoint: int
