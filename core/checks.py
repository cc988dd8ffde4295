"""System checks of the ground."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from core.contrast import TEXT_RATIO, contrast_ratio
from core.errors import Invalid
from core.money import read_unit_value


def check_accent(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Refuse a BRAND_ACCENT that is no colour, or that cannot be read on white (WCAG AA)."""
    accent = settings.BRAND_ACCENT
    try:
        ratio = contrast_ratio(accent, "#ffffff")
    except ValueError as error:
        return [Error(f"BRAND_ACCENT: {error}", id="core.E001")]
    if ratio >= TEXT_RATIO:
        return []
    message = f"BRAND_ACCENT {accent} has a contrast of {ratio:.2f} on white; text needs {TEXT_RATIO} or more"
    return [Error(message, hint="Choose a darker shade.", id="core.E002")]


def check_point_value(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Refuse a POINT_VALUE that is no amount of money."""
    try:
        read_unit_value(settings.POINT_VALUE)
    except Invalid as invalid:
        return [Error(f"POINT_VALUE: {invalid.detail}", id="core.E003")]
    return []
