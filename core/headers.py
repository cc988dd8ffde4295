"""What single areas of the site may do beyond the strict content security policy."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


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
