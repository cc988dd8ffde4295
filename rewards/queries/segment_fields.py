"""What a segment may ask of a customer's points and rewards."""

from collections.abc import Callable, Collection, Mapping, Sequence

from django.db.models import Count

from referrals.conditions import Value
from referrals.models import Customer
from referrals.segments import Registered, SegmentFamily, SegmentField
from rewards.models import Reward, TierStanding
from rewards.queries.balances import points_of_many
from rewards.queries.holding import held_by_rewards, perks_bought
from rewards.queries.standing import tiers_by_program


def _points(bucket: str) -> Callable[[Sequence[int]], Mapping[int, Value]]:
    def values(pks: Sequence[int]) -> Mapping[int, Value]:
        purses = points_of_many(Customer(pk=pk) for pk in pks)
        return {pk: getattr(points, bucket) for pk, points in purses.items()}

    return values


def rewards_standing(pks: Sequence[int]) -> Mapping[int, Value]:
    """Return how many rewards each customer was promised or given that stand."""
    rows = Reward.objects.filter(recipient__in=pks, state__in=Reward.STANDING).values("recipient")
    return dict.fromkeys(pks, 0) | dict(rows.annotate(n=Count("pk")).order_by().values_list("recipient", "n"))


def badges(pks: Sequence[int], slugs: Collection[str]) -> Mapping[int, Mapping[str, Value]]:
    """Tell of each customer which badges they hold."""
    found: dict[int, dict[str, Value]] = {pk: dict.fromkeys(slugs, False) for pk in pks}
    for badge in held_by_rewards("badge", customers=pks):
        if badge.slug in slugs:
            found[badge.customer][badge.slug] = True
    return found


def perks(pks: Sequence[int], slugs: Collection[str]) -> Mapping[int, Mapping[str, Value]]:
    """Tell of each customer which perks they have: by tiers shown to them, rewards and points."""
    found: dict[int, dict[str, Value]] = {pk: dict.fromkeys(slugs, False) for pk in pks}
    by_tier = TierStanding.objects.filter(customer__in=pks).exclude(perks=[]).values_list("customer", "perks")
    held = [(pk, slug) for pk, given in by_tier for slug in given]
    held += [(one.customer, one.slug) for one in held_by_rewards("perk", customers=pks)]
    held += [(one.customer, one.slug) for one in perks_bought(customers=pks)]
    for pk, slug in held:
        if slug in slugs:
            found[pk][slug] = True
    return found


def vips(pks: Sequence[int]) -> Mapping[int, Value]:
    """Tell of each customer whether a tier of theirs makes them a VIP."""
    rows = TierStanding.objects.filter(customer__in=pks, vip=True)
    return dict.fromkeys(pks, False) | dict.fromkeys(rows.values_list("customer", flat=True), True)


SEGMENT_FIELDS: list[Registered] = [
    SegmentField("points.available", "number", "points to spend", _points("available")),
    SegmentField("points.pending", "number", "points on their way", _points("pending")),
    SegmentField("points.debt", "number", "points owed", _points("debt")),
    SegmentField("points.lifetime", "number", "points ever released and not taken back", _points("lifetime")),
    SegmentField("points.redeemed", "number", "points spent", _points("redeemed")),
    SegmentField("rewards.count", "number", "rewards promised or given that stand", rewards_standing),
    SegmentFamily("tier.*", "text", "tier in a program, by its slug, such as tier.refer-a-friend", tiers_by_program),
    SegmentField("vip", "flag", "a tier of theirs is for VIPs", vips),
    SegmentFamily("badges.*", "flag", "holds a badge, by its slug", badges),
    SegmentFamily("perks.*", "flag", "has a perk, by its slug", perks),
]
