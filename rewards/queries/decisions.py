"""What an event led to: the referrals it touches and the rewards it caused."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from core.dispatch import settled
from referrals.models import Click, Event, Referral
from referrals.queries.claims import claim_of_coupon
from referrals.queries.links import link_of_code
from rewards.models import Reward


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """An event with its decision: `named` is the referral its evidence names, else the newest, else None."""

    event: Event
    settled: bool
    named: Referral | None
    referrals: list[Referral]
    rewards: list[Reward]


def rewards_with_people() -> QuerySet[Reward]:
    """Return rewards with what showing them needs."""
    return Reward.objects.select_related("recipient", "program", "referral")


def referrals_with_people() -> QuerySet[Referral]:
    """Return referrals with what showing them needs."""
    return Referral.objects.select_related("program", "advocate", "friend")


def decision_of(event: Event) -> Decision:
    """Return what the event led to, as it stands now: one referral per program it touches."""
    referrals = _one_a_program(referrals_with_people().filter(friend_id=_friend_of(event)).order_by("pk"))
    rewards = rewards_with_people().filter(Q(event=event) | Q(steps__event=event)).distinct().order_by("pk")
    return Decision(
        event=event,
        settled=bool(settled([f"event:{event.pk}"])),
        named=_named(event, referrals),
        referrals=referrals,
        rewards=list(rewards),
    )


def _friend_of(event: Event) -> int:
    if event.type == Event.Type.REFUND:
        purchase = Event.objects.filter(type=Event.Type.PURCHASE, order_id=event.order_id).first()
        if purchase is not None:
            return purchase.customer_id
    return event.customer_id


def _one_a_program(referrals: Iterable[Referral]) -> list[Referral]:
    """Return a friend's live referral per program, or the newest where none is live."""
    chosen: dict[int, Referral] = {}
    for referral in referrals:
        current = chosen.get(referral.program_id)
        if current is None or current.state not in Referral.LIVE:
            chosen[referral.program_id] = referral
    return sorted(chosen.values(), key=lambda referral: referral.pk)


def _named(event: Event, referrals: list[Referral]) -> Referral | None:
    program = None
    if event.click_id:
        program = Click.objects.filter(click_id=event.click_id).values_list("program", flat=True).first()
    if program is None and event.code:
        link = link_of_code(event.code)
        program = link.program_id if link else None
    if program is None and event.coupon:
        behind = link_of_code(event.coupon) or claim_of_coupon(event.coupon)
        program = behind.program_id if behind else None
    named = [referral for referral in referrals if referral.program_id == program]
    return next(iter(named or referrals[-1:]), None)
