"""What a customer's standing keeps of them: tiers, badges, events, the name on leaderboards."""

from contextlib import suppress
from typing import Any

from core.errors import Refused
from referrals.models import Customer, Erasure
from referrals.services.erasing import PersonalData
from rewards.models import DisplayName, EventInvitation, LeaderboardPlace, TierStanding
from rewards.queries.standing import badges_of
from rewards.services.leaderboards import leave_leaderboards
from rewards.services.perk_events import answer_invitation


def _export(customer: Customer) -> dict[str, Any]:
    name = DisplayName.objects.filter(customer=customer).first()
    standings = TierStanding.objects.filter(customer=customer).select_related("program")
    invitations = EventInvitation.objects.filter(customer=customer).select_related("event")
    return {
        "tiers": [{"program": one.program.slug, "tier": one.level, "since": one.since} for one in standings],
        "badges": [{"badge": slug, "since": since} for slug, since in badges_of(customer).items()],
        "name_on_leaderboards": name.name if name else None,
        "places": [
            {"rank": one.rank, "count": one.count, "prize": one.prize}
            for one in LeaderboardPlace.objects.filter(customer=customer)
        ],
        "events": [
            {"event": one.event.title, "answer": one.state, "answered_at": one.answered_at} for one in invitations
        ],
    }


def _erase(customer: Customer, receipt: Erasure) -> None:
    """Take the name off leaderboards and give back places at events to come; ranks and counts stay."""
    leave_leaderboards(customer=customer)
    for invitation in EventInvitation.objects.filter(customer=customer).select_related("event").order_by("pk"):
        with suppress(Refused):  # what is over stays as it was
            answer_invitation(invitation=invitation, coming=False, at=receipt.at)


PERSONAL_DATA = PersonalData("standing", _export, _erase)
