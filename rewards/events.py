"""What happens in rewards that other apps may react to."""

from dataclasses import dataclass

from core.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsMoved(DomainEvent):
    """The ledger was written; `days` are the ISO dates (installation zone) of the new transfers."""

    days: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardReleased(DomainEvent):
    """A reward became available to its recipient. `reward` is its primary key."""

    reward: int
