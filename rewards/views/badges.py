"""Pictures of badges: drawn ones, and those that staff uploaded."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from core.brand import current_brand
from core.contrast import readable_on
from rewards.badge_art import draw_badge
from rewards.models import Badge
from rewards.queries.badges import badge_cards, is_known_badge

FOR_A_DAY = "public, max-age=86400"
_LIGHT = "#ffffff"


@require_safe
def drawn_badge(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer a badge as SVG; one with a picture of its own is answered from there."""
    uploaded = Badge.objects.filter(slug=slug).exclude(picture_hash="").exists()
    if uploaded:
        return redirect("badge_picture", slug=slug)
    if not is_known_badge(slug):
        raise Http404("There is no such badge.")
    card = badge_cards([slug])[slug]
    accent = readable_on(current_brand().accent, _LIGHT)
    response = HttpResponse(draw_badge(slug, title=card.title, accent=accent), content_type="image/svg+xml")
    response["Cache-Control"] = FOR_A_DAY
    response["Vary"] = "Accept-Language, Cookie"
    return response


@require_safe
def uploaded_badge(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer the picture that staff uploaded."""
    picture = Badge.objects.filter(slug=slug).exclude(picture=None).values_list("picture", flat=True).first()
    if not picture:
        raise Http404("There is no such picture.")
    response = HttpResponse(bytes(picture), content_type="image/png")
    response["Cache-Control"] = FOR_A_DAY
    return response
