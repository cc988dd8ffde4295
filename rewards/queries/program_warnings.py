"""What a program promises that nothing stands behind yet."""

from referrals.program_file import ProgramDocument
from referrals.terms import Terms
from rewards.models import Badge, ChoiceGroup, CouponPool, Perk


def reward_warnings(document: ProgramDocument) -> list[str]:
    """Return the coupon pools, choices, badges and perks that are named and do not exist.

    Rewards wait for a pool or a choice; a badge or perk without words is shown by its name.
    """
    terms = document.terms
    pools = set(CouponPool.objects.values_list("name", flat=True))
    groups = set(ChoiceGroup.objects.filter(options__offered=True).values_list("name", flat=True))
    waits = "rewards wait until there is one"
    bare = "it is shown by its name until it has words of its own"
    told = [f"there is no coupon pool {name!r}: {waits}" for name in _named(terms, "coupon") if name not in pools]
    told += [
        f"there is nothing to choose in {name!r}: {waits}" for name in _named(terms, "choice") if name not in groups
    ]
    badges = set(Badge.objects.values_list("slug", flat=True))
    perks = set(Perk.objects.values_list("slug", flat=True))
    told += [f"there is no badge {name!r}: {bare}" for name in _badges(terms) if name not in badges]
    told += [f"there is no perk {name!r}: {bare}" for name in _perks(terms) if name not in perks]
    return told


def _named(terms: Terms, kind: str) -> list[str]:
    return list(dict.fromkeys(rule.what for rule in terms.rewards if rule.kind == kind))


def _badges(terms: Terms) -> list[str]:
    by_milestone = [one.badge for one in terms.milestones if one.badge]
    return list(dict.fromkeys([*_named(terms, "badge"), *by_milestone]))


def _perks(terms: Terms) -> list[str]:
    by_tier = [perk for level in (terms.tiers.levels if terms.tiers else ()) for perk in level.perks]
    return list(dict.fromkeys([*_named(terms, "perk"), *by_tier]))
