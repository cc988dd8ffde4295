"""Erasing who could sign in."""

from django.contrib.sessions.models import Session
from django.db import transaction

from accounts.models import ChangeRequest, User


@transaction.atomic
def erase_user(*, email: str) -> list[str]:
    """Delete the users without staff rights with this address and their sessions; return their recipient keys."""
    users = list(User.objects.filter(email__iexact=email, is_staff=False)) if email else []
    keys = [f"user:{user.pk}" for user in users]
    _end_sessions({str(user.pk) for user in users}, email)
    for user in users:
        user.delete()
    return keys


@transaction.atomic
def erase_changes(*, subject: str) -> int:
    """Drop the words of changes asked about `subject`; what was done, and by whom, stays."""
    return ChangeRequest.objects.filter(subject=subject).update(reason="(erased)", note="", title="(erased)")


def _end_sessions(pks: set[str], email: str) -> None:
    for session in Session.objects.iterator() if email else ():
        held = session.get_decoded()
        if held.get("_auth_user_id") in pks or email.lower() in str(held).lower():
            session.delete()
