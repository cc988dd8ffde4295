"""How surveys react to domain events."""

from collections.abc import Sequence

from messaging.services import are_webhooks_wanted
from referrals.events import EventRecorded, EventsRecorded
from referrals.freshness import SILENT_SOURCES
from referrals.models import Event
from surveys.events import ResponseConfirmed
from surveys.models import Response
from surveys.services.triggers import note_occasions
from surveys.webhooks import CONFIRMED, DETRACTOR, queue_response_confirmed


def tell_endpoints_of_response(event: ResponseConfirmed) -> None:
    """Tell the company's endpoints of a confirmed answer."""
    if are_webhooks_wanted(types=[CONFIRMED, DETRACTOR]):
        response = Response.objects.select_related("survey", "customer").get(pk=event.response)
        queue_response_confirmed(response=response)


def note_occasion(event: EventRecorded) -> None:
    """Note whom to ask after a fact."""
    _note((event.event,), event.source)


def note_occasions_of_many(event: EventsRecorded) -> None:
    """Note whom to ask after facts that came together."""
    _note(event.events, event.source)


def _note(keys: Sequence[int], source: str) -> None:
    if source not in SILENT_SOURCES:
        note_occasions(events=Event.objects.filter(pk__in=keys))
