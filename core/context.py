"""What every template knows."""

from django.http import HttpRequest

from core.brand import Brand, current_brand


def brand(request: HttpRequest) -> dict[str, Brand]:
    """Give templates `brand`: the company's name, logo and accent."""
    return {"brand": current_brand()}
