"""What the product and the independent model say of one story, side by side."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from referrals.models import Referral
from rewards.models import Account, Lot, Reward
from tests.rewards.model.steps import Model

NOTES = ("currency_mismatch", "duplicate")
"""Refusals that move no points and of which the rules leave open how many are noted."""


def differences(model: Model) -> Iterator[str]:
    """Yield in words all that the product says otherwise than the model."""
    standing, refused = product_rewards()
    for name, product, wanted in (
        ("referrals", product_referrals(), model_referrals(model)),
        ("standing", standing, model_standing(model)),
        ("refused", refused, model_refused(model)),
        ("purses", product_purses(), model_purses(model)),
    ):
        if product != wanted:
            yield f"{name}: the product alone says {without(product, wanted)}"
            yield f"{name}: the model alone says   {without(wanted, product)}"


def without(some: Any, others: Any) -> Any:
    """Return what is in `some` alone."""
    if isinstance(some, dict) and not isinstance(some, Counter):
        return {key: value for key, value in some.items() if others.get(key) != value}
    return sorted(some - others, key=repr)


def product_referrals() -> dict:
    """Return who is credited with whom, in which state and since when; several dead ones have no order."""
    columns = ("advocate__external_id", "state", "bound_at", "touch_at", "qualified_at")
    rows = Referral.objects.filter(state__in=Referral.LIVE)
    return {tuple(row[:2]): row[2:] for row in rows.values_list("program__slug", "friend__external_id", *columns)}


def model_referrals(model: Model) -> dict:
    return {
        (program.slug, friend): (one.advocate, one.state, one.bound_at, one.binding.touch, one.qualified_at)
        for program in model.programs.values()
        for friend, chain in program.chains.items()
        if (one := chain.last) is not None and one.live
    }


def product_rewards() -> tuple[Counter, set]:
    """Return what stands, and the refusals but those of `NOTES`."""
    standing: Counter = Counter()
    refused = set()
    columns = ("program__slug", "rule", "recipient__external_id", "event__event_id")
    for *what, points, state, at, reason in Reward.objects.values_list(
        *columns, "points", "state", "available_at", "reason"
    ):
        if state in Reward.STANDING:
            standing[*what, points, "pending" if state == "pending" else "available", at] += 1
        elif state == Reward.State.REFUSED and reason not in NOTES and reason != "reopened":
            refused.add((*what, reason))
    return standing, refused


def model_standing(model: Model) -> Counter:
    return Counter(
        (program.slug, one.rule, one.recipient, one.cause, one.points, one.state, one.available_at)
        for program in model.programs.values()
        for referral in program.referrals()
        for one in referral.rewards
        if one.stands
    )


def model_refused(model: Model) -> set:
    return {
        (program.slug, one.rule, one.recipient, one.cause, one.reason)
        for program in model.programs.values()
        for referral in program.referrals()
        for one in referral.rewards
        if one.state == "refused" and one.reason not in NOTES
    }


def product_purses() -> dict:
    """Return pending, available, debt and the lots that hold something, of whoever has something."""
    found: dict[str, dict[str, int]] = {}
    for who, kind, balance in Account.objects.exclude(customer=None).values_list(
        "customer__external_id", "kind", "balance"
    ):
        found.setdefault(who, {})[kind] = balance
    lots: dict[str, list] = {}
    for who, ends, remaining in Lot.objects.filter(remaining__gt=0).values_list(
        "account__customer__external_id", "expires_at", "remaining"
    ):
        lots.setdefault(who, []).append((str(ends), remaining))
    return _not_empty(
        {
            who: (*(kinds.get(kind, 0) for kind in ("pending", "available", "debt")), sorted(lots.get(who, [])))
            for who, kinds in found.items()
        }
    )


def model_purses(model: Model) -> dict:
    return _not_empty(
        {
            who: (
                *(purse.pending, purse.available, purse.debt),
                sorted((str(lot.expires_at), lot.remaining) for lot in purse.lots if lot.remaining),
            )
            for who, purse in model.purses.items()
        }
    )


def _not_empty(purses: dict) -> dict:
    return {who: purse for who, purse in purses.items() if purse != (0, 0, 0, [])}
