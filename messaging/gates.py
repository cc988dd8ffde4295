"""What other apps have against a mail at the moment it is about to leave."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from messaging.models import Message


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a mail must not leave now; with `until` it waits until then, without it is not sent at all."""

    reason: str
    until: datetime | None = None


Gate = Callable[[Message, datetime], Objection | None]


@cache
def _gates() -> Mapping[str, Gate]:
    found: Mapping[str, Gate] = import_string(settings.MAIL_GATES)
    return found


def objection_to(message: Message, *, at: datetime) -> Objection | None:
    """Ask the gate of the message's kind (`config/mail_gates.py`), where it has one."""
    gate = _gates().get(message.kind)
    return gate(message, at) if gate else None
