"""Lists: newest first, in pages that stay right while rows arrive."""

import base64
import binascii
from typing import Any

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import QueryDict
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

DEFAULT_SIZE = 50
MAX_SIZE = 200


class CursorPages:
    """Keyset pages: `CursorPages(request).answer(queryset, RewardOut)`.

    `key` is a unique, ever growing integer column; `?limit=` is 1 to 200, `?cursor=` comes from `next`.
    """

    def __init__(self, request: Request, *, key: str = "pk") -> None:
        self.request = request
        self.key = key

    def answer(self, queryset: QuerySet[Any], out: type[serializers.BaseSerializer[Any]]) -> Response:
        """Return one page as `{"results": [...], "next": url | null}`."""
        rows, following = self.page(queryset)
        return Response({"results": out(rows, many=True).data, "next": following})

    def page(self, queryset: QuerySet[Any]) -> tuple[list[Any], str | None]:
        """Return the page's rows, newest first, and the address of the next page if there is one."""
        size = self._size()
        if (after := self._cursor()) is not None:
            queryset = queryset.filter(**{f"{self.key}__lt": after})
        rows = list(queryset.order_by(f"-{self.key}")[: size + 1])
        more = len(rows) > size
        rows = rows[:size]
        return rows, self._next(rows[-1]) if more else None

    def _size(self) -> int:
        text = self.request.query_params.get("limit", str(DEFAULT_SIZE))
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MAX_SIZE):
            raise ValidationError({"limit": [f"Expected a number from 1 to {MAX_SIZE}."]})
        return int(text)

    def _cursor(self) -> int | None:
        text = self.request.query_params.get("cursor")
        if text is None:
            return None
        try:
            value = int(base64.urlsafe_b64decode(text.encode("ascii") + b"=="))
        except (ValueError, binascii.Error):
            value = -1
        if not 0 <= value < 2**63:
            raise ValidationError({"cursor": ["Expected a cursor taken from a 'next' address."]})
        return value

    def _next(self, last: Model) -> str:
        value = str(getattr(last, self.key)).encode("ascii")
        query = QueryDict(mutable=True)
        query.update(self.request.query_params)
        query["cursor"] = base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
        return f"{settings.PUBLIC_BASE_URL}{self.request.path}?{query.urlencode()}"


def page_of(out: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """Return the schema of a page of `out`, for `extend_schema(responses=page_of(RewardOut))`."""
    name = out.__name__.removesuffix("Serializer").removesuffix("Out") + "Page"
    fields: dict[str, serializers.Field[Any, Any, Any, Any]] = {
        "results": out(many=True),
        "next": serializers.URLField(allow_null=True),
    }
    return inline_serializer(name, fields)
