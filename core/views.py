"""Pages of the ground: the brand's stylesheet, and the two questions of whoever runs the house."""

import logging

from django.core.cache import caches
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.brand import brand_css, current_brand

logger = logging.getLogger(__name__)


@require_safe
def brand_stylesheet(request: HttpRequest) -> HttpResponse:
    """Answer the accent's custom properties; kept by browsers for a year under its version."""
    brand = current_brand()
    response = HttpResponse(brand_css(brand.accent), content_type="text/css; charset=utf-8")
    versioned = request.GET.get("v") == brand.version
    response["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "public, max-age=300"
    return response


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as this process serves requests at all."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database and caches answer, else 503; a worker is not asked for."""
    found = {"database": _database_answers(), "cache": all(_cache_answers(name) for name in caches.settings)}
    status = 200 if all(found.values()) else 503
    return JsonResponse({name: "ok" if good else "down" for name, good in found.items()}, status=status)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the answer is: not ready
        logger.warning("the database does not answer: %s", error)
        return False


def _cache_answers(name: str) -> bool:
    try:
        caches[name].get("readyz")
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the answer is: not ready
        logger.warning("the cache %s does not answer: %s", name, error)
        return False
    return True
