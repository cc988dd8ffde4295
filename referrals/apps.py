from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from core.webhooks import is_secret


def check_veto(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Refuse a VETO_URL without a secret that calls can be signed with."""
    if not settings.VETO_URL or is_secret(settings.VETO_SECRET):
        return []
    message = "VETO_URL is set, but VETO_SECRET is no secret to sign with"
    return [Error(message, hint="Set it to whsec_ and 24 to 64 bytes in base64.", id="referrals.E001")]


class ReferralsConfig(AppConfig):
    name = "referrals"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        register(check_veto)
