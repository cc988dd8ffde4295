"""Staff decide to send a message once more."""

from django.db import transaction
from django.utils import timezone

from core.doorbell import ring_on_commit
from core.errors import Refused
from messaging.kinds import KINDS
from messaging.models import Message

RESENDABLE = (Message.State.FAILED, Message.State.DEAD, Message.State.UNKNOWN)


class CannotResend(Refused):
    """A message that was sent, is waiting, was not to be sent, or whose content is gone."""

    code = "cannot_resend"


@transaction.atomic
def send_again(*, message: Message, reason: str, by: str) -> Message:
    """Queue a failed, given-up or unknown message again with its Message-ID, keeping who asked and why.

    Opt-outs and suppressed addresses are asked again when it is claimed. `CannotResend` otherwise.
    """
    if not reason.strip():
        raise CannotResend("say why it should be sent again")
    if KINDS[message.kind].secret:
        raise CannotResend("a sign-in code is never sent again; the person asks for a new one")
    now = timezone.now()
    changed = Message.objects.filter(pk=message.pk, state__in=RESENDABLE).update(
        state=Message.State.QUEUED,
        reason=Message.Reason.NONE,
        last_error=f"sent again by {by}: {reason.strip()}",
        attempts=0,
        due_at=now,
        not_after=now + KINDS[message.kind].keep_for,
    )
    if changed != 1:
        raise CannotResend("only a message that failed, was given up or is unknown can be sent again")
    ring_on_commit("messaging.tasks.send_due")
    message.refresh_from_db()
    return message
