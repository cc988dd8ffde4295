"""What tiers, badges, events and leaderboards keep of a person: to hand out, and to make nobody's."""

from datetime import datetime
from typing import Any

from referrals.models import Customer, Erasure
from referrals.services.erasing import PersonalData
from rewards.models import DisplayName, EventInvitation, LeaderboardPlace, PerkEvent, TierChange, TierStanding
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


def _merge(source: Customer, into: Customer, at: datetime) -> dict[str, int]:
    """Let tiers' histories, event places and ranks be those of `into`; of two places at an event one is given back."""
    for standing in TierStanding.objects.filter(customer=source).order_by("pk"):
        own = TierStanding.objects.filter(customer=into, program=standing.program).first()
        if own is None:
            TierStanding.objects.filter(pk=standing.pk).update(customer=into)
        else:
            standing.changes.update(standing=own)
            standing.delete()
    if not DisplayName.objects.filter(customer=into).exists():
        DisplayName.objects.filter(customer=source).update(customer=into)
    LeaderboardPlace.objects.filter(customer=source).exclude(result__placed__customer=into).update(customer=into)
    invitations = EventInvitation.objects.filter(customer=source).select_related("event").order_by("pk")
    return {"events": sum(_merge_invitation(one, into, at) for one in invitations)}


_FIRST = (EventInvitation.State.COMING, EventInvitation.State.WAITING)


def _merge_invitation(invitation: EventInvitation, into: Customer, at: datetime) -> int:
    own = EventInvitation.objects.filter(event=invitation.event, customer=into).first()
    if own is not None and (invitation.state not in _FIRST or own.state == EventInvitation.State.COMING):
        if invitation.state in _FIRST and invitation.event.opens_at <= at < invitation.event.starts_at:
            answer_invitation(invitation=invitation, coming=False, at=at)
        return 0
    if own is not None:
        own.delete()
    return EventInvitation.objects.filter(pk=invitation.pk).update(customer=into)


PERSONAL_DATA = PersonalData("standing", _export, _erase, _merge)
