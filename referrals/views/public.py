"""Pages and pictures that everybody may see: a link's QR code, and kind words where a code leads nowhere."""

from io import BytesIO

import segno
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from referrals.queries.links import link_of_code, share_url


@require_safe
def qr_code(request: HttpRequest, code: str) -> HttpResponse:
    """Answer the QR code of a share link as SVG; `?download=1` has browsers save it."""
    link = link_of_code(code)
    if link is None:
        return unknown_code(request)
    picture = BytesIO()
    segno.make(share_url(link, "qr"), error="m", micro=False).save(
        picture, kind="svg", scale=8, border=3, dark="#14110f", light="#ffffff", xmldecl=False, omitsize=True
    )
    response = HttpResponse(picture.getvalue(), content_type="image/svg+xml")
    response["Cache-Control"] = "public, max-age=86400"
    if request.GET.get("download"):
        response["Content-Disposition"] = f'attachment; filename="{link.code}.svg"'
    return response


def unknown_code(request: HttpRequest) -> HttpResponse:
    """Answer 404 with what a person can do about a code that nobody has."""
    return render(request, "referrals/public/unknown_code.html", status=404)
