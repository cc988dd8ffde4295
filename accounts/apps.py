import re
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.http import HttpRequest


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let pages of the origins that publishable keys name ask the API."""
        from corsheaders.signals import check_request_enabled  # noqa: PLC0415 - the apps are not ready before

        check_request_enabled.connect(_may_ask, dispatch_uid="accounts.origins")


def _may_ask(sender: Any, request: HttpRequest, **more: Any) -> bool:
    from accounts.queries import is_known_origin  # noqa: PLC0415 - the apps are not ready before

    here = re.match(settings.CORS_URLS_REGEX, request.path_info)
    return bool(here) and is_known_origin(request.headers.get("origin", ""))
