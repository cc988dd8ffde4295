"""Human codes for phone, print and till: spelling, check character, vanity names. Pure."""

import re
import secrets
import unicodedata
from collections.abc import Callable

from core.manners import holds_rude_word

ALPHABET = "2345679ACDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 7
LONGEST = 32
LONGEST_COUPON = 64
RESERVED = frozenset(
    [
        "ADMIN",
        "API",
        "ACCOUNTS",
        "CODE",
        "CODES",
        "DASHBOARD",
        "GOODWORD",
        "HEALTHZ",
        "HELP",
        "LINK",
        "METRICS",
        "NONE",
        "NULL",
        "READYZ",
        "STATIC",
        "SUPPORT",
        "TEST",
        "UNDEFINED",
        "WIDGET",
    ]
)
_RUDE = ("SEX", "FUCK", "CUNT", "RAPE", "NAZ", "KKK", "FAG", "SHAG", "TWAT", "WANK", "ARSE", "CUM")
_VANITY = re.compile(r"[A-Z0-9]{4,20}")


def check_character(payload: str) -> str:
    """Return the character that makes the weighted sum 0 modulo 29, the (prime) size of the alphabet.

    Every place has its own non-zero weight, so one wrong character and any two swapped ones show.
    """
    total = sum(weight * ALPHABET.index(letter) for weight, letter in enumerate(payload, start=2))
    return ALPHABET[-total % len(ALPHABET)]


def random_code(choice: Callable[[str], str] = secrets.choice) -> str:
    """Return a random code of 7 characters, the last its check character, without rude words."""
    while True:
        payload = "".join(choice(ALPHABET) for _ in range(LENGTH - 1))
        code = payload + check_character(payload)
        if not any(word in code for word in _RUDE) and code not in RESERVED:
            return code


def is_checked(code: str) -> bool:
    """Tell whether a canonical code is one of ours by length, alphabet and check character (vanity ones are not)."""
    return len(code) == LENGTH and set(code) <= set(ALPHABET) and check_character(code[:-1]) == code[-1]


def canonical_code(text: str) -> str:
    """Return the stored spelling of a code as somebody typed it: upper case, no spaces, dashes or invisibles.

    What cannot be a code (longer than any, or with other characters) comes back as ''.
    """
    if len(text) > 4 * LONGEST:
        return ""
    kept = [char for char in unicodedata.normalize("NFKC", text) if not _is_filler(char)]
    code = "".join(kept).upper()
    return code if code.isascii() and code.isalnum() and len(code) <= LONGEST else ""


def coupon_key(text: str) -> str:
    """Return the stored spelling of a coupon code as somebody typed it: upper case, no spaces, dashes or invisibles.

    What cannot be a coupon (longer than 64 characters, or with others than letters, digits and _) comes back as ''.
    """
    if len(text) > 4 * LONGEST_COUPON:
        return ""
    kept = [char for char in unicodedata.normalize("NFKC", text) if not _is_filler(char)]
    key = "".join(kept).upper()
    plain = key.replace("_", "")
    return key if plain.isascii() and plain.isalnum() and len(key) <= LONGEST_COUPON else ""


def _is_filler(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in {"Pd", "Cf"}


def vanity_problem(code: str) -> str:
    """Return why a canonical code may not be chosen as a vanity code, or '' where it may."""
    if not _VANITY.fullmatch(code):
        return "expected 4 to 20 letters A-Z and digits"
    if code in RESERVED or any(word in code for word in _RUDE if len(word) > 3) or holds_rude_word(code):
        return "this word is reserved"
    return ""
