"""Signed links: a token names one invitation, serves no other purpose and survives a key rotation."""

from django.conf import settings
from django.core.signing import BadSignature, Signer

SALT = "surveys.invitation"


def _signer() -> Signer:
    return Signer(salt=SALT, sep=".")


def token_of(token_id: str) -> str:
    """Return the signed text for the address of a survey page."""
    return _signer().sign(token_id)


def token_id_of(token: str) -> str | None:
    """Return what the token names, or None for one that is forged, cut off or of another purpose."""
    try:
        return _signer().unsign(token)
    except BadSignature:
        return None


def survey_url(token_id: str) -> str:
    """Return the absolute address of the survey page."""
    return f"{settings.PUBLIC_BASE_URL}/s/{token_of(token_id)}"


def score_url(token_id: str, score: int) -> str:
    """Return the absolute address of the survey page with a score chosen."""
    return f"{survey_url(token_id)}?score={score}"


def trap_url(token_id: str) -> str:
    """Return the address that mails hide from people: whoever opens it is a machine."""
    return f"{survey_url(token_id)}/view"
