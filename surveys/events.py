"""What happens in surveys that other apps may react to."""

from dataclasses import dataclass

from core.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseConfirmed(DomainEvent):
    """A person confirmed an answer or revised it. `response` is the Response's primary key.

    `day` is the ISO date (installation zone) the answer now counts on, `previous_day` the one it
    counted on before the revision, '' for a first answer.
    """

    response: int
    day: str
    previous_day: str
