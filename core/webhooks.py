"""Signed calls as Standard Webhooks describes them (www.standardwebhooks.com): secrets, headers, retries. Pure."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

PREFIX = "whsec_"
LADDER = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long to wait after each failed try; with the first one, ten tries in about three days."""
LONGEST_WAIT = timedelta(hours=24)
TOLERANCE = timedelta(minutes=5)
"""How old, or how far ahead, the timestamp of a signed call may be."""

_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32,88}={0,2}")


def new_secret() -> str:
    """Return a new secret: `whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def is_secret(text: str) -> bool:
    """Tell whether the text is a secret of that form, of 24 to 64 bytes."""
    if not _SECRET.fullmatch(text):
        return False
    try:
        return 24 <= len(base64.b64decode(text.removeprefix(PREFIX), validate=True)) <= 64
    except ValueError:
        return False


def signature_of(secret: str, *, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return `v1,` and the base64 of HMAC-SHA256 over 'id.timestamp.body' under the secret's bytes."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, f"{webhook_id}.{timestamp}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(digest).decode()


def signed_headers(*, secrets: Sequence[str], webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers of a signed call; several secrets (during a rotation) give several signatures."""
    timestamp = int(at.timestamp())
    signatures = [signature_of(one, webhook_id=webhook_id, timestamp=timestamp, body=body) for one in secrets]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def is_signed(
    *, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, at: datetime, tolerance: timedelta = TOLERANCE
) -> bool:
    """Tell whether one of the secrets signed these very bytes, and not longer ago (or ahead) than `tolerance`.

    Header names are in lower case.
    """
    webhook_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not webhook_id or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    if abs(at.timestamp() - int(stamp)) > tolerance.total_seconds():
        return False
    given = headers.get("webhook-signature", "").encode().split(b" ")
    wanted = [signature_of(one, webhook_id=webhook_id, timestamp=int(stamp), body=body).encode() for one in secrets]
    found = [hmac.compare_digest(ours, theirs) for ours in wanted for theirs in given]
    return any(found)


def wait_after(attempts: int, headers: Mapping[str, str], *, at: datetime) -> timedelta | None:
    """Return how long to wait after so many failed tries, or None where there is no other try.

    An answer's `retry-after` (seconds or a date) can lengthen the wait up to a day, never shorten it.
    """
    if attempts > len(LADDER):
        return None
    wait = LADDER[max(attempts - 1, 0)]
    return max(wait, min(_asked_wait(headers.get("retry-after", ""), at), LONGEST_WAIT))


def _asked_wait(text: str, at: datetime) -> timedelta:
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return timedelta(seconds=int(text))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return timedelta(0)
    return max((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - at, timedelta(0))


def fingerprint_of(secret: str) -> str:
    """Return eight characters by which people can tell secrets apart without seeing them."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]
