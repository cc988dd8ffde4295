"""Pictures of share links: QR codes, the picture that apps show with a link, a card to print. Pure."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from core.errors import Invalid

INK, PAPER = "#14110f", "#ffffff"
WIDE = (1200, 630)
"""What apps show with a link (Open Graph)."""
CARD, CARD_DPI = (1240, 1748), 300
"""A6, upright, in pixels."""
FONT = Path(__file__).resolve().parent.parent / "static" / "fonts" / "DejaVuSans.ttf"
"""Latin, Greek, Cyrillic and more; free to pass on (static/fonts/DejaVuSans.LICENSE.txt)."""
MAX_SHARE_IMAGE = 512 * 1024
_MARGIN = 80


class BadShareImage(Invalid):
    """An upload that apps could not show with a link."""

    code = "bad_picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """The company's name and colours, '#rrggbb'."""

    brand: str
    accent: str
    accent_ink: str


def qr_svg(url: str) -> str:
    """Return the QR code of an address as SVG that fits its box."""
    picture = BytesIO()
    segno.make(url, error="m", micro=False).save(
        picture, kind="svg", scale=8, border=3, dark=INK, light=PAPER, xmldecl=False, omitsize=True
    )
    return picture.getvalue().decode()


def qr_png(url: str, *, scale: int = 20) -> bytes:
    """Return the QR code of an address as PNG, `scale` pixels a module, large enough to print."""
    picture = BytesIO()
    segno.make(url, error="m", micro=False).save(picture, kind="png", scale=scale, border=3, dark=INK, light=PAPER)
    return picture.getvalue()


def share_image(face: Face, *, headline: str, line: str) -> bytes:
    """Return the PNG of 1200 × 630 that goes with a shared link: who recommends what, and the friend's gift."""
    image = Image.new("RGB", WIDE, face.accent)
    draw = ImageDraw.Draw(image)
    width = WIDE[0] - 2 * _MARGIN
    draw.text((_MARGIN, 70), _cut(face.brand, 40, width), font=_font(40), fill=face.accent_ink)
    below = _write(draw, headline, size=76, at=(_MARGIN, 180), width=width, fill=face.accent_ink, lines=3)
    _write(draw, line, size=40, at=(_MARGIN, below + 30), width=width, fill=face.accent_ink, lines=2)
    picture = BytesIO()
    image.save(picture, "PNG", optimize=True)
    return picture.getvalue()


def clean_share_image(data: bytes) -> bytes:
    """Return an uploaded PNG of 1200 × 630 pixels drawn anew, so that nothing else hides in it; `BadShareImage`."""
    try:
        with Image.open(BytesIO(data), formats=("PNG",)) as given:
            if given.size != WIDE:
                raise BadShareImage(f"The picture has {given.width} × {given.height} pixels; expected 1200 × 630.")
            drawn = given.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise BadShareImage("This is no PNG picture, or it is damaged.") from None
    picture = BytesIO()
    drawn.save(picture, "PNG", optimize=True)
    if picture.tell() > MAX_SHARE_IMAGE:
        raise BadShareImage(f"The picture is too large; at most {MAX_SHARE_IMAGE // 1024} KB are possible.")
    return picture.getvalue()


def card_pdf(face: Face, *, url: str, code: str, headline: str, line: str) -> bytes:
    """Return a PDF of one A6 page to print and hand out: the gift, the QR code, the code to tell."""
    image = Image.new("RGB", CARD, PAPER)
    draw = ImageDraw.Draw(image)
    width = CARD[0] - 2 * _MARGIN
    draw.rectangle((0, 0, CARD[0], 180), fill=face.accent)
    draw.text((_MARGIN, 60), _cut(face.brand, 56, width), font=_font(56), fill=face.accent_ink)
    below = _write(draw, headline, size=68, at=(_MARGIN, 240), width=width, fill=INK, lines=2)
    _write(draw, line, size=40, at=(_MARGIN, below + 16), width=width, fill=INK, lines=2)
    square = Image.open(BytesIO(qr_png(url))).convert("RGB").resize((860, 860), Image.Resampling.NEAREST)
    image.paste(square, ((CARD[0] - 860) // 2, 600))
    shown = _cut(code, 96, width)
    draw.text((CARD[0] / 2, 1540), shown, font=_font(96), fill=INK, anchor="mm")
    address = url.partition("://")[2].partition("?")[0]
    draw.text((CARD[0] / 2, 1650), _cut(address, 36, width), font=_font(36), fill=INK, anchor="mm")
    document = BytesIO()
    image.save(document, "PDF", resolution=CARD_DPI, title=f"{face.brand} {code}")
    return document.getvalue()


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)


def _cut(text: str, size: int, width: int) -> str:
    """Return the text, shortened until it fits the width."""
    font = _font(size)
    while font.getlength(text) > width:
        text = text[:-2].rstrip() + "…"
    return text


def _write(
    draw: ImageDraw.ImageDraw, text: str, *, size: int, at: tuple[int, int], width: int, fill: str, lines: int
) -> int:
    """Write a text in at most so many lines; return where the next one may begin."""
    font, rows, left = _font(size), [""], text.split()
    while left:
        longer = f"{rows[-1]} {left[0]}".strip()
        if not rows[-1] or font.getlength(longer) <= width:
            rows[-1] = longer
            left.pop(0)
        elif len(rows) == lines:
            rows[-1] = f"{rows[-1]} {' '.join(left)}"
            break
        else:
            rows.append("")
    top = at[1]
    for row in rows:
        draw.text((at[0], top), _cut(row, size, width), font=font, fill=fill)
        top += round(size * 1.2)
    return top
