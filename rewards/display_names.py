"""Names that customers choose to be shown under to other customers. Pure."""

import re
import unicodedata

from core.errors import Invalid
from core.manners import folded, is_rude
from messaging.names import safe_name

LONGEST = 30
FEWEST_LETTERS = 2
_POSING = frozenset({"admin", "administrator", "moderator", "official", "offiziell", "staff", "support", "team"})


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
    plain = folded(name)
    words = set(re.findall(r"\w+", plain))
    if words & _POSING or folded(brand).strip() in {plain, *words}:
        raise BadDisplayName("posing")
    if is_rude(name):
        raise BadDisplayName("rude")
    return name
