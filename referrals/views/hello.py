"""The page behind a share link that greets a friend, and what apps show of it when the link is sent."""

from dataclasses import replace

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.brand import current_brand
from core.contrast import ink_on
from referrals.models import Link, Program, Variant
from referrals.pictures import Face, card_pdf, qr_png, share_image
from referrals.queries.experiments import picture_variant, running_experiments
from referrals.queries.links import link_of_code, placement_of, share_url
from referrals.queries.programs import program_runs_at
from referrals.queries.sharing import offer_card, promise_in_words
from referrals.queries.takeovers import program_in_charge
from referrals.sharing import fill_text
from referrals.views.public import unknown_code

A_DAY = "public, max-age=86400"


@require_safe
def show_hello(request: HttpRequest, code: str) -> HttpResponse:
    """Greet a friend: who recommends, what the friend gets, and on to the shop."""
    link = link_of_code(code)
    if link is None:
        return unknown_code(request)
    response = greet(request, link, channel=request.GET.get("c", ""), placement=placement_of(request.GET))
    response["X-Robots-Tag"] = "noindex"
    return response


def greet(request: HttpRequest, link: Link, *, channel: str = "", placement: str = "") -> HttpResponse:
    """Answer the greeting page of a link; apps that look at a link before it is sent show it as a card."""
    now = timezone.now()
    program = program_in_charge(link.program, now)
    if not program_runs_at(program, now):
        return render(request, "referrals/public/unknown_code.html", {"not_running": True}, status=404)
    offer = offer_card(program, at=now)
    tried = picture_variant(running_experiments([program]), program=program, customer_id=link.customer_id)
    version = f"{int(link.greets)}.{tried.pk}" if tried else f"{int(link.greets)}"
    query = f"l={translation.get_language()}&v={version}"
    context = {
        "link": link,
        "headline": headline_of(link),
        "offer": offer,
        "gift": [promise_in_words(one, offer, "you") for one in offer.friend],
        "shop_url": share_url(link, channel, placement),
        "picture": f"{settings.PUBLIC_BASE_URL}/hello/{link.code}.png?{query}",
        "page_url": share_url(link),
    }
    return render(request, "referrals/public/hello.html", context)


def headline_of(link: Link) -> str:
    """Return who recommends what: by first name only where the customer agreed to it."""
    words = {"name": link.customer.first_name, "brand": settings.BRAND_NAME}
    if link.greets and link.customer.first_name:
        return _("%(name)s recommends %(brand)s") % words
    return _("A friend recommends %(brand)s") % words


def _gift_line(link: Link, program: Program | None = None) -> str:
    offer = offer_card(program or program_in_charge(link.program, timezone.now()))
    gift = [promise_in_words(one, offer, "you") for one in offer.friend]
    return _("For you: %(gift)s") % {"gift": gift[0]} if gift else ""


def _face() -> Face:
    brand = current_brand()
    return Face(brand=brand.name, accent=brand.accent, accent_ink=ink_on(brand.accent))


@require_safe
def hello_picture(request: HttpRequest, code: str) -> HttpResponse:
    """Answer the picture that goes with a shared link, in the language of `?l=`.

    Where one is tried, it is the one of the link's owner: friends see what their advocate's part of the experiment is.
    """
    link = link_of_code(code)
    if link is None:
        return unknown_code(request)
    language = request.GET.get("l", "")
    program = program_in_charge(link.program, timezone.now())
    tried = picture_variant(running_experiments([program]), program=program, customer_id=link.customer_id)
    with translation.override(language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE):
        picture = _picture(link, program, tried)
    return _file(request, picture, "image/png", f"{link.code}.png")


def _picture(link: Link, program: Program, tried: Variant | None) -> bytes:
    if tried is not None and tried.picture:
        return bytes(tried.picture)
    face, headline = _face(), headline_of(link)
    if tried is not None and tried.colour:
        face = replace(face, accent=tried.colour, accent_ink=ink_on(tried.colour))
    words = tried.words.get(translation.get_language()) if tried else None
    if words:
        name = link.customer.first_name if link.greets else ""
        headline = fill_text(words["text"], {"brand": settings.BRAND_NAME, "name": name, "code": link.code})
    return share_image(face, headline=headline, line=_gift_line(link, program))


@require_safe
def qr_picture(request: HttpRequest, code: str) -> HttpResponse:
    """Answer the QR code of a share link as PNG, for print."""
    link = link_of_code(code)
    if link is None:
        return unknown_code(request)
    return _file(request, qr_png(share_url(link, "qr", placement_of(request.GET))), "image/png", f"{link.code}.png")


@require_safe
def printed_card(request: HttpRequest, code: str) -> HttpResponse:
    """Answer a card of A6 with gift, QR code and code, as PDF."""
    link = link_of_code(code)
    if link is None:
        return unknown_code(request)
    url = share_url(link, "qr", placement_of(request.GET))
    document = card_pdf(_face(), url=url, code=link.code, headline=headline_of(link), line=_gift_line(link))
    return _file(request, document, "application/pdf", f"{link.code}.pdf")


def _file(request: HttpRequest, content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Cache-Control"] = A_DAY
    response["Vary"] = "Accept-Language"
    if request.GET.get("download"):
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
