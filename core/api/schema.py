"""How the OpenAPI document speaks of keys and errors."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from core.api.pagination import DEFAULT_SIZE, MAX_SIZE

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
    """Give every operation its problems, every POST its Idempotency-Key, every list its pages.

    Bodies have no fields but those named, and no integer has its engine's bounds.
    """
    _mend(result)
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    for path, operations in result.get("paths", {}).items():
        for method, operation in operations.items():
            _close(operation.get("requestBody"), schemas, set())
            _complete(operation, path=path, method=method)
    schemas["Problem"] = PROBLEM_SCHEMA
    return result


def _mend(node: Any) -> None:
    """Drop what is said by mistake: a database's integer bounds, and that null is no value where all values may be."""
    if isinstance(node, list):
        for part in node:
            _mend(part)
    elif isinstance(node, dict):
        _forget_engine(node)
        if {} in node.get("oneOf", ()):  # null would be both of them
            del node["oneOf"]
        for part in node.values():
            _mend(part)


def _forget_engine(node: dict[str, Any]) -> None:
    kind = node.get("type")
    if kind == "integer" or (isinstance(kind, list) and "integer" in kind):  # a list where null is allowed
        for bound in ("minimum", "maximum"):
            if node.get(bound) in _ENGINE_BOUNDS:
                del node[bound]
        node.pop("format", None)


def _close(node: Any, schemas: dict[str, Any], seen: set[str]) -> None:
    """Say of the objects in a body that other fields are refused; answers may get more."""
    if isinstance(node, list):
        for part in node:
            _close(part, schemas, seen)
    elif isinstance(node, dict):
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            seen.add(name)
            _close(schemas[name], schemas, seen)
        if "properties" in node:
            node.setdefault("additionalProperties", False)
        for part in node.values():
            _close(part, schemas, seen)


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
    if _is_page(operation):
        operation.setdefault("parameters", []).extend(_PAGING)


def _is_page(operation: dict[str, Any]) -> bool:
    content = operation["responses"].get("200", {}).get("content", {})
    return str(content.get("application/json", {}).get("schema", {}).get("$ref", "")).endswith("Page")


_IDEMPOTENCY: dict[str, Any] = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    "description": "The same key and body get the first answer again for 24 hours.",
}
_PAGING: list[dict[str, Any]] = [
    {
        "in": "query",
        "name": "cursor",
        "schema": {"type": "string"},
        "description": "From the `next` of the page before; `next` has it already.",
    },
    {
        "in": "query",
        "name": "limit",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_SIZE, "default": DEFAULT_SIZE},
        "description": "How many a page has at most.",
    },
]
