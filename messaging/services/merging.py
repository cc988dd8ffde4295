"""Two recipients who are one person: the mails of the one are the other's, and who objected once has objected."""

from datetime import datetime

from django.db import transaction

from messaging.models import Message, Preference, PreferenceChange, RecipientAlias
from messaging.queries import wishes_of
from messaging.services.preferences import set_preferences

MERGED = "merge"


@transaction.atomic
def merge_recipients(*, source: str, into: str, at: datetime) -> int:
    """Let mails and choices under one key be under the other, objections of either hold; return how many mails."""
    objected = {purpose: False for purpose, wished in wishes_of(source).items() if not wished}
    Preference.objects.filter(recipient_key=source).delete()
    PreferenceChange.objects.filter(recipient_key=source).update(recipient_key=into)
    set_preferences(recipient_key=into, wishes=objected, source=MERGED, wording={}, at=at)
    RecipientAlias.objects.filter(into=source).update(into=into)
    RecipientAlias.objects.create(key=source, into=into)
    told = set(Message.objects.filter(recipient_key=into).values_list("kind", "cause"))
    moving = Message.objects.filter(recipient_key=source).values_list("pk", "kind", "cause")
    fresh = [pk for pk, kind, cause in moving if (kind, cause) not in told]
    return Message.objects.filter(pk__in=fresh).update(recipient_key=into)
