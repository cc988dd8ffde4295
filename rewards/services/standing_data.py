"""What tiers, badges, events and leaderboards keep of a person: to hand out, and to make nobody's."""

from typing import Any

from referrals.models import Customer, Erasure
from referrals.services.erasing import PersonalData
from rewards.models import EventInvitation, LeaderboardPlace, PerkEvent, TierChange, TierStanding
from rewards.queries.leaderboards import display_name_of
from rewards.queries.standing import badges_of, perk_slugs_of
from rewards.services.leaderboards import leave_leaderboards
from rewards.services.perk_events import answer_invitation


def _export(customer: Customer) -> dict[str, Any]:
    """Return all that is kept of the customer's standing as JSON values."""
    standings = TierStanding.objects.filter(customer=customer).select_related("program").order_by("pk")
    changes = TierChange.objects.filter(standing__customer=customer).select_related("standing__program").order_by("pk")
    invitations = EventInvitation.objects.filter(customer=customer).select_related("event").order_by("pk")
    places = LeaderboardPlace.objects.filter(customer=customer).select_related("result__leaderboard").order_by("pk")
    return {
        "tiers": [{"program": one.program.slug, "tier": one.level, "since": one.since} for one in standings],
        "tier_changes": [
            {"program": one.standing.program.slug, "at": one.at, "from": one.before, "to": one.after, "why": one.why}
            for one in changes
        ],
        "badges": list(badges_of(customer)),
        "perks": perk_slugs_of(customer),
        "events": [
            {"event": one.event.title, "starts_at": one.event.starts_at, "answer": one.state, "came": one.came}
            for one in invitations
        ],
        "display_name": display_name_of(customer) or None,
        "leaderboards": [
            {"leaderboard": str(one.result), "rank": one.rank, "friends": one.count, "prize": one.prize}
            for one in places
        ],
    }


def _erase(customer: Customer, receipt: Erasure) -> None:
    """Drop the chosen name and give back the places at events to come; ranks and counts stay, nameless."""
    leave_leaderboards(customer=customer)
    states = EventInvitation.State
    ahead = EventInvitation.objects.filter(
        customer=customer,
        state__in=[states.COMING, states.WAITING],
        event__state=PerkEvent.State.PUBLISHED,
        event__opens_at__lte=receipt.at,
        event__starts_at__gt=receipt.at,
    )
    for invitation in ahead.order_by("event"):
        answer_invitation(invitation=invitation, coming=False, at=receipt.at)


PERSONAL_DATA = PersonalData("standing", _export, _erase)
