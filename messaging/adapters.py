"""How the sign-in pages send mail: through the same door as every other message."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


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
        """Render our own text of `template_prefix` and send it."""
        address = {"base_url": settings.PUBLIC_BASE_URL, "brand": settings.BRAND_NAME, "email": email}
        self.render_mail(template_prefix, email, {**context, **address}).send()
