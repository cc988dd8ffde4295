"""What holds for every address under /api/: problems instead of pages, rate-limit headers, no caching."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from core.api.problems import Problem
from core.api.throttles import WINDOW_SECONDS


class ApiBoundary:
    """Sits innermost, so that it sees what the views answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer; requests to other addresses pass through untouched."""
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        response = _refusal(request) or self.get_response(request)
        if limits := getattr(request, "rate_limit", None):
            limit, remaining, seconds = limits
            response["RateLimit-Policy"] = f'"default";q={limit};w={WINDOW_SECONDS}'
            response["RateLimit"] = f'"default";r={remaining};t={seconds}'
        response.setdefault("Cache-Control", "no-store")
        return response


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """Refuse NUL characters where they would reach the database from the address."""
    if "\x00" in request.path_info:
        return Problem(status=404, code="not_found", detail="Nothing here.").as_response()
    if any("\x00" in text for values in request.GET.lists() for text in (values[0], *values[1])):
        return Problem(status=422, code="invalid", detail="The query holds a NUL character.").as_response()
    return None
