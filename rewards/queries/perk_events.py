"""VIP events: for whom they are, and what a customer sees of their invitations."""

from django.db.models import Count, Q, QuerySet

from referrals.models import Customer, Program
from referrals.queries.people import living_customers
from referrals.queries.programs import current_offer, terms_of
from rewards.models import EventInvitation, PerkEvent, TierStanding
from rewards.queries.holding import held_by_rewards, perks_bought


def audience_of(event: PerkEvent) -> QuerySet[Customer]:
    """Return the customers the event is for: VIPs, those of its tiers, those with its perk; nobody if none is set."""
    chosen = Q(pk__in=[])
    standings = TierStanding.objects.all()
    if event.program_id:
        standings = standings.filter(program=event.program_id)
    if event.for_vips:
        chosen |= Q(pk__in=standings.filter(vip=True).values("customer"))
    if event.tiers:
        chosen |= Q(pk__in=standings.filter(level__in=event.tiers).values("customer"))
    if event.perk:
        chosen |= Q(pk__in=_holders(event, standings))
    return living_customers().filter(chosen)


def _holders(event: PerkEvent, standings: "QuerySet[TierStanding]") -> set[int]:
    """Return who has the event's perk by a tier, a reward or points; for one program: by what it gave."""
    slug = event.perk.slug if event.perk else ""
    by_tier = {
        customer for customer, perks in standings.exclude(perks=[]).values_list("customer", "perks") if slug in perks
    }
    by_reward = {one.customer for one in held_by_rewards("perk", slug=slug, program=event.program_id)}
    bought = set() if event.program_id else {one.customer for one in perks_bought(slug=slug)}
    return by_tier | by_reward | bought


def invitations_of(customer: Customer) -> QuerySet[EventInvitation]:
    """Return the customer's invitations with their events, the latest event first."""
    return (
        EventInvitation.objects.filter(customer=customer)
        .exclude(event__state=PerkEvent.State.DRAFT)
        .select_related("event")
        .order_by("-event__starts_at", "-pk")
    )


def events_with_counts() -> QuerySet[PerkEvent]:
    """Return events with how many were invited, come and wait."""
    states = EventInvitation.State
    return PerkEvent.objects.annotate(
        invited=Count("invitations"),
        coming=Count("invitations", filter=Q(invitations__state=states.COMING)),
        waiting=Count("invitations", filter=Q(invitations__state=states.WAITING)),
    )


def place_in_line(invitation: EventInvitation) -> int:
    """Return the customer's place in the waiting list from 1, or 0 where they do not wait."""
    if invitation.state != EventInvitation.State.WAITING:
        return 0
    ahead = EventInvitation.objects.filter(
        event=invitation.event_id,
        state=EventInvitation.State.WAITING,
        waiting_number__lt=invitation.waiting_number,
    )
    return ahead.count() + 1


def tier_names() -> list[str]:
    """Return the names of the tiers of all programs' current offers, each once."""
    found: list[str] = []
    for program in Program.objects.prefetch_related("offers").order_by("slug"):
        tiers = terms_of(current_offer(program)).tiers if program.offers.all() else None
        found += [level.name for level in tiers.levels] if tiers else []
    return list(dict.fromkeys(found))
