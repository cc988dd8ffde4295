"""Signed links to an invitation: a token names one invitation, serves no other purpose, survives a key rotation."""

from django.conf import settings
from django.core.signing import BadSignature, Signer

SALT = "rewards.event_invitation"


def _signer() -> Signer:
    return Signer(salt=SALT, sep=".")


def token_of(public_id: str) -> str:
    """Return the signed text for the addresses of an invitation."""
    return _signer().sign(public_id)


def public_id_of(token: str) -> str | None:
    """Return what the token names, or None for one that is forged, cut off or of another purpose."""
    try:
        return _signer().unsign(token)
    except BadSignature:
        return None


def invitation_url(public_id: str) -> str:
    """Return the absolute address of the page where the invitation is answered."""
    return f"{settings.PUBLIC_BASE_URL}/events/{token_of(public_id)}"
