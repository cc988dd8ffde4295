"""Errors as RFC 9457 problem details (`application/problem+json`), whatever raised them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from core.errors import Refused

CONTENT_TYPE = "application/problem+json"

_CODES: dict[int, str] = {
    400: "unreadable_body",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
    422: "invalid",
    429: "too_many_requests",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One error answer; `errors` holds `{"pointer", "detail"}` pairs for a body."""

    status: int
    code: str
    detail: str
    errors: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the members of RFC 9457 with our `code` and `errors`."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.errors:
            body["errors"] = [dict(error) for error in self.errors]
        return body

    def as_response(self) -> HttpResponse:
        """Return the answer for places where REST framework is not involved."""
        body = json.dumps(self.as_dict())
        return HttpResponse(body, status=self.status, content_type=CONTENT_TYPE, headers=dict(self.headers))


def pointer_of(*parts: str | int) -> str:
    """Return the RFC 6901 pointer of a path of names and indexes; no parts: the whole document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def problem_of(error: Exception) -> Problem | None:
    """Return how `error` is told to the caller, or None where it is a bug."""
    if isinstance(error, Refused):
        return _of_refusal(error)
    if isinstance(error, Http404):
        return Problem(status=404, code="not_found", detail=str(error) or "Nothing here.")
    if isinstance(error, PermissionDenied):
        return Problem(status=403, code="permission_denied", detail=str(error) or "Not allowed.")
    if isinstance(error, exceptions.ValidationError):
        return _of_validation(error)
    if isinstance(error, exceptions.APIException):
        return _of_api_exception(error)
    return None


def handle_exception(error: Exception, _context: dict[str, Any]) -> Response | None:
    """Answer `error` as a problem; None hands a bug on to the 500 page, which says nothing of it."""
    problem = problem_of(error)
    if problem is None:
        return None
    headers = dict(problem.headers)
    return Response(problem.as_dict(), status=problem.status, headers=headers, content_type=CONTENT_TYPE)


def _of_refusal(error: Refused) -> Problem:
    errors = [{"pointer": pointer, "detail": detail} for pointer, detail in error.errors]
    wait = getattr(error, "retry_after", None)
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return Problem(status=error.status, code=error.code, detail=error.detail, errors=errors, headers=headers)


def _of_validation(error: exceptions.ValidationError) -> Problem:
    errors = list(_flatten(error.detail, ()))
    first = errors[0] if errors else {"pointer": "", "detail": "Not what was expected."}
    where = f"{first['pointer']}: " if first["pointer"] else ""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Problem(status=422, code="invalid", detail=f"{where}{first['detail']}{more}", errors=errors)


def _of_api_exception(error: exceptions.APIException) -> Problem:
    headers: dict[str, str] = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(max(1, round(wait)))
    detail = error.detail
    code = str(getattr(detail, "code", ""))
    if code == error.default_code and error.status_code in _CODES:
        code = _CODES[error.status_code]
    return Problem(status=error.status_code, code=code or "refused", detail=str(detail), headers=headers)


def _flatten(detail: Any, path: tuple[str | int, ...]) -> list[dict[str, str]]:
    if isinstance(detail, Mapping):
        steps = [(() if name == "non_field_errors" else (name,), value) for name, value in detail.items()]
        return [error for step, value in steps for error in _flatten(value, path + step)]
    if isinstance(detail, list | tuple):
        found: list[dict[str, str]] = []
        for index, value in enumerate(detail):
            nested = isinstance(value, Mapping | list | tuple)
            found += _flatten(value, (*path, index) if nested else path)
        return found
    return [{"pointer": pointer_of(*path), "detail": str(detail)}]
