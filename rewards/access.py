"""From what a stranger sends to the row they may see; and the permissions of the staff pages."""

from core.errors import NotFound
from rewards.invitation_tokens import public_id_of
from rewards.models import EventInvitation, PerkEvent

SEE_PROGRAMS = "referrals.view_program"
CHANGE_PROGRAMS = "referrals.change_program"
IMPORT_HISTORY = "rewards.import_history"


def invitation_of_token(token: str) -> EventInvitation:
    """Return the invitation a signed link names; `NotFound` for anything that was never sent to anybody."""
    public_id = public_id_of(token)
    found = (
        EventInvitation.objects.select_related("event", "customer")
        .exclude(event__state=PerkEvent.State.DRAFT)
        .filter(public_id=public_id, customer__erased_at=None)
        .first()
        if public_id
        else None
    )
    if found is None:
        raise NotFound("This link does not lead to an invitation.")
    return found
