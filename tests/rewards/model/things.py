"""What the model's world is made of."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tests.rewards.model.promises import Promise, Rule
from tests.rewards.model.purse import Lot, Purse, Spending

PAYING = ("qualified", "approved")
AFTER_RELEASE = ("available", "revoked")


def when(fact: dict) -> datetime:
    return datetime.fromisoformat(fact["occurred_at"])


def place(fact: dict) -> tuple[datetime, bytes]:
    """The natural order of events: by instant, ties by id as bytes (rule 4)."""
    return when(fact), fact["event_id"].encode()


@dataclass
class Purchase:
    """A purchase with what is left of it."""

    fact: dict
    at: datetime
    currency: str
    paid: Decimal
    net: Decimal

    @property
    def id(self) -> str:
        return self.fact["event_id"]


@dataclass
class Evidence:
    """An event that named an advocate, as it was understood on arrival."""

    fact: dict
    touch: datetime
    advocate: str
    cycle: bool


@dataclass(eq=False)
class Reward:
    """What was decided once: granted, or refused with a reason."""

    rule: str
    moment: str
    recipient: str
    side: str
    cause: str
    state: str
    reason: str = ""
    points: int = 0
    available_at: datetime | None = None
    multiplier: Decimal = Decimal(1)
    rule_in_file: Rule | None = None
    expires: int | None = None
    reached: int = 0
    held: bool = False
    cleared: bool = False
    by_staff: bool = False
    lot: Lot | None = None
    serial: int = 0

    @property
    def stands(self) -> bool:
        return self.state in ("pending", "available")


@dataclass(eq=False)
class Referral:
    """One friend credited to one advocate. `state` is '' until first judged."""

    program: str
    friend: str
    advocate: str
    binding: Evidence
    promise: Promise
    state: str = ""
    reason: str = ""
    qualifying: str = ""
    qualified_at: datetime | None = None
    limited: bool = False
    by_staff: bool = False
    pardoned: bool = False
    flagged: bool = False
    signup_decided: str = ""
    decided: set[str] = field(default_factory=set)
    rewards: list[Reward] = field(default_factory=list)

    @property
    def bound_at(self) -> datetime:
        return when(self.binding.fact)

    @property
    def live(self) -> bool:
        return self.state in ("signed_up", "qualified", "approved", "reversed", "flagged")

    @property
    def paying(self) -> bool:
        """Counts for tiers and milestones."""
        return self.state in PAYING

    def standing(self, *moments: str) -> list[Reward]:
        return [one for one in self.rewards if one.stands and one.moment in moments]


@dataclass
class Chain:
    """All that one friend went through in one program: whose evidence counts now, and the referrals so far."""

    owner: str = ""
    heard: dict[str, list[Evidence]] = field(default_factory=dict)
    current: list[Referral] = field(default_factory=list)
    past: list[Referral] = field(default_factory=list)

    @property
    def evidence(self) -> list[Evidence]:
        return self.heard.setdefault(self.owner, [])

    @property
    def last(self) -> Referral | None:
        return self.current[-1] if self.current else (self.past[-1] if self.past else None)


@dataclass
class Program:
    """A program's offers in the order of their publication; the first counts as live since ever."""

    slug: str
    offers: list[tuple[datetime, Promise]]
    chains: dict[str, Chain] = field(default_factory=dict)

    def offer_at(self, at: datetime) -> Promise:
        live = [promise for since, promise in self.offers if since <= at]
        return live[-1] if live else self.offers[0][1]

    @property
    def budget(self) -> int | None:
        """Only the budget is the program's current one."""
        return self.offers[-1][1].budget

    def referrals(self) -> Iterator[Referral]:
        for chain in self.chains.values():
            yield from chain.past
            yield from chain.current

    def granted(self) -> int:
        """Points granted and not taken back (rule 11)."""
        return sum(one.points for referral in self.referrals() for one in referral.rewards if one.stands)


@dataclass
class World:
    """Everything; facts in order of receipt."""

    programs: dict[str, Program] = field(default_factory=dict)
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    clicks: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    facts: dict[str, dict] = field(default_factory=dict)
    purses: dict[str, Purse] = field(default_factory=dict)
    spendings: list[tuple[str, Spending]] = field(default_factory=list)
    erased: set[str] = field(default_factory=set)
    grants: int = 0

    def purse(self, who: str) -> Purse:
        return self.purses.setdefault(who, Purse())

    def purchases(self, who: str) -> list[Purchase]:
        """A friend's purchases in natural order; a refund belongs to its order, whoever it names (rule 7)."""
        found = []
        for fact in self.facts.values():
            if fact["type"] != "purchase" or fact["customer"]["external_id"] != who:
                continue
            order = fact["order"]
            back = sum(
                Decimal(other["order"]["amount"])
                for other in self.facts.values()
                if other["type"] == "refund"
                and (other["order"]["id"], other["order"]["currency"]) == (order["id"], order["currency"])
            )
            paid = Decimal(order["amount"])
            found.append(Purchase(fact, when(fact), order["currency"], paid, max(Decimal(0), paid - back)))
        return sorted(found, key=lambda one: place(one.fact))

    def named(self, who: str, name: str) -> list[dict]:
        """A friend's custom events of one name in natural order."""
        rows = [f for f in self.facts.values() if f["customer"]["external_id"] == who and f.get("name") == name]
        return sorted(rows, key=place)
