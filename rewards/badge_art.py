"""Pictures of badges, drawn from their names: the same name, title and colour make the same picture. Pure."""

import hashlib
import math
import re
from html import escape

from core.contrast import contrast_ratio, ink_on, mix

SIDE = 128
_CENTRE = SIDE / 2
_SUN = "#f5c04e"
_PICTURE_RATIO = 3  # WCAG 2.2, 1.4.11: what is needed to understand a picture
_SYMBOLS = (
    # star, heart, spark, speech, mountain, leaf; each in a box of 24
    "M12 2.5l2.9 6.2 6.7.8-5 4.6 1.4 6.7-6-3.4-6 3.4 1.4-6.7-5-4.6 6.7-.8z",
    "M12 20.5C6 16.4 3 13.1 3 9.3A4.8 4.8 0 0 1 12 7a4.8 4.8 0 0 1 9 2.3c0 3.8-3 7.1-9 11.2z",
    "M12 2l2.2 7.8L22 12l-7.8 2.2L12 22l-2.2-7.8L2 12l7.8-2.2z",
    "M4.5 4h15A2.5 2.5 0 0 1 22 6.5v8a2.5 2.5 0 0 1-2.5 2.5H13l-5.5 4.5V17h-3"
    "A2.5 2.5 0 0 1 2 14.5v-8A2.5 2.5 0 0 1 4.5 4z",
    "M2 20L9 6.5l4 6.5 2.5-3.5L22 20z",
    "M20.5 3.5C21 14 16.5 19 8.5 18.5L5 22l-1.5-1.5 3.5-3.5C4 9.5 10 3.5 20.5 3.5z",
)


def title_from_slug(slug: str) -> str:
    """Return a title made of a slug: 'first-referral' is 'First referral'."""
    words = " ".join(re.sub(r"[._-]+", " ", slug).split()) or slug
    return words[:1].upper() + words[1:]


def draw_badge(slug: str, *, title: str, accent: str) -> str:
    """Return an SVG of 128 by 128 with the title for those who do not see it; `accent` is '#rrggbb'."""
    dice = hashlib.sha256(slug.encode()).digest()
    rim = mix(accent, "#000000", 0.22)
    face = mix(accent, ("#ffffff", "#000000")[dice[0] % 2], dice[1] % 3 * 0.05)
    ink = _SUN if dice[4] % 2 and contrast_ratio(_SUN, face) >= _PICTURE_RATIO else ink_on(face)
    points = 8 + dice[2] % 5 * 2
    symbol = _SYMBOLS[dice[3] % len(_SYMBOLS)]
    name = escape(title, quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" width="{SIDE}" height="{SIDE}" '
        f'role="img" aria-label="{name}"><title>{name}</title>'
        f'<path fill="{rim}" d="{_rosette(points, 62, 55)}"/>'
        f'<circle cx="64" cy="64" r="48" fill="{face}"/>'
        f'<circle cx="64" cy="64" r="43" fill="none" stroke="{ink}" stroke-opacity=".35" stroke-width="1.5"/>'
        f'<path fill="{ink}" transform="translate(36 36) scale(2.333)" d="{symbol}"/></svg>'
    )


def _rosette(points: int, outer: float, inner: float) -> str:
    """Return the path of a star with so many points."""
    corners = []
    for number in range(points * 2):
        angle, radius = math.pi * number / points, outer if number % 2 == 0 else inner
        x, y = _CENTRE + radius * math.sin(angle), _CENTRE - radius * math.cos(angle)
        corners.append(f"{x:.1f} {y:.1f}")
    return f"M{'L'.join(corners)}Z"
