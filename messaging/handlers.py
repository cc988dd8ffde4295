"""How messaging reacts to domain events."""

from accounts.changes import approvers_of
from accounts.events import ChangeAsked
from accounts.models import ChangeRequest
from messaging.emails import queue_change_requested


def tell_approvers(event: ChangeAsked) -> None:
    """Write to everybody who may approve the change."""
    change = ChangeRequest.objects.get(pk=event.change)
    for user in approvers_of(change):
        queue_change_requested(change=change, to=user)
