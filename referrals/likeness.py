"""How alike two people look: their email addresses and their names. Pure values."""

import re
from collections.abc import Iterable

_SEPARATORS = re.compile(r"[._-]+")
_DIGITS = re.compile(r"[0-9]+")
_WORDS = re.compile(r"[^\W\d_]+")
_ROLES = """
    admin billing bonjour buero contact hallo hello hi hola info kontakt mail me office post sales service shop
    support team webmaster
"""
ROLES = frozenset(_ROLES.split())
"""Mailbox names that many domains have: sharing one says nothing."""
LONG = 6
"""Letters from which on a shared mailbox name is telling."""
FAR = 8
"""Letters from which on one differing letter is telling."""


def parts_of(email: str) -> tuple[str, str]:
    """Return (mailbox name without tag, domain) in lower case; ('', '') for what is no address."""
    local, at, domain = email.strip().lower().rpartition("@")
    return (local.split("+", 1)[0], domain) if at and local and domain else ("", "")


def bare(local: str) -> str:
    """Return the mailbox name without dots, dashes and underscores."""
    return _SEPARATORS.sub("", local)


def stem(local: str) -> str:
    """Return the mailbox name without separators and digits."""
    return _DIGITS.sub("", bare(local))


def email_likeness(one: str, other: str) -> str:
    """Return how two addresses are alike: 'dots', 'digits', 'letter', 'mailbox', 'first_name', or ''.

    The first of these that holds: the same but for dots and dashes; but for digits; but for one letter; the
    same mailbox name at two domains, where `first_name` is a single short word that many people share.
    """
    (local, domain), (other_local, other_domain) = parts_of(one), parts_of(other)
    if not local or not other_local:
        return ""
    if domain == other_domain:
        return _likeness_at_one_domain(local, other_local)
    if bare(local) != bare(other_local) or bare(local) in ROLES or len(bare(local)) < LONG:
        return ""
    single = local == bare(local) and local.isalpha() and len(local) < 10
    return "first_name" if single else "mailbox"


def _likeness_at_one_domain(local: str, other: str) -> str:
    if bare(local) == bare(other):
        return "dots"
    if stem(local) == stem(other) and len(stem(local)) >= LONG:
        return "digits"
    shorter = min(len(bare(local)), len(bare(other)))
    return "letter" if shorter >= FAR and differs_by_one(bare(local), bare(other)) else ""


def differs_by_one(one: str, other: str) -> bool:
    """Return whether one insertion, deletion, replacement or swap of neighbours turns one text into the other."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    start = next((i for i, letter in enumerate(short) if letter != long[i]), len(short))
    if len(short) < len(long):
        return short[start:] == long[start + 1 :]
    swapped = short[:start] + short[start : start + 2][::-1] + short[start + 2 :]
    return short[start + 1 :] == long[start + 1 :] or swapped == long


def name_likeness(one: str, other: str) -> str:
    """Return how two full names are alike: 'same', 'swapped', 'letter' (one letter differs), or ''.

    Names of one word say nothing, nor does a shared surname: families refer each other.
    """
    words, others = _words(one), _words(other)
    if len(words) < 2 or len(others) < 2:
        return ""
    if words == others:
        return "same"
    if sorted(words) == sorted(others):
        return "swapped"
    text, other_text = "".join(words), "".join(others)
    return "letter" if min(len(text), len(other_text)) >= FAR and differs_by_one(text, other_text) else ""


def _words(name: str) -> list[str]:
    return _WORDS.findall(name.casefold())


def matches(pattern: str, values: Iterable[str]) -> bool:
    """Return whether a pattern, in which `*` stands for any text, fits one of the values, in whatever case."""
    pieces = [re.escape(piece) for piece in pattern.casefold().split("*")]
    shape = re.compile(".*".join(pieces), re.DOTALL)
    return any(shape.fullmatch(value.casefold()) for value in values)
