"""Checking and cleaning the values that a mail is written with, by the types its kind declares."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from messaging.kinds import Kind
from messaging.names import safe_name, safe_text

MAX_COPY = 500
_CODE = re.compile(r"[\w-]{0,64}")

Values = dict[str, Any]


class WrongContext(ValueError):
    """A mail was asked for with values that its kind does not declare: a bug of the caller."""


def clean_values(kind: Kind, given: Mapping[str, Any], *, base_url: str) -> Values:
    """Return the values as the templates may see them; `WrongContext` where they are not what the kind declares."""
    if set(given) != set(kind.variables):
        missing, unknown = set(kind.variables) - set(given), set(given) - set(kind.variables)
        raise WrongContext(f"{kind.label}: missing {sorted(missing)}, unknown {sorted(unknown)}")
    return {name: _clean(name, given[name], kind.variables[name], base_url) for name in kind.variables}


def _clean(name: str, value: Any, declared: str, base_url: str) -> Any:
    if declared == "scores":
        return _scores(name, value, base_url)
    if declared == "whole":
        return _whole(name, value)
    if not isinstance(value, str):
        raise WrongContext(f"{name}: expected text, got {value!r}")
    if declared == "url":
        return _url(name, value, base_url)
    return _CLEANERS[declared](value)


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongContext(f"{name}: expected a whole number, got {value!r}")
    return value


def _url(name: str, value: str, base_url: str) -> str:
    """Accept the addresses of this installation only, and none with spaces or quotes in it."""
    if value and (not value.startswith(f"{base_url}/") or re.search(r"[\s\"'<>\\]", value)):
        raise WrongContext(f"{name}: {value!r} is no address below {base_url}/")
    return value


def _code(value: str) -> str:
    if not _CODE.fullmatch(value):
        raise WrongContext(f"{value!r} is no code")
    return value


def _day(value: str) -> str:
    if value:
        date.fromisoformat(value)
    return value


def _copy(value: str) -> str:
    return " ".join(value.split())[:MAX_COPY]


def _scores(name: str, value: Any, base_url: str) -> list[Values]:
    if not isinstance(value, list):
        raise WrongContext(f"{name}: expected a list")
    return [
        {
            "score": _whole(name, item["score"]),
            "mark": _copy(str(item["mark"])),
            "label": _copy(str(item["label"])),
            "url": _url(name, str(item["url"]), base_url),
        }
        for item in value
    ]


_CLEANERS: dict[str, Callable[[str], str]] = {
    "name": safe_name,
    "text": safe_text,
    "copy": _copy,
    "code": _code,
    "day": _day,
}
