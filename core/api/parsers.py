"""Reading bodies: JSON only, at most 1 MB, counted while reading."""

import io
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

from core.api.problems import Problem

MAX_BODY_BYTES = 1_000_000
BODY_TOO_LARGE = Problem(
    status=413, code="body_too_large", detail=f"A body may have at most {MAX_BODY_BYTES} bytes (1 MB)."
)


class BodyTooLarge(APIException):
    """A body of more than 1 MB."""

    status_code = BODY_TOO_LARGE.status
    default_detail = BODY_TOO_LARGE.detail
    default_code = BODY_TOO_LARGE.code


class BoundedJSONParser(JSONParser):
    """JSON of at most 1 MB; what Content-Length promises and what arrives are both checked."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the JSON value."""
        request = (parser_context or {}).get("request")
        announced = request.META.get("CONTENT_LENGTH", "") if request is not None else ""
        if str(announced).isdigit() and int(announced) > MAX_BODY_BYTES:
            raise BodyTooLarge
        raw = stream.read(MAX_BODY_BYTES + 1)
        if len(raw) > MAX_BODY_BYTES:
            raise BodyTooLarge
        try:
            return super().parse(io.BytesIO(raw), media_type, dict(parser_context or {}))
        except RecursionError:
            raise ParseError("JSON parse error - nested too deeply") from None
