"""Public ids: opaque strings with a readable prefix, unguessable (128 random bits)."""

import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id(prefix: str) -> str:
    """Return a new public id such as `ref_7ZK3…` (prefix, underscore, 26 characters)."""
    number = secrets.randbits(128)
    text = "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
    return f"{prefix}_{text}"
