"""Refusals: what a caller did that the rules do not allow, told in words and a stable code."""

from typing import ClassVar


class Refused(Exception):
    """A request the rules refuse (a 4xx, never logged as a bug).

    `code` is stable and machine-readable, `status` the HTTP status, `pointer` the JSON pointer of the
    offending field where there is one.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409

    def __init__(self, detail: str, *, pointer: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer

    @property
    def errors(self) -> list[tuple[str, str]]:
        """Every (pointer, detail) of a body that is wrong; empty where it is not about a field."""
        return [(self.pointer, self.detail)] if self.pointer else []


class Invalid(Refused):
    """A value that is not what the field expects."""

    code = "invalid"
    status = 422


class NotFound(Refused):
    """Nothing with that identity, or nothing the caller may see."""

    code = "not_found"
    status = 404
