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


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardsWithdrawn(DomainEvent):
    """Rewards of other kinds than points were taken back: cancelled or revoked; the fields are primary keys."""

    rewards: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneReached(DomainEvent):
    """An advocate reached a milestone; `rewards` are what it gives, `number` how many referrals it stands for."""

    customer: int
    program: int
    number: int
    rewards: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingChanged(DomainEvent):
    """The referrals that count for an advocate's tier and milestones in a program may have changed."""

    customer: int
    program: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChanged(DomainEvent):
    """The tier shown to an advocate changed; `change` is the primary key of the TierChange."""

    change: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardClosed(DomainEvent):
    """A period of a leaderboard is closed; `result` is the primary key of the LeaderboardResult."""

    result: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TierAtRisk(DomainEvent):
    """A tier will be lost soon unless more friends come; `standing` is the primary key of the TierStanding."""

    standing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneNear(DomainEvent):
    """One referral is missing to a milestone; `standing` is the primary key, `referrals` the milestone's number."""

    standing: int
    referrals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneLost(DomainEvent):
    """A milestone is no longer reached; `standing` is the primary key, `referrals` the milestone's number."""

    standing: int
    referrals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersInvited(DomainEvent):
    """Customers were invited to a VIP event; `invitations` are primary keys."""

    invitations: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesFreed(DomainEvent):
    """Customers moved up from the waiting list of a VIP event; `invitations` are primary keys."""

    invitations: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerkEventCancelled(DomainEvent):
    """A VIP event will not take place; `event` is its primary key."""

    event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealAnswered(DomainEvent):
    """Staff answered a customer's appeal; `appeal` is its primary key."""

    appeal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardFulfilled(DomainEvent):
    """A reward of another kind than points has reached its recipient; `reward` is its primary key."""

    reward: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceOffered(DomainEvent):
    """A customer may choose one of several rewards; `reward` is the primary key of the choice."""

    reward: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRunsLow(DomainEvent):
    """The codes of a coupon pool are forecast to run out soon, or have; `day` is the local ISO date of the alert."""

    pool: int
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStageReached(DomainEvent):
    """A program's budget reached a stage ('80', '95', 'soon' or 'spent') for the first time; `program` is its key."""

    program: int
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsExpiring(DomainEvent):
    """Points of a customer will expire: how many, between which ISO moments, told `days` before.

    `lot` is the first of them, `days` 30 or 7.
    """

    customer: int
    lot: int
    points: int
    first_at: str
    last_at: str
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionPlaced(DomainEvent):
    """A customer gave points for something that is to be handed over now."""

    redemption: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionSettled(DomainEvent):
    """A redemption came to its end: 'fulfilled', 'cancelled' or 'failed'."""

    redemption: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardsStepped(DomainEvent):
    """Rewards of any kind took a step in their lives; `steps` are (primary key, what) pairs in their order."""

    steps: tuple[tuple[int, str], ...]
