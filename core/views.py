"""Pages of the ground: the brand's stylesheet."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from core.brand import brand_css, current_brand


@require_safe
def brand_stylesheet(request: HttpRequest) -> HttpResponse:
    """Answer the accent's custom properties; kept by browsers for a year under its version."""
    brand = current_brand()
    response = HttpResponse(brand_css(brand.accent), content_type="text/css; charset=utf-8")
    versioned = request.GET.get("v") == brand.version
    response["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "public, max-age=300"
    return response
