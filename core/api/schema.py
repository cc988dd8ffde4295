"""How the OpenAPI document speaks of keys and errors."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "stable and machine-readable"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
# What a database's integer columns hold: a property of the engine, no promise of the API.
_ENGINE_BOUNDS = {sign * (2**bits) - (sign > 0) for bits in (15, 31, 63) for sign in (1, -1)}
_EVERYWHERE = {"401": "No key, or not a usable one.", "403": "The key lacks the scope.", "429": "Too many requests."}
_WITH_BODY = {
    "400": "The body is not JSON.",
    "409": "Refused in the present state.",
    "413": "The body has more than 1 MB.",
    "415": "The body is not application/json.",
    "422": "An unknown field or a bad value; `errors` points to it.",
}
_BY_PATH = {"404": "Nothing with that identity."}


class Schema(AutoSchema):
    """The schema of every view; lives beside what it needs registered."""

    def get_operation_id(self) -> str:
        """Return a name that tells a collection (`customers_list`) from one of it (`customers_retrieve`)."""
        name: str = super().get_operation_id()
        if self.method == "GET" and "{" not in self.path:
            return name.removesuffix("_retrieve").removesuffix("_list") + "_list"
        return name


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Bearer keys."""

    target_class = "core.api.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme."""
        return {"type": "http", "scheme": "bearer", "description": "An API key: `Authorization: Bearer KEY`."}


def add_problems(result: dict[str, Any], generator: Any, **_: Any) -> dict[str, Any]:
    """Give every operation its problems, every POST its Idempotency-Key, and no integer its engine's bounds."""
    _forget_engine(result)
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    for path, operations in result.get("paths", {}).items():
        for method, operation in operations.items():
            _complete(operation, path=path, method=method)
    return result


def _forget_engine(node: Any) -> None:
    """Drop integer bounds and widths that come from the database, so that each engine gives one schema."""
    if isinstance(node, list):
        for part in node:
            _forget_engine(part)
    elif isinstance(node, dict):
        kind = node.get("type")
        if kind == "integer" or (isinstance(kind, list) and "integer" in kind):  # a list where null is allowed
            for bound in ("minimum", "maximum"):
                if node.get(bound) in _ENGINE_BOUNDS:
                    del node[bound]
            node.pop("format", None)
        for part in node.values():
            _forget_engine(part)


def _complete(operation: dict[str, Any], *, path: str, method: str) -> None:
    told = dict(_EVERYWHERE)
    words = operation.get("description", "")  # where a 404 or 409 has a code of its own, they name it
    told |= _BY_PATH if "{" in path or "404 `" in words else {}
    told |= {"409": _WITH_BODY["409"]} if "409 `" in words else {}
    told |= _WITH_BODY if method in ("post", "put", "patch") else {"422": "A bad query parameter."}
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, description in told.items():
        operation["responses"].setdefault(status, {"description": description, "content": content})
    operation["responses"] = dict(sorted(operation["responses"].items()))
    if method == "post":
        operation.setdefault("parameters", []).append(_IDEMPOTENCY)


_IDEMPOTENCY: dict[str, Any] = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The same key and body get the first answer again for 24 hours.",
}
