"""How surveys react to domain events."""

from messaging.services import are_webhooks_wanted
from surveys.events import ResponseConfirmed
from surveys.models import Response
from surveys.webhooks import CONFIRMED, DETRACTOR, queue_response_confirmed


def tell_endpoints_of_response(event: ResponseConfirmed) -> None:
    """Tell the company's endpoints of a confirmed answer."""
    if are_webhooks_wanted(types=[CONFIRMED, DETRACTOR]):
        response = Response.objects.select_related("survey", "customer").get(pk=event.response)
        queue_response_confirmed(response=response)
