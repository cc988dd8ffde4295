from django.apps import AppConfig
from django.core.checks import register

from core.checks import check_accent, check_point_value


class CoreConfig(AppConfig):
    name = "core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        register(check_accent)
        register(check_point_value)
