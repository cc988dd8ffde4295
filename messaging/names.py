"""Words that people chose for themselves, made harmless before they reach somebody else's mailbox."""

import re
import unicodedata

MAX_NAME = 60
MAX_TEXT = 300

_SCHEME = re.compile(r"\b[a-z][a-z0-9+.-]*\s*:\s*/+", re.IGNORECASE)
_SCHEME_WORD = re.compile(r"\b(https?|ftp|mailto|tel|javascript|data|www\d*)\b[\s:.]*", re.IGNORECASE)
_BREAKERS = re.compile(r"[@/\\<>{}\[\]|`^~=;]")
_DOT_INSIDE = re.compile(r"\.(?=\S)(?!(?<=\d\.)\d+(?![\d.]))")  # but not the dot of 1.5
_DIGITS_TOO_MANY = 4


def _plain(text: str) -> str:
    """Fold look-alike forms and drop what is not meant to be seen: controls, joiners, direction marks."""
    folded = unicodedata.normalize("NFKC", text).replace("\u3002", ".").replace("\u2024", ".")
    shown = (" " if unicodedata.category(c) in {"Zl", "Zp", "Zs"} or c in "\t\r\n" else c for c in folded)
    return "".join(c for c in shown if unicodedata.category(c) not in {"Cc", "Cf", "Co", "Cn", "Cs"})


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _unlinked(text: str) -> str:
    """Return text in which no mail program finds an address to make clickable."""
    text = _SCHEME_WORD.sub(" ", _SCHEME.sub(" ", _plain(text)))
    return " ".join(_DOT_INSIDE.sub(". ", _BREAKERS.sub(" ", text)).split())


def safe_name(text: str) -> str:
    """Return a person's name of at most 60 characters that can hold neither link, address nor number to call."""
    name = _unlinked(text)
    if sum(c.isdigit() for c in name) >= _DIGITS_TOO_MANY:
        name = " ".join("".join(" " if c.isdigit() else c for c in name).split())
    return _shorten(" ".join(name.replace(":", " ").split()).lstrip(" .,-_").rstrip(" ,-_"), MAX_NAME)


def safe_text(text: str) -> str:
    """Return one line of at most 300 characters that can hold no link and no address."""
    return _shorten(_unlinked(text), MAX_TEXT)
