"""The signed token in every mail's preference link: it names a recipient and a purpose, and never expires."""

from dataclasses import dataclass

from django.core import signing

SALT = "goodword.messaging.preferences"


@dataclass(frozen=True, slots=True)
class PreferenceToken:
    """Whose preferences a link may show and change, and which purpose its mail belonged to."""

    recipient_key: str
    purpose: str


def preference_token(recipient_key: str, purpose: str) -> str:
    """Return the token for one recipient and one purpose."""
    return signing.Signer(salt=SALT).sign_object([recipient_key, purpose])


def read_preference_token(text: str) -> PreferenceToken | None:
    """Return what the token says, or nothing if it is forged, cut or meant for something else.

    Keys in SECRET_KEY_FALLBACKS are accepted, so that links survive a change of the key.
    """
    try:
        recipient_key, purpose = signing.Signer(salt=SALT).unsign_object(text)
    except (signing.BadSignature, ValueError, TypeError, UnicodeError):
        return None
    return PreferenceToken(recipient_key=str(recipient_key), purpose=str(purpose))
