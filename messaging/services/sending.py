"""Sending what is due: claim a row under a lease, render, hand over, write down the outcome.

These services are no transactions on purpose: a claim has to be committed before the mail leaves, so that
a crash in between leaves a row that says "being sent" and is judged by what its kind promises.
"""

import logging
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core import clocks
from core.dispatch import publish
from messaging.backends import OutcomeUnknown
from messaging.composing import as_email, compose_mail
from messaging.courier import Courier, NoSuchMailbox
from messaging.events import OfferMailed
from messaging.gates import Objection, objection_to
from messaging.kinds import KINDS
from messaging.models import Message, Suppression
from messaging.queries import refusals_of
from messaging.rendering import BrokenTemplate, RenderedMail

MAX_ATTEMPTS = 8
LEASE = timedelta(minutes=5)
BATCH = 100

logger = logging.getLogger(__name__)


def backoff(attempts: int) -> timedelta:
    """Return how long to wait after the given number of failed tries: 1 min, tripling, at most 12 h."""
    return timedelta(minutes=min(3 ** max(attempts - 1, 0), 720))


def send_due(*, at: datetime, limit: int | None = None) -> int:
    """Send what is due at `at` (at most `limit`), most urgent first; return how many left the house.

    `at` is the run's clock: mails are dated by it. Leases run by the real clock.
    """
    close_expired_leases()
    sent = tried = 0
    with Courier() as courier:
        while limit is None or tried < limit:
            batch = BATCH if limit is None else min(BATCH, limit - tried)
            due = Message.objects.filter(state__in=Message.OPEN, due_at__lte=at).order_by("priority", "due_at", "pk")
            pks = list(due.values_list("pk", flat=True)[:batch])
            if not pks:
                break
            tried += len(pks)
            sent += sum(_deliver(pk, at=at, courier=courier) for pk in pks)
    return sent


def deliver_message(*, pk: int, at: datetime | None = None) -> bool:
    """Send one message now if it is due and nobody else is sending it; return whether it left the house."""
    with Courier() as courier:
        return _deliver(pk, at=at or timezone.now(), courier=courier)


def close_expired_leases() -> int:
    """Judge the messages whose sender vanished: unknown, or to be sent again where the kind promises that."""
    now = clocks.real_now()
    stuck = Message.objects.filter(state=Message.State.SENDING, lease_until__lt=now)
    return sum(
        _unknown(row, again_at=row.due_at, error="the sender stopped before it wrote down the outcome") for row in stuck
    )


def _deliver(pk: int, *, at: datetime, courier: Courier) -> bool:
    row = _claim(pk, at=at)
    if row is None:
        return False
    objection = _objection(row, at=at)
    if objection is not None:
        _hold_back(row, objection)
        return False
    try:
        composed = compose_mail(row)
        courier.send(as_email(row, composed.mail, at=at))
    except OutcomeUnknown as error:
        _unknown(row, again_at=at + backoff(row.attempts), error=str(error))
    except NoSuchMailbox as error:
        _suppress(row.email, note=str(error)[:300])
        _settle(row, state=Message.State.DEAD, reason=Message.Reason.REFUSED, last_error=str(error))
    except Exception as error:  # noqa: BLE001 - whatever went wrong outside is kept on the row and tried again
        _failed(row, at=at, error=error)
    else:
        return _sent(row, composed.kept, at=at)
    return False


def _claim(pk: int, *, at: datetime) -> Message | None:
    """Take a due message for this sender alone; the attempt counts from here on, whatever happens."""
    claimed = Message.objects.filter(pk=pk, state__in=Message.OPEN, due_at__lte=at).update(
        state=Message.State.SENDING,
        claimed_by=secrets.token_hex(16),
        lease_until=clocks.real_now() + LEASE,
        attempts=F("attempts") + 1,
    )
    return Message.objects.get(pk=pk) if claimed == 1 else None


def _objection(row: Message, *, at: datetime) -> Objection | None:
    """Ask again, at the last moment, what was asked when the message was queued."""
    if min(at, timezone.now()) > row.not_after:
        return Objection(Message.Reason.TOO_LATE)
    refusals = refusals_of(keys=[row.recipient_key], emails=[row.email])
    reason = refusals.reason(key=row.recipient_key, email=row.email, kind=KINDS[row.kind])
    return Objection(reason) if reason else objection_to(row, at=at)


def _hold_back(row: Message, objection: Objection) -> None:
    """Let the message wait, which is no attempt, or do not send it."""
    if objection.until is None:
        _settle(row, state=Message.State.NOT_SENT, reason=objection.reason)
    else:
        waits = {"reason": objection.reason, "due_at": objection.until, "attempts": row.attempts - 1}
        _settle(row, state=Message.State.QUEUED, **waits)


def _settle(row: Message, **outcome: object) -> bool:
    """Write the outcome down, unless the lease ran out and somebody else judged the message meanwhile."""
    if KINDS[row.kind].secret and outcome["state"] not in Message.OPEN:
        outcome["context"] = {}
    mine = Message.objects.filter(pk=row.pk, state=Message.State.SENDING, claimed_by=row.claimed_by)
    return mine.update(claimed_by="", lease_until=None, **outcome) == 1


@transaction.atomic
def _sent(row: Message, kept: RenderedMail, *, at: datetime) -> bool:
    sent = _settle(
        row,
        state=Message.State.SENT,
        reason=Message.Reason.NONE,
        last_error="",
        sent_at=at,
        subject=kept.subject,
        text=kept.text,
        html=kept.html,
    )
    if sent and KINDS[row.kind].offer:
        publish(OfferMailed(subject=f"message:{row.pk}", message=row.pk, at=at.isoformat()))
    return sent


def _failed(row: Message, *, at: datetime, error: Exception) -> None:
    logger.warning("message %s not sent: %s", row.public_id, error)
    broken = isinstance(error, BrokenTemplate)
    _settle(
        row,
        state=Message.State.DEAD if row.attempts >= MAX_ATTEMPTS else Message.State.FAILED,
        reason=Message.Reason.NOT_RENDERED if broken else Message.Reason.REFUSED,
        last_error=f"{type(error).__name__}: {error}",
        due_at=at + backoff(row.attempts),
    )


def _unknown(row: Message, *, again_at: datetime, error: str) -> bool:
    """Nobody knows whether the mail left: only kinds that promise to arrive are sent again, as the same mail."""
    again = KINDS[row.kind].guarantee == "at_least_once"
    state = Message.State.UNKNOWN
    if again:
        state = Message.State.DEAD if row.attempts >= MAX_ATTEMPTS else Message.State.FAILED
    return _settle(row, state=state, reason=Message.Reason.INTERRUPTED, last_error=error, due_at=again_at)


def _suppress(email: str, *, note: str) -> None:
    Suppression.objects.update_or_create(
        email=email.lower(), defaults={"reason": Suppression.Reason.HARD_BOUNCE, "note": note}
    )
