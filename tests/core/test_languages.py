"""The German catalogue: compiled from what is committed, complete, and true to its variables."""

import io
import re
from pathlib import Path

from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "locale" / "de" / "LC_MESSAGES"
CODE = ("accounts", "analytics", "config", "core", "messaging", "referrals", "rewards", "surveys")
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
    "gettext_noop": None,
}


def whole(text):
    return tuple(text) if isinstance(text, (list, tuple)) else (text,)


def context_of(entry):
    return entry.context.decode() if isinstance(entry.context, bytes) else entry.context


def messages(catalog):
    return {(context_of(entry), whole(entry.id)): whole(entry.string) for entry in catalog if entry.id}


def load():
    with (FOLDER / "django.po").open("rb") as text, (FOLDER / "django.mo").open("rb") as compiled:
        return messages(read_po(text, locale="de")), messages(read_mo(compiled))


def test_german_is_compiled_from_what_is_committed():
    text, compiled = load()

    assert compiled == text


def test_german_leaves_no_message_out():
    text, _ = load()

    assert [key for key, string in text.items() if "" in string] == []


def test_german_uses_only_variables_the_message_has():
    text, _ = load()
    for (_context, english), german in text.items():
        known = set(re.findall(r"%\(\w+\)s", " ".join(english)))
        used = set(re.findall(r"%\(\w+\)s", " ".join(german)))
        assert used <= known, english


def sources():
    """Every module as it is, every template as the Python that Django makes of its messages."""
    for folder in CODE:
        yield from ((path, path.read_text()) for path in (ROOT / folder).rglob("*.py"))
    for path in sorted((ROOT / "templates").rglob("*.*")):
        lines = templatize(path.read_text(), origin=path).split("\n")
        yield path, "\n".join(line.strip() for line in lines)


def test_german_knows_every_message_of_code_and_templates():
    text, _ = load()

    missing = [
        f"{path.relative_to(ROOT)}:{line}: {message}"
        for path, source in sources()
        for line, message, _comments, context in extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS)
        if (context, whole(message)) not in text
    ]
    assert missing == []
