"""What the portal shows of a customer's standing: the ring of each tier, the next milestone, badges, perks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import prefetch_related_objects

from referrals.models import Customer, Program
from referrals.terms import Milestone
from rewards.queries.badges import BadgeCard, badge_cards
from rewards.queries.holding import HELD, held_by_rewards
from rewards.queries.standing import MembershipStanding, memberships_of
from rewards.standing import AdvocateStanding

FULL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TierCard:
    """A tier to show: `percent` of the way from the shown tier to the next; `held_until` only where it ends soon."""

    name: str
    vip: bool
    multiplier: Decimal | None
    count: int
    window_days: int
    next: str
    to_next: int
    percent: int
    at_risk: bool
    needed: int
    held_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneCard:
    """A milestone ahead: its number of friends, how many are missing, what it gives."""

    referrals: int
    to_go: int
    percent: int
    points: int
    badge: BadgeCard | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingCard:
    """A customer's standing in one program; both None where the program has neither tiers nor milestones."""

    program: str
    slug: str
    tier: TierCard | None
    milestone: MilestoneCard | None


@dataclass(frozen=True, slots=True)
class EarnedBadge:
    """A badge the customer holds since `at`, or that is theirs from then on."""

    card: BadgeCard
    at: datetime
    coming: bool


def standing_cards(customer: Customer, programs: Iterable[Program], *, at: datetime) -> list[StandingCard]:
    """Return the customer's standing in each program that has tiers or milestones ahead, in the order given."""
    listed = list(programs)
    prefetch_related_objects(listed, "offers")
    found = memberships_of(customer, listed, at=at)
    ahead = [one.next_milestone.milestone.badge for one in found.values() if one.next_milestone]
    badges = badge_cards(slug for slug in ahead if slug)
    cards = [_standing_card(program, found[program.pk], badges) for program in listed]
    return [card for card in cards if card.tier or card.milestone]


def _standing_card(program: Program, found: MembershipStanding, badges: dict[str, BadgeCard]) -> StandingCard:
    ahead = found.next_milestone
    return StandingCard(
        program=program.name,
        slug=program.slug,
        tier=_tier_card(found.tier, found.terms.tiers.window_days) if found.tier and found.terms.tiers else None,
        milestone=_milestone_card(ahead.milestone, ahead.to_go, found.total, badges) if ahead else None,
    )


def _tier_card(tier: AdvocateStanding, window_days: int) -> TierCard:
    goal = tier.next.least if tier.next else 0
    return TierCard(
        name=tier.shown.name if tier.shown else "",
        vip=tier.shown.vip if tier.shown else False,
        multiplier=_times(tier),
        count=tier.count,
        window_days=window_days,
        next=tier.next.name if tier.next else "",
        to_next=tier.to_next,
        percent=min(FULL, tier.count * FULL // goal) if goal else FULL,
        at_risk=tier.at_risk,
        needed=tier.needed,
        held_until=tier.held_until if tier.at_risk or tier.in_grace else None,
    )


def _times(tier: AdvocateStanding) -> Decimal | None:
    """Return what points are multiplied by, where they are; days of grace do not multiply."""
    return tier.level.multiplier if tier.level and tier.level.multiplier != 1 else None


def _milestone_card(one: Milestone, to_go: int, total: int, badges: dict[str, BadgeCard]) -> MilestoneCard:
    return MilestoneCard(
        referrals=one.referrals,
        to_go=to_go,
        percent=min(FULL, total * FULL // one.referrals),
        points=one.points or 0,
        badge=badges.get(one.badge),
    )


def earned_badges(customer: Customer) -> list[EarnedBadge]:
    """Return the customer's badges, the newest first; those still in their hold come at the end."""
    rows = list(held_by_rewards("badge", customers=[customer.pk], coming=True))
    held: dict[str, datetime] = {}
    coming: dict[str, datetime] = {}
    for badge in reversed(rows):
        (held if badge.state in HELD else coming)[badge.slug] = badge.at
    cards = badge_cards([*held, *coming])
    found = [EarnedBadge(cards[slug], moment, False) for slug, moment in held.items()]
    later = [EarnedBadge(cards[slug], moment, True) for slug, moment in coming.items() if slug not in held]
    return found + later
