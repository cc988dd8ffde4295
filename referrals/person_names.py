"""Names of people as friends type them. Pure."""

import re
import unicodedata

from core.manners import folded

LONGEST, LONGEST_KEY = 120, 200


def name_key(text: str) -> str:
    """Return what two spellings of one name have in common: no case, accents, hyphens, dots or double spaces."""
    plain = folded(unicodedata.normalize("NFKC", text.replace("'", "").replace("’", "")))
    return " ".join(re.findall(r"[^\W_]+", folded(plain)))


def is_full_name(text: str) -> bool:
    """Tell whether it is a first and a last name: two words at least, not a whole letter."""
    return len(name_key(text).split()) >= 2 and len(text) <= LONGEST and len(name_key(text)) <= LONGEST_KEY
