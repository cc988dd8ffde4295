"""Around every request: bodies of unknown length, what single areas may do beyond the strict policy, the sandbox."""

import io
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils import timezone

from core.api.parsers import BODY_TOO_LARGE, MAX_BODY_BYTES

_TITLE = re.compile(rb"<title>")
_HEAD_END = re.compile(rb"</head>")
_BODY = re.compile(rb"""<body(?:[^>"']|"[^"]*"|'[^']*')*>""")

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


class SandboxBanner:
    """Says on every page of a sandbox, error pages and the admin included, that nothing there is real."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with the banner at the top of a page and the word before its title."""
        response = self.get_response(request)
        if isinstance(response, HttpResponse) and _is_page(response):
            response.content = _marked(response.content, request)
            if "Content-Length" in response:
                response["Content-Length"] = str(len(response.content))
        return response


def _is_page(response: HttpResponse) -> bool:
    """Whether it is a page of ours; a mail in its frame stays as it was sent."""
    framed = response.get("Content-Security-Policy", "").startswith("sandbox ")
    return response.get("Content-Type", "").startswith("text/html") and not framed


def _marked(page: bytes, request: HttpRequest) -> bytes:
    user = getattr(request, "user", None)
    context = {"now": timezone.now(), "moves": user is not None and user.is_staff}
    head = render_to_string("components/sandbox_head.html").encode()
    banner = render_to_string("components/sandbox_banner.html", context).encode()
    page = _TITLE.sub(lambda found: found.group() + b"[Sandbox] ", page, count=1)
    page = _HEAD_END.sub(lambda found: head + found.group(), page, count=1)
    return _BODY.sub(lambda found: found.group() + banner, page, count=1)


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
