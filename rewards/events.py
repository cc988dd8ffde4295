"""What happens in rewards that other apps may react to."""

from dataclasses import dataclass

from core.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsMoved(DomainEvent):
    """The ledger was written; `days` are the ISO dates (installation zone) of the new transfers."""

    days: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardsReleased(DomainEvent):
    """Rewards became available to one recipient together; the fields are primary keys."""

    recipient: int
    rewards: tuple[int, ...]
