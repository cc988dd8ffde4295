"""Colour contrast by WCAG 2.2 (relative luminance, contrast ratio); colours are '#rrggbb' text."""

import re
from colorsys import hls_to_rgb, rgb_to_hls

TEXT_RATIO = 4.5
_CALM = 0.5
_HEX = re.compile(r"^#[0-9a-fA-F]{6}$")

Rgb = tuple[int, int, int]


def parse_hex(color: str) -> Rgb:
    """Return the red, green and blue of '#rrggbb'; ValueError for anything else."""
    if not _HEX.match(color):
        raise ValueError(f"expected a colour such as '#0b6b53', got {color!r}")
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def contrast_ratio(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG 2.2, «contrast ratio»)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix(color: str, other: str, share: float) -> str:
    """Return `color` with `share` (0 to 1) of `other` mixed into it, channel by channel in sRGB."""
    channels = zip(parse_hex(color), parse_hex(other), strict=True)
    return "#" + "".join(f"{round(mine + (theirs - mine) * share):02x}" for mine, theirs in channels)


def readable_on(color: str, background: str, *, ratio: float = TEXT_RATIO) -> str:
    """Return `color`, made lighter or darker in its own hue only as far as reading it on `background` takes."""
    if contrast_ratio(color, background) >= ratio:
        return color
    hue, lightness, saturation = rgb_to_hls(*(channel / 255 for channel in parse_hex(color)))
    end = 1.0 if _luminance(background) < 0.18 else 0.0
    for percent in range(2, 101, 2):
        lighter = lightness + (end - lightness) * percent / 100
        red, green, blue = hls_to_rgb(hue, lighter, min(saturation, _CALM))
        candidate = f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
        if contrast_ratio(candidate, background) >= ratio:
            return candidate
    return "#ffffff" if end else "#000000"


def ink_on(background: str) -> str:
    """Return white or near-black, whichever reads better on `background`."""
    dark = "#14110f"
    return "#ffffff" if contrast_ratio("#ffffff", background) >= contrast_ratio(dark, background) else dark


def _luminance(color: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in parse_hex(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return float(channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4)
