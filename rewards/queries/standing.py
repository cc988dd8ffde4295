"""Where customers stand: tier and next milestone in each program, badges and perks they hold."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core import clocks
from referrals.conditions import Value
from referrals.judgement import COUNTED
from referrals.models import Customer, Program, Referral
from referrals.queries.conditions import customer_values
from referrals.queries.programs import current_offer, terms_of
from referrals.terms import Terms
from rewards.models import TierStanding
from rewards.queries.holding import held_by_rewards, perks_bought
from rewards.standing import AdvocateStanding, NextMilestone, level_for, next_milestone, standing_at


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipStanding:
    """An advocate's standing in one program: `total` counts for milestones, `tier` is None without tiers."""

    terms: Terms
    total: int
    tier: AdvocateStanding | None
    next_milestone: NextMilestone | None


def counted_moments(customer: int, programs: Collection[int]) -> dict[int, list[datetime]]:
    """Return per program when the advocate's referrals that count now qualified."""
    found: dict[int, list[datetime]] = {program: [] for program in programs}
    rows = Referral.objects.filter(advocate_id=customer, program_id__in=programs, state__in=COUNTED)
    for program, moment in rows.values_list("program_id", "qualified_at"):
        if moment is not None:
            found[program].append(moment)
    return found


def memberships_of(customer: Customer, programs: Iterable[Program], *, at: datetime) -> dict[int, MembershipStanding]:
    """Return the customer's standing at `at` in each program by its current offer; prefetch `offers`."""
    by_pk = {program.pk: program for program in programs}
    moments = counted_moments(customer.pk, list(by_pk))
    values = customer_values(customer)
    return {
        pk: membership_of(terms_of(current_offer(program)), moments[pk], values, at) for pk, program in by_pk.items()
    }


def membership_of(
    terms: Terms, moments: Collection[datetime], values: Mapping[str, Value], at: datetime
) -> MembershipStanding:
    """Return the standing that moments give by the terms."""
    return MembershipStanding(
        terms=terms,
        total=len(moments),
        tier=standing_at(terms.tiers, moments, values, at) if terms.tiers else None,
        next_milestone=next_milestone(terms.milestones, len(moments)),
    )


def badges_of(customer: Customer) -> dict[str, datetime]:
    """Return the slugs of the badges the customer holds with the moment each came, oldest first."""
    found: dict[str, datetime] = {}
    for badge in held_by_rewards("badge", customers=[customer.pk]):
        found.setdefault(badge.slug, badge.at)
    return found


def perk_slugs_of(customer: Customer) -> list[str]:
    """Return the slugs of the perks the customer has: by tiers shown to them, rewards and points, each once."""
    by_tier = TierStanding.objects.filter(customer=customer).order_by("pk").values_list("perks", flat=True)
    given = [slug for perks in by_tier for slug in perks]
    given += [perk.slug for perk in held_by_rewards("perk", customers=[customer.pk])]
    given += [perk.slug for perk in perks_bought(customers=[customer.pk])]
    return [slug for slug in dict.fromkeys(given) if slug]


def tiers_by_program(pks: Sequence[int], slugs: Collection[str]) -> dict[int, dict[str, Value]]:
    """Return the name of the tier shown to each customer in each of the programs, None where there is none.

    Who never referred anybody stands where everybody begins. Three queries, however many customers.
    """
    programs = list(Program.objects.filter(slug__in=slugs).prefetch_related("offers"))
    begins = {program.slug: _first_level(terms_of(current_offer(program))) for program in programs}
    found: dict[int, dict[str, Value]] = {pk: {slug: begins.get(slug) for slug in slugs} for pk in pks}
    rows = TierStanding.objects.filter(customer__in=pks, program__in=programs, offer__isnull=False)
    for pk, slug, level in rows.values_list("customer", "program__slug", "level"):
        found[pk][slug] = level or None
    return found


def _first_level(terms: Terms) -> str | None:
    level = level_for(terms.tiers, 0, {}, clocks.now()) if terms.tiers else None
    return level.name if level else None
