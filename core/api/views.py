"""Answers outside REST framework: unknown API addresses and unexpected errors."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from core.api.problems import Problem


@csrf_exempt
def unknown_address(request: HttpRequest, **_: Any) -> HttpResponse:
    """Answer any API address that does not exist with a 404 problem."""
    return Problem(status=404, code="not_found", detail=f"No such address: {request.path}").as_response()


def answer_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The site's handler404: a problem under /api/, the page everywhere else."""
    if request.path_info.startswith("/api/"):
        return unknown_address(request)
    return defaults.page_not_found(request, exception)


def answer_bug(request: HttpRequest) -> HttpResponse:
    """The site's handler500: a problem without details under /api/, the page everywhere else."""
    if request.path_info.startswith("/api/"):
        detail = "Something failed here. Nothing was changed; the same request may be sent again."
        return Problem(status=500, code="internal_error", detail=detail).as_response()
    return defaults.server_error(request)
