"""Wishing to write: message rows are made in the transaction of their cause."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from core import clocks
from core.doorbell import ring_on_commit
from messaging.kinds import KINDS, Kind
from messaging.models import Message
from messaging.names import safe_name
from messaging.queries import Refusals, refusals_of
from messaging.recipients import Recipient
from messaging.services.sending import deliver_message
from messaging.values import clean_values


class UnknownKind(LookupError):
    """No kind of mail has that name: a bug of the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A mail to be queued: what, to whom, why, with which values (`messaging.kinds`), and when."""

    kind: str
    recipient: Recipient
    cause: str
    context: Mapping[str, Any]
    due_at: datetime | None = None


def queue_message(
    *, kind: str, recipient: Recipient, cause: str, context: Mapping[str, Any], due_at: datetime | None = None
) -> Message:
    """Return the one message of this recipient, kind and cause, queued unless it already was.

    Belongs inside the transaction of its cause. A decision not to send is kept on the row
    (`state` not_sent with a `reason`). An undeclared kind or context raises (a bug, not a refusal).
    """
    return queue_messages(drafts=[Draft(kind=kind, recipient=recipient, cause=cause, context=context, due_at=due_at)])[
        0
    ]


@transaction.atomic
def queue_messages(*, drafts: Sequence[Draft]) -> list[Message]:
    """Queue many messages in few statements; return them in order, those that already were included."""
    now = clocks.now()
    refusals = refusals_of(
        keys={draft.recipient.key for draft in drafts}, emails={_address(draft.recipient.email) for draft in drafts}
    )
    rows = [_row(draft, refusals, now) for draft in drafts]
    Message.objects.bulk_create(rows, ignore_conflicts=True)
    stored = _stored(rows)
    fresh = [row for row in rows if stored[row.recipient_key, row.kind, row.cause].public_id == row.public_id]
    _announce([stored[row.recipient_key, row.kind, row.cause] for row in fresh], now)
    return [stored[row.recipient_key, row.kind, row.cause] for row in rows]


@transaction.atomic
def withdraw_message(*, recipient_key: str, kind: str, cause: str) -> bool:
    """Take a message back whose cause went away; return whether it had not yet left."""
    waiting = Message.objects.filter(recipient_key=recipient_key, kind=kind, cause=cause, state__in=Message.OPEN)
    return waiting.update(state=Message.State.NOT_SENT, reason=Message.Reason.WITHDRAWN) == 1


def _stored(rows: Sequence[Message]) -> dict[tuple[str, str, str], Message]:
    found = Message.objects.filter(
        recipient_key__in={row.recipient_key for row in rows},
        kind__in={row.kind for row in rows},
        cause__in={row.cause for row in rows},
    )
    return {(row.recipient_key, row.kind, row.cause): row for row in found}


def _announce(rows: Sequence[Message], now: datetime) -> None:
    """See to it that what is due leaves soon: at once where somebody waits for it, else by the worker."""
    due = [row for row in rows if row.state == Message.State.QUEUED and row.due_at <= now]
    for row in due:
        if KINDS[row.kind].immediate:
            transaction.on_commit(partial(deliver_message, pk=row.pk), robust=True)
    if any(not KINDS[row.kind].immediate for row in due):
        ring_on_commit("messaging.tasks.send_due")


def _row(draft: Draft, refusals: Refusals, now: datetime) -> Message:
    kind = _kind(draft.kind)
    recipient = draft.recipient
    due_at = draft.due_at or now
    email = _address(recipient.email)
    reason = refusals.reason(key=recipient.key, email=email, kind=kind)
    return Message(
        recipient_key=recipient.key,
        kind=draft.kind,
        cause=draft.cause,
        email=email,
        name=safe_name(recipient.name),
        locale=recipient.locale,
        time_zone=recipient.time_zone,
        context=clean_values(kind, draft.context, base_url=settings.PUBLIC_BASE_URL),
        state=Message.State.NOT_SENT if reason else Message.State.QUEUED,
        reason=reason,
        priority=kind.priority,
        due_at=due_at,
        not_after=due_at + kind.keep_for,
        message_id=_message_id(recipient.key, draft.kind, draft.cause),
    )


def _kind(name: str) -> Kind:
    try:
        return KINDS[name]
    except KeyError:
        raise UnknownKind(f"{name!r} is not among {sorted(KINDS)}") from None


def _address(email: str) -> str:
    """Return the address, or empty where it is none that a mail could go to."""
    address = email.strip()
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address


def _message_id(key: str, kind: str, cause: str) -> str:
    """The same cause has the same Message-ID for ever, so that a mail program can tell a repeated mail."""
    digest = hashlib.sha256("\n".join((settings.PUBLIC_BASE_URL, key, kind, cause)).encode()).hexdigest()[:40]
    return f"<{digest}@{urlsplit(settings.PUBLIC_BASE_URL).hostname}>"
