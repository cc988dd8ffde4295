"""Turning values and templates into a mail's subject, text and HTML.

Templates are Liquid (no access to Python objects) around MJML; a variable that was not declared is an
error. Values are escaped in the HTML part; nothing a value holds is ever read as a template.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from babel.core import UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal
from liquid import CachingFileSystemLoader, Environment, StrictUndefined
from liquid.exceptions import LiquidError
from mjml import mjml2html

DEFAULT_LANGUAGE = "en"
LANGUAGES = ("en", "de")
PARTS = ("subject.txt", "body.mjml", "body.txt")
MAX_SUBJECT = 150


class BrokenTemplate(Exception):
    """A template that cannot be rendered with its kind's values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMail:
    """What a mail program gets to see."""

    subject: str
    text: str
    html: str


def language_of(locale: str) -> str:
    """Return the shipped language for a locale such as 'de-AT', else English."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return language if language in LANGUAGES else DEFAULT_LANGUAGE


def render_mail(*, folder: Path, kind: str, locale: str, values: Mapping[str, Any]) -> RenderedMail:
    """Return the mail in the recipient's language, in English where that lacks a part; `BrokenTemplate` if it cannot.

    `values` are the kind's variables plus `brand`, `purpose`, `preferences_url` and `unsubscribe_url`.
    """
    language = language_of(locale)
    if not all((folder / _path(kind, language, part)).exists() for part in PARTS):
        language = DEFAULT_LANGUAGE
    known = {**values, "kind": kind, "language": language, "words": _words(folder)[language]}
    try:
        subject, mjml, text = (
            _environment(folder, part.endswith(".mjml"), language)
            .get_template(str(_path(kind, language, part)))
            .render(**known)
            for part in PARTS
        )
        html = mjml2html(mjml)
    except (LiquidError, ValueError, OSError) as error:
        raise BrokenTemplate(f"{kind} ({language}): {error}") from error
    return RenderedMail(subject=_one_line(subject), text=_tidy(text), html=html)


def _path(kind: str, language: str, part: str) -> Path:
    return Path(kind) / part if language == DEFAULT_LANGUAGE else Path(kind) / language / part


@cache
def _words(folder: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((folder / "_words.json").read_text(encoding="utf-8"))
    return found


@cache
def _environment(folder: Path, escaped: bool, language: str) -> Environment:
    environment = Environment(
        extra=True,
        loader=CachingFileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=escaped,
        strict_filters=True,
    )
    environment.filters["day"] = lambda value: _day(str(value), language)
    environment.filters["number"] = lambda value: format_decimal(value, locale=language)
    return environment


def _day(value: str, language: str) -> str:
    try:
        return format_date(date.fromisoformat(value), format="long", locale=language)
    except (ValueError, UnknownLocaleError):
        return value


def _one_line(text: str) -> str:
    return " ".join(text.split())[:MAX_SUBJECT]


def _tidy(text: str) -> str:
    """Drop spaces at line ends and more than one empty line in a row."""
    lines: list[str] = []
    for line in (line.rstrip() for line in text.strip().splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines) + "\n"
