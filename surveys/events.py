"""What happens in surveys that other apps may react to."""

from dataclasses import dataclass

from core.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseConfirmed(DomainEvent):
    """An answer, or a revision of it, has settled as a person's. `response` is the Response's primary key."""

    response: int
