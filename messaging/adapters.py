"""How the sign-in pages send mail: through the same door as every other message."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language

from accounts.models import User
from core.ids import new_id
from messaging.services import Recipient, queue_message

# What the sign-in pages call a mail: our kind, its variable, and what they call that.
_KINDS = {
    "account/email/login_code": ("sign_in_code", "code", "code"),
    "account/email/unknown_account": ("sign_in_unknown", "sign_in_url", ""),
    "account/email/password_reset_key": ("password_reset", "reset_url", "password_reset_url"),
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up by hand; links in mails are built from PUBLIC_BASE_URL alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Say no: customers are made by the company's events, staff by an administrator."""
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the address of the page that takes a new password."""
        uid, _, token = key.partition("-")
        return f"{settings.PUBLIC_BASE_URL}" + reverse("account_reset_password_from_key", args=[uid, token])

    @transaction.atomic
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue the mail of our kind; it leaves right after the commit."""
        kind, variable, theirs = _KINDS[template_prefix]
        value = context[theirs] if theirs else f"{settings.PUBLIC_BASE_URL}{settings.LOGIN_URL}"
        queue_message(kind=kind, recipient=_recipient(email), cause=new_id("ask"), context={variable: value})


def _recipient(email: str) -> Recipient:
    user = User.objects.filter(email__iexact=email).first()
    locale = get_language() or ""
    if user is None:
        digest = salted_hmac("messaging.adapters", email.lower(), algorithm="sha256").hexdigest()[:40]
        return Recipient(key=f"address:{digest}", email=email, locale=locale)
    return Recipient(key=f"user:{user.pk}", email=user.email, name=user.name, locale=locale)
