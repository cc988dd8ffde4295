"""Delivering domain events: at once in the publisher's transaction, later by the worker where that failed."""

import importlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from core import clocks
from core.doorbell import ring_on_commit
from core.events import DomainEvent
from core.models import Delivery
from core.retrying import gave_way, will_try_again

MAX_ATTEMPTS = 8
Handler = Callable[[Any], None]

logger = logging.getLogger(__name__)


@cache
def _subscriptions() -> dict[type[DomainEvent], list[Handler]]:
    found: dict[type[DomainEvent], list[Handler]] = import_string(settings.SUBSCRIPTIONS)
    return found


def _path(named: type | Handler) -> str:
    return f"{named.__module__}.{named.__qualname__}"


def _load(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def backoff(attempts: int) -> timedelta:
    """Return how long to wait after the given number of failed tries: 10 s, doubling, at most an hour."""
    return timedelta(seconds=min(10 * 2 ** max(attempts - 1, 0), 3600))


def publish(*events: DomainEvent) -> None:
    """Tell every subscriber, inside the caller's transaction.

    All handlers run at once, in one savepoint; where one fails, all of it is undone and they run again, each in
    a savepoint of its own. One that fails then leaves nothing behind but a delivery that is due with its error;
    the fact itself is never refused because a handler failed.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("publish() belongs inside the transaction of the fact it announces")
    jobs = [(event, handler) for event in events for handler in _subscriptions().get(type(event), [])]
    if not jobs:
        return
    rows = _deliver_together(jobs) if len(jobs) > 1 else []
    rows = rows or [_deliver_now(event, handler) for event, handler in jobs]
    Delivery.objects.bulk_create(rows)
    if any(row.state == Delivery.State.DUE for row in rows):
        ring_on_commit("core.tasks.deliver_due")


def publish_whole(event: DomainEvent) -> None:
    """Tell every subscriber inside the caller's transaction, or raise what one of them raised: nothing stays due."""
    handlers = _subscriptions().get(type(event), [])
    for handler in handlers:
        handler(event)
    rows = [_new_row(event, handler) for handler in handlers]
    for row in rows:
        row.state = Delivery.State.DONE
    Delivery.objects.bulk_create(rows)


def _deliver_together(jobs: Sequence[tuple[DomainEvent, Handler]]) -> list[Delivery]:
    """Run all handlers in one savepoint; where one fails none has run, and nothing is returned.

    A savepoint each would be two statements more a handler, and PostgreSQL slows down beyond 64 in a transaction.
    """
    rows = [_new_row(event, handler) for event, handler in jobs]
    try:
        with transaction.atomic():
            for event, handler in jobs:
                handler(event)
    except Exception as error:
        if gave_way(error) and will_try_again():
            raise
        logger.info("a handler of %s failed: each runs alone", jobs[0][0].subject)
        return []
    for row in rows:
        row.state = Delivery.State.DONE
    return rows


def _new_row(event: DomainEvent, handler: Handler) -> Delivery:
    return Delivery(
        event=_path(type(event)),
        handler=_path(handler),
        subject=event.subject,
        payload=asdict(event),
        due_at=clocks.now(),
        attempts=1,
    )


def _deliver_now(event: DomainEvent, handler: Handler) -> Delivery:
    row = _new_row(event, handler)
    try:
        with transaction.atomic():
            handler(event)
    except Exception as error:
        if gave_way(error) and will_try_again():
            raise
        logger.exception("delivery of %s to %s failed", row.subject, row.handler)
        row.last_error = f"{type(error).__name__}: {error}"
        row.due_at += backoff(1)
    else:
        row.state = Delivery.State.DONE
    return row


def make_due(*, subject: str, at: datetime) -> int:
    """Give every open delivery about `subject`, dead ones too, a new set of tries from `at` on; return how many."""
    open_ones = Delivery.objects.filter(subject=subject).exclude(state=Delivery.State.DONE)
    return open_ones.update(state=Delivery.State.DUE, due_at=at, attempts=0)


def deliver_due(*, at: datetime, limit: int = 500, subject: str = "") -> int:
    """Retry the deliveries due at `at`, each in a transaction of its own; return how many succeeded.

    With `subject`, only those about it.
    """
    due = Delivery.objects.filter(state=Delivery.State.DUE, due_at__lte=at).order_by("due_at", "pk")
    if subject:
        due = due.filter(subject=subject)
    return sum(_retry(pk, attempts, at=at) for pk, attempts in list(due.values_list("pk", "attempts")[:limit]))


def _retry(pk: int, attempts: int, *, at: datetime) -> bool:
    if not _claim(pk, attempts, at=at):
        return False
    with transaction.atomic():
        row = Delivery.objects.select_for_update(skip_locked=True).filter(pk=pk, state=Delivery.State.DUE).first()
        if row is None:
            return False
        try:
            with transaction.atomic():
                _load(row.handler)(_load(row.event)(**row.payload))
        except Exception as error:
            logger.exception("delivery of %s to %s failed again", row.subject, row.handler)
            row.last_error = f"{type(error).__name__}: {error}"
            row.state = Delivery.State.DEAD if row.attempts >= MAX_ATTEMPTS else Delivery.State.DUE
        else:
            row.state = Delivery.State.DONE
            row.last_error = ""
        row.save(update_fields=["state", "last_error"])
        return row.state == Delivery.State.DONE


def _claim(pk: int, attempts: int, *, at: datetime) -> bool:
    """Count the try before it begins: one that takes the whole process down must count, or it would go on for ever."""
    mine = Delivery.objects.filter(pk=pk, state=Delivery.State.DUE, attempts=attempts)
    if attempts >= MAX_ATTEMPTS:
        mine.update(state=Delivery.State.DEAD, last_error="the worker went down in the middle of the last try")
        return False
    return mine.update(attempts=attempts + 1, due_at=at + backoff(attempts + 1)) == 1


def settled(subjects: Sequence[str]) -> set[str]:
    """Return those of `subjects` about which no delivery is due or dead."""
    open_ones = Delivery.objects.filter(subject__in=subjects).exclude(state=Delivery.State.DONE)
    return set(subjects) - set(open_ones.values_list("subject", flat=True))
