"""Where customers stand: tier and next milestone in each program, badges and perks they hold."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from referrals.conditions import Value
from referrals.judgement import COUNTED
from referrals.models import Customer, Program, Referral
from referrals.queries.conditions import customer_values
from referrals.queries.programs import current_offer, terms_of
from referrals.terms import Terms
from rewards.models import Reward, TierStanding
from rewards.standing import AdvocateStanding, NextMilestone, next_milestone, standing_at

HELD = (Reward.State.AVAILABLE, Reward.State.FULFILLED)


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
    rows = Reward.objects.filter(recipient=customer, kind="badge", state__in=HELD).order_by("available_at", "pk")
    found: dict[str, datetime] = {}
    for detail, moment in rows.values_list("detail", "available_at"):
        found.setdefault(str(detail.get("what", "")), moment)
    found.pop("", None)
    return found


def perk_slugs_of(customer: Customer) -> list[str]:
    """Return the slugs of the perks the customer has: by the tiers shown to them and by rewards, each once."""
    by_tier = TierStanding.objects.filter(customer=customer).order_by("pk").values_list("perks", flat=True)
    by_reward = Reward.objects.filter(recipient=customer, kind="perk", state__in=HELD).order_by("available_at", "pk")
    given = [slug for perks in by_tier for slug in perks]
    given += [str(detail.get("what", "")) for detail in by_reward.values_list("detail", flat=True)]
    return [slug for slug in dict.fromkeys(given) if slug]
