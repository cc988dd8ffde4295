"""What happens among staff that other apps may react to."""

from dataclasses import dataclass

from core.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAsked(DomainEvent):
    """Somebody asked for a change that waits for a second person; `change` is its primary key."""

    change: int
