"""Who reacts to what: the whole flow of domain events on one page.

Each handler runs at once, in a savepoint of the publisher's transaction, in the order written here;
one that fails is retried by the worker. Handlers touch the database only.
"""

from collections.abc import Callable
from typing import Any

from core.events import DomainEvent
from referrals import events as referral_events
from referrals import handlers as referral_handlers

SUBSCRIPTIONS: dict[type[DomainEvent], list[Callable[[Any], None]]] = {
    referral_events.EventRecorded: [referral_handlers.attribute],
}
