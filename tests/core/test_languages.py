"""The German catalogue: compiled from what is committed, complete, and true to its variables."""

import re
from pathlib import Path

from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).resolve().parents[2] / "locale" / "de" / "LC_MESSAGES"


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
