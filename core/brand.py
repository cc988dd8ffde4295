"""The company's face: name, logo and accent from the settings, and the colours made of the accent."""

from dataclasses import dataclass

from django.conf import settings
from django.templatetags.static import static

from core.contrast import ink_on, mix, readable_on

PAPER = "#faf7f2"
NIGHT = "#1f1c19"


@dataclass(frozen=True, slots=True)
class Brand:
    """What pages show of the company; `logo` is an address or empty, `accent` '#rrggbb'."""

    name: str
    accent: str
    logo: str
    support_email: str

    @property
    def version(self) -> str:
        """Changes whenever the stylesheet of the brand does."""
        return self.accent.lstrip("#").lower()


def current_brand() -> Brand:
    """Return the brand as the settings have it now."""
    logo = settings.BRAND_LOGO
    if logo and not logo.startswith(("https://", "http://", "/")):
        logo = static(logo)
    return Brand(settings.BRAND_NAME, settings.BRAND_ACCENT, logo, settings.BRAND_SUPPORT_EMAIL)


def brand_css(accent: str) -> str:
    """Return the custom properties of an accent, readable on the light and the dark surface."""
    light = readable_on(accent, PAPER)
    dark = readable_on(accent, NIGHT, ratio=6)
    night_soft = mix(NIGHT, dark, 0.16)
    return (
        f":root{{{_properties(light, soft=mix('#ffffff', light, 0.09), strong=mix(light, '#000000', 0.18))}}}\n"
        "@media (prefers-color-scheme:dark){"
        f":root{{{_properties(dark, soft=night_soft, strong=mix(dark, '#ffffff', 0.2))}}}}}\n"
    )


def _properties(accent: str, *, soft: str, strong: str) -> str:
    ink = ink_on(accent)
    return f"--accent:{accent};--accent-ink:{ink};--accent-soft:{soft};--accent-strong:{strong};"
