"""Reading links and codes."""

from urllib.parse import urlencode

from django.conf import settings

from referrals.codes import canonical_code
from referrals.models import Code, Link

SHARE_CHANNELS = ("email", "whatsapp", "sms", "x", "facebook", "linkedin", "reddit", "telegram", "copy", "qr", "native")


def link_of_code(text: str) -> Link | None:
    """Return the link, with its customer and program, of a code in any spelling, former codes included, or None."""
    code = canonical_code(text)
    if not code:
        return None
    found = Code.objects.select_related("link__customer", "link__program").filter(code=code).first()
    return found.link if found is not None else None


def share_url(link: Link, channel: str = "") -> str:
    """Return the link's public address; `channel` (one of SHARE_CHANNELS) names where it is shared."""
    query = f"?{urlencode({'c': channel})}" if channel else ""
    return f"{settings.PUBLIC_BASE_URL}/r/{link.code}{query}"
