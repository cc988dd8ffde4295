"""Reading: who must not be written to, what somebody wishes, and what lies in the demo's mailbox."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.crypto import salted_hmac

from messaging.kinds import PURPOSES, Kind
from messaging.models import Message, Preference, RecipientAlias, Suppression


@dataclass(frozen=True, slots=True)
class Refusals:
    """What speaks against writing to some recipients: their opt-outs and the suppressed addresses."""

    opted_out: frozenset[tuple[str, str]]
    suppressed: dict[str, str]

    def reason(self, *, key: str, email: str, kind: Kind) -> str:
        """Return why a mail of this kind must not go to this recipient, or empty."""
        if not email:
            return Message.Reason.NO_EMAIL
        why = self.suppressed.get(email.lower()) or self.suppressed.get(suppression_key(email))
        if why == Suppression.Reason.HARD_BOUNCE or (why and not kind.transactional):
            return Message.Reason.SUPPRESSED
        if not kind.transactional and (key, kind.purpose) in self.opted_out:
            return Message.Reason.UNSUBSCRIBED
        return Message.Reason.NONE


def suppression_key(email: str) -> str:
    """Return the keyed hash under which the address of an erased person stays suppressed."""
    return "erased:" + salted_hmac("messaging.suppression", email.strip().lower(), algorithm="sha256").hexdigest()[:40]


def refusals_of(*, keys: Collection[str], emails: Collection[str]) -> Refusals:
    """Return what speaks against writing to these recipients and addresses."""
    out = Preference.objects.filter(recipient_key__in=keys, allowed=False)
    given = {email for email in emails if email}
    addresses = Suppression.objects.filter(
        email__in={email.lower() for email in given} | {suppression_key(email) for email in given}
    )
    return Refusals(
        opted_out=frozenset(out.values_list("recipient_key", "purpose")),
        suppressed=dict(addresses.values_list("email", "reason")),
    )


def current_recipient(key: str) -> str:
    """Return under which key a recipient is kept now: their own unless they turned out to be another."""
    return RecipientAlias.objects.filter(key=key).values_list("into", flat=True).first() or key


def wishes_of(key: str) -> dict[str, bool]:
    """Return for every purpose whether the recipient wants such mails; without a choice they do."""
    chosen = dict(Preference.objects.filter(recipient_key=key).values_list("purpose", "allowed"))
    return {purpose: chosen.get(purpose, True) for purpose in PURPOSES}


def messages_of_causes(causes: Collection[str]) -> list[Message]:
    """Return the messages that were caused by any of `causes`, oldest first."""
    return list(Message.objects.filter(cause__in=causes).order_by("pk"))
