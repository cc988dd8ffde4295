"""What an event led to: the referrals it touches and the rewards it caused."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from core.dispatch import settled
from referrals.models import Click, Event, NameSearch, Referral
from referrals.queries.claims import claim_of_coupon
from referrals.queries.links import link_of_code
from rewards.models import Reward, RewardStep


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
    return decisions_of([event])[0]


def decisions_of(events: Sequence[Event]) -> list[Decision]:
    """Return what each event led to, in their order; many in as few statements as one, but for those with evidence."""
    done = settled([f"event:{event.pk}" for event in events])
    friends = _friends_of(events)
    referrals: dict[int, list[Referral]] = defaultdict(list)
    for referral in referrals_with_people().filter(friend__in=set(friends.values())).order_by("pk"):
        referrals[referral.friend_id].append(referral)
    rewards = _rewards_of({event.pk for event in events})
    return [
        Decision(
            event=event,
            settled=f"event:{event.pk}" in done,
            named=_named(event, chosen),
            referrals=chosen,
            rewards=rewards[event.pk],
        )
        for event in events
        for chosen in (_one_a_program(referrals[friends[event.pk]]),)
    ]


def _friends_of(events: Sequence[Event]) -> dict[int, int]:
    """Return whose referrals each event touches: its customer's, a refund's those of whoever bought the order."""
    orders = {event.order_id for event in events if event.type == Event.Type.REFUND}
    purchases = Event.objects.filter(type=Event.Type.PURCHASE, order_id__in=orders) if orders else Event.objects.none()
    buyers = dict(purchases.values_list("order_id", "customer"))
    return {
        event.pk: (buyers.get(event.order_id) if event.type == Event.Type.REFUND else None) or event.customer_id
        for event in events
    }


def _rewards_of(events: set[int]) -> dict[int, list[Reward]]:
    """Return per event the rewards that it caused or that took a step through it, in order."""
    pairs = set(Reward.objects.filter(event__in=events).values_list("event_id", "pk"))
    steps = RewardStep.objects.filter(event__in=events).values_list("event_id", "reward_id")
    pairs |= {(event, reward) for event, reward in steps if event is not None}
    rewards = rewards_with_people().in_bulk({reward for _, reward in pairs}) if pairs else {}
    found: dict[int, list[Reward]] = defaultdict(list)
    for event, reward in sorted(pairs):
        found[event].append(rewards[reward])
    return found


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
    if event.click_id.startswith("nam_"):
        searches = NameSearch.objects.filter(search_id=event.click_id)
        program = searches.values_list("program", flat=True).first()
    elif event.click_id:
        program = Click.objects.filter(click_id=event.click_id).values_list("program", flat=True).first()
    if program is None and event.code:
        link = link_of_code(event.code)
        program = link.program_id if link else None
    if program is None and event.coupon:
        behind = link_of_code(event.coupon) or claim_of_coupon(event.coupon)
        program = behind.program_id if behind else None
    named = [referral for referral in referrals if referral.program_id == program]
    return next(iter(named or referrals[-1:]), None)
