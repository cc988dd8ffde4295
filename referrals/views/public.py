"""Pages and pictures that everybody may see: a link's QR code, and kind words where a code leads nowhere."""

from functools import cache
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import condition, require_POST, require_safe

from referrals.bots import PERSON, is_person_behind, judge_visit
from referrals.models import OfferView, Placement
from referrals.pictures import qr_svg
from referrals.queries.links import SHARE_CHANNELS, link_of_code, placement_of, share_url
from referrals.queries.takeovers import program_in_charge
from referrals.services.placements import record_share, record_view

OWN_PAGES = (Placement.PORTAL, Placement.SURVEY)


@require_safe
def qr_code(request: HttpRequest, code: str) -> HttpResponse:
    """Answer the QR code of a share link as SVG; `?p=` names where it stands, `?download=1` has browsers save it."""
    link = link_of_code(code)
    if link is None:
        return unknown_code(request)
    url = share_url(link, "qr", placement_of(request.GET))
    response = HttpResponse(qr_svg(url), content_type="image/svg+xml")
    response["Cache-Control"] = "public, max-age=86400"
    if request.GET.get("download"):
        response["Content-Disposition"] = f'attachment; filename="{link.code}.svg"'
    return response


@csrf_exempt
@require_POST
def note_offer(request: HttpRequest) -> HttpResponse:
    """Count, for a page of our own, that the offer behind a code was seen or passed on; always 204."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    placement, channel = request.POST.get("placement", ""), request.POST.get("channel", "")
    link = link_of_code(request.POST.get("code", ""))
    if link and placement in OWN_PAGES and channel in ("", *SHARE_CHANNELS) and is_person_behind(headers):
        now = timezone.now()
        program = program_in_charge(link.program, now)
        if channel:
            record_share(link=link, program=program, channel=channel, placement=placement, at=now)
        else:
            record_view(program=program, kind=OfferView.Kind.VIEW, placement=placement, at=now)
    return HttpResponse(status=204)


@require_safe
def open_offer(request: HttpRequest, code: str) -> HttpResponse:
    """Lead an advocate to the page where they share, and count the opening by the placement (`?p=`) they came from.

    Who has no such code is led there, too: the answer tells nobody which codes there are.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    link, placement, now = link_of_code(code), placement_of(request.GET), timezone.now()
    if link and placement and request.method == "GET" and judge_visit(headers).kind == PERSON:
        program = program_in_charge(link.program, now)
        record_view(program=program, kind=OfferView.Kind.OPEN, placement=placement, at=now)
    response = redirect("portal")
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def unknown_code(request: HttpRequest) -> HttpResponse:
    """Answer 404 with what a person can do about a code that nobody has."""
    return render(request, "referrals/public/unknown_code.html", status=404)


@cache
def _script() -> tuple[str, str]:
    text = (settings.BASE_DIR / "static" / "js" / "widget.js").read_text(encoding="utf-8")
    return text, f'"{sha256(text.encode()).hexdigest()[:20]}"'


@require_safe
@condition(etag_func=lambda request: _script()[1])
def widget_script(request: HttpRequest) -> HttpResponse:
    """Answer the script for the shop's pages, which any page may load."""
    response = HttpResponse(_script()[0], content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "public, max-age=3600"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
