"""The first-party id by which a visitor is known again, and who must not get one. Pure."""

import re
import secrets
from collections.abc import Mapping
from typing import Final

VISITOR_COOKIE: Final = "gw_visitor"

_VISITOR = re.compile(r"[A-Za-z0-9_-]{22}")


def known_visitor(text: str) -> str:
    """Return the id if it is one of ours, else ''."""
    return text if _VISITOR.fullmatch(text) else ""


def new_visitor() -> str:
    """Return a new random id."""
    return secrets.token_urlsafe(16)


def objects_to_cookies(headers: Mapping[str, str]) -> bool:
    """Tell whether the browser asks not to be followed (Global Privacy Control, Do Not Track); names in lower case."""
    return "1" in (headers.get("sec-gpc"), headers.get("dnt"))
