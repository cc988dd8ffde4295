"""How messaging reacts to domain events."""

from accounts.changes import approvers_of
from accounts.events import ChangeAsked
from accounts.models import ChangeRequest
from messaging.emails import queue_change_requested, queue_endpoint_disabled
from messaging.events import EndpointDisabled
from messaging.models import WebhookEndpoint


def tell_approvers(event: ChangeAsked) -> None:
    """Write to everybody who may approve the change."""
    change = ChangeRequest.objects.get(pk=event.change)
    for user in approvers_of(change):
        queue_change_requested(change=change, to=user)


def tell_endpoint_disabled(event: EndpointDisabled) -> None:
    """Tell the owner of an endpoint that was switched off by itself."""
    endpoint = WebhookEndpoint.objects.filter(pk=event.endpoint, active=False).first()
    if endpoint is not None:
        queue_endpoint_disabled(endpoint=endpoint)
