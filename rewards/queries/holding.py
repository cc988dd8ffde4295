"""Who holds which badges and perks: by a reward, by what was chosen of one, by points."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from rewards.models import Redemption, Reward

HELD = (Reward.State.AVAILABLE, Reward.State.FULFILLED)


class Held(NamedTuple):
    """A badge or perk by its slug, whose it is, in which state and from when on."""

    customer: int
    slug: str
    state: str
    at: datetime


def held_by_rewards(
    kind: str,
    *,
    customers: Iterable[int] | None = None,
    slug: str = "",
    program: int | None = None,
    coming: bool = False,
) -> Iterator[Held]:
    """Yield what rewards of a kind gave, the oldest first; with `coming` also what is still in its hold.

    A choice is of the kind that was chosen, from the moment it is given.
    """
    chosen = Q(kind="choice", detail__gift__kind=kind, state=Reward.State.FULFILLED)
    rewards = Reward.objects.filter(Q(kind=kind, state__in=(*HELD, Reward.State.PENDING) if coming else HELD) | chosen)
    if customers is not None:
        rewards = rewards.filter(recipient__in=customers)
    if program is not None:
        rewards = rewards.filter(program=program)
    rows = rewards.order_by("available_at", "pk").values_list("recipient", "detail", "state", "available_at")
    for customer, detail, state, moment in rows:
        found = str((detail.get("gift") or detail).get("what", ""))
        if found and slug in ("", found):
            yield Held(customer, found, state, moment)


def perks_bought(*, customers: Iterable[int] | None = None, slug: str = "") -> Iterator[Held]:
    """Yield the perks that were redeemed for points, the oldest first."""
    bought = Redemption.objects.filter(kind="perk", state=Redemption.State.FULFILLED)
    if customers is not None:
        bought = bought.filter(customer__in=customers)
    for customer, detail, state, moment in bought.order_by("pk").values_list(
        "customer", "detail", "state", "created_at"
    ):
        found = str(detail.get("what", ""))
        if found and slug in ("", found):
            yield Held(customer, found, state, moment)
