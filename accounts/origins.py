"""Web origins, and who a shop says its visitor is. Pure."""

import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?)(:\d{1,5})?")
_MARK = re.compile(r"[0-9a-f]{64}")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
LONGEST_IDENTITY = 400


def origin_problem(text: str) -> str:
    """Return why a text is no web origin, or ''."""
    found = _ORIGIN.fullmatch(text)
    if found is None:
        return f"expected an origin such as https://shop.example, without a path, got {text!r}"
    if text.startswith("http:") and found.group(1) not in LOOPBACK:
        return f"expected https (http only for this machine's own addresses), got {text!r}"
    return ""


def read_origins(lines: Iterable[str]) -> list[str]:
    """Return the origins as browsers write them, each once: lower case, without a last slash."""
    return list(dict.fromkeys(line.strip().lower().rstrip("/") for line in lines if line.strip()))


def sign_identity(external_id: str, *, until: datetime, secret: str) -> str:
    """Return the token by which the shop says who its visitor is: `<id>.<unix time>.<hex HMAC-SHA256 of both>`."""
    said = f"{external_id}.{int(until.timestamp())}"
    return f"{said}.{hmac.digest(secret.encode(), said.encode(), 'sha256').hex()}"


def read_identity(token: str, *, secrets: Sequence[str], at: datetime) -> str:
    """Return the external id that a token vouches for at `at`, or '' for one that is forged, over or unreadable."""
    said, _, mark = token.rpartition(".")
    external_id, _, until = said.rpartition(".")
    if len(token) > LONGEST_IDENTITY or not external_id or not re.fullmatch(r"[0-9]{1,12}", until):
        return ""
    if not _MARK.fullmatch(mark):
        return ""
    made = [hmac.digest(secret.encode(), said.encode(errors="replace"), "sha256").hex() for secret in secrets]
    genuine = sum(hmac.compare_digest(mark, one) for one in made)
    return external_id if genuine and int(until) >= at.timestamp() else ""
