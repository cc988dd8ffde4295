"""What happens in referrals that other apps may react to."""

from dataclasses import dataclass

from core.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecorded(DomainEvent):
    """The company reported a fact. `event` is the Event's primary key, `source` the way it came in by.

    `named` says that it carries a search by name.
    """

    event: int
    type: str
    source: str
    named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsRecorded(DomainEvent):
    """Facts were reported together of which none touches a referral or a coupon; `events` are their primary keys."""

    events: tuple[int, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralJudged(DomainEvent):
    """A referral was bound or judged anew; `before` and `after` are its states ('' before the binding).

    `event` is the key of the Event that led here, 0 where time or staff did. `day_before` and
    `day_after` are the ISO dates (installation zone) of its qualifying event before and now, or ''.
    """

    referral: int
    event: int
    before: str
    after: str
    day_before: str
    day_after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClicksRecorded(DomainEvent):
    """Share links were visited; `days` are the ISO dates (installation zone) of the clicks."""

    days: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRecorded(DomainEvent):
    """A link was passed on; `days` are the ISO dates (installation zone)."""

    days: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksExposed(DomainEvent):
    """Advocates were first shown what is tried on their links; `days` are the ISO dates from then on until now."""

    days: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferSeen(DomainEvent):
    """An offer was seen or opened; `days` are the ISO dates (installation zone)."""

    days: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomersMerged(DomainEvent):
    """A customer (primary keys) turned out to be another, `customer`, to whom all of the `source` belongs now."""

    customer: int
    source: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendClaimed(DomainEvent):
    """A friend named a customer who is to be asked; `claim` is the FriendClaim's primary key."""

    claim: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopSilent(DomainEvent):
    """The shop has not answered for 72 hours whether a referral may be paid; `veto` is the VetoCall's key."""

    veto: int
