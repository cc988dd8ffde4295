"""Pictures of share links. Pure."""

from io import BytesIO

import segno

INK, PAPER = "#14110f", "#ffffff"


def qr_svg(url: str) -> str:
    """Return the QR code of an address as SVG that fits its box."""
    picture = BytesIO()
    segno.make(url, error="m", micro=False).save(
        picture, kind="svg", scale=8, border=3, dark=INK, light=PAPER, xmldecl=False, omitsize=True
    )
    return picture.getvalue().decode()
