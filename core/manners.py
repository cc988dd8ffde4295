"""Words that nobody wants to read on somebody else's page. Pure."""

import re
import unicodedata

_RUDE = frozenset(
    {
        *("arschloch", "asshole", "bastard", "bitch", "cunt", "faggot", "fick", "fuck", "hitler", "hure", "nazi"),
        *("nigger", "nutte", "penis", "porn", "scheisse", "shit", "slut", "whore", "wichser"),
    }
)
_SWAPPED = str.maketrans("013457", "oieast")


def folded(text: str) -> str:
    """Return the text in lower case without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c))


def is_rude(text: str) -> bool:
    """Tell whether a rude word stands in the text, alone or spelled out; whole words only: Nazim is a person."""
    swapped = folded(text).translate(_SWAPPED)
    return bool({*re.findall(r"\w+", swapped), re.sub(r"[\W_]+", "", swapped)} & _RUDE)


def holds_rude_word(code: str) -> bool:
    """Tell whether a code, which has no word boundaries, has a rude word anywhere in it."""
    swapped = folded(code).translate(_SWAPPED)
    return any(word in swapped for word in _RUDE)
