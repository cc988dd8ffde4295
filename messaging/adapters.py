"""How the sign-in pages send mail: through the same door as every other message."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language

from accounts.models import User
from core.ids import new_id
from messaging.services import Recipient, queue_message


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up by hand; links in mails are built from PUBLIC_BASE_URL alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Say no: customers are made by the company's events, staff by an administrator."""
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the address of the page that takes a new password."""
        uid, _, token = key.partition("-")
        return f"{settings.PUBLIC_BASE_URL}" + reverse("account_reset_password_from_key", args=[uid, token])

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a sign-in code as a message like all others, the rest (rare, for staff) as our own plain texts."""
        if template_prefix == "account/email/login_code":
            _queue_code(email, str(context["code"]))
            return
        address = {"base_url": settings.PUBLIC_BASE_URL, "brand": settings.BRAND_NAME, "email": email}
        self.render_mail(template_prefix, email, {**context, **address}).send()


def _queue_code(email: str, code: str) -> None:
    """Queue the code; it leaves as soon as the transaction has committed, without waiting for the worker."""
    user = User.objects.filter(email__iexact=email).first()
    key, name = (f"user:{user.pk}", user.name) if user else (f"email:{email.lower()}"[:80], "")
    recipient = Recipient(key=key, email=email, name=name, locale=get_language() or "")
    queue_message(kind="sign_in_code", recipient=recipient, cause=new_id("login"), context={"code": code})
