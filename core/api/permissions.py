"""What a key may do: `permission_classes = [scope("read")]`."""

from functools import cache
from typing import TYPE_CHECKING

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView  # loads the settings that name this module


def demand_scope(request: Request, needed: str) -> bool:
    """Return whether a key was sent; refuse with 403 `insufficient_scope` one that lacks the scope."""
    if request.auth is None:
        return False
    if needed not in getattr(request.auth, "scopes", ()):
        raise PermissionDenied(f"This key lacks the scope {needed!r}.", "insufficient_scope")
    return True


class HasScope(BasePermission):
    """The key must carry `needed`."""

    needed = ""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Say whether the key carries the scope."""
        return demand_scope(request, self.needed)


class ScopeByMethod(BasePermission):
    """The default: `read` for GET, HEAD and OPTIONS, `write` for everything else."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Say whether the key carries the scope that the method needs."""
        return demand_scope(request, "read" if request.method in SAFE_METHODS else "write")


@cache
def scope(needed: str) -> type[HasScope]:
    """Return the permission that demands a scope, the same one for the same word."""
    return type(f"HasScope_{needed}", (HasScope,), {"needed": needed})
