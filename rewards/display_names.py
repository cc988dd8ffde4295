"""Names that customers choose to be shown under to other customers. Pure."""

import re
import unicodedata

from core.errors import Invalid
from messaging.names import safe_name

LONGEST = 30
FEWEST_LETTERS = 2
_POSING = frozenset({"admin", "administrator", "moderator", "official", "offiziell", "staff", "support", "team"})
# Whole words only: Nazim and Ashita are people.
_RUDE = frozenset(
    {
        *("arschloch", "asshole", "bastard", "bitch", "cunt", "faggot", "fick", "fuck", "hitler", "hure", "nazi"),
        *("nigger", "nutte", "penis", "porn", "scheisse", "shit", "slut", "whore", "wichser"),
    }
)
_SWAPPED = str.maketrans("013457", "oieast")


class BadDisplayName(Invalid):
    """A name that is not shown to others: too long, an address, somebody else's role, or rude."""

    code = "bad_display_name"


def check_display_name(given: str, *, brand: str) -> str:
    """Return the name with single spaces; raises `BadDisplayName` saying which rule it breaks.

    `brand` is the company's own name, which no customer may pose as.
    """
    name = " ".join(unicodedata.normalize("NFKC", given).split())
    if len(name) > LONGEST:
        raise BadDisplayName("too_long")
    if sum(c.isalpha() for c in name) < FEWEST_LETTERS:
        raise BadDisplayName("too_short")
    if safe_name(name) != name:
        raise BadDisplayName("no_address")
    folded = _folded(name)
    words = set(re.findall(r"\w+", folded))
    if words & _POSING or _folded(brand).strip() in {folded, *words}:
        raise BadDisplayName("posing")
    swapped = folded.translate(_SWAPPED)
    if {*re.findall(r"\w+", swapped), re.sub(r"[\W_]+", "", swapped)} & _RUDE:
        raise BadDisplayName("rude")
    return name


def _folded(text: str) -> str:
    """Return the text in lower case without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c))
