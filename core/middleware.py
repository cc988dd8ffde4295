"""Around every request: bodies of unknown length, and what single areas may do beyond the strict policy."""

import io
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.api.parsers import BODY_TOO_LARGE, MAX_BODY_BYTES

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PathPolicies:
    """Widens the policy for the paths named in CONTENT_SECURITY_POLICY_BY_PATH, and for no others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with what this path's area needs."""
        response = self.get_response(request)
        for start, directives in settings.CONTENT_SECURITY_POLICY_BY_PATH.items():
            if request.path_info.startswith(start):
                response._csp_update = directives  # type: ignore[attr-defined]
        return response


class ChunkedBodies:
    """A WSGI layer: tells Django, which would read none, the length of a chunked body; over 1 MB: 413."""

    def __init__(self, application: Wsgi) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer; bodies that announce their length pass through unread."""
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and not environ.get("CONTENT_LENGTH"):
            body = environ["wsgi.input"].read(MAX_BODY_BYTES + 1)
            if len(body) > MAX_BODY_BYTES:
                return _too_large(start_response)
            environ["wsgi.input"] = io.BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return self.application(environ, start_response)


def _too_large(start_response: Callable[..., Any]) -> Iterable[bytes]:
    response = BODY_TOO_LARGE.as_response()
    start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    return [response.content]
