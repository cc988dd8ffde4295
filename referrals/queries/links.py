"""Reading links and codes."""

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.urls import reverse

from referrals.codes import canonical_code
from referrals.models import Code, Link, Placement

SHARE_CHANNELS = ("email", "whatsapp", "sms", "x", "facebook", "linkedin", "reddit", "telegram", "copy", "qr", "native")


def link_of_code(text: str) -> Link | None:
    """Return the link, with its customer and program, of a code in any spelling, former codes included, or None."""
    code = canonical_code(text)
    if not code:
        return None
    found = Code.objects.select_related("link__customer", "link__program").filter(code=code).first()
    return found.link if found is not None else None


def how_url(program: str) -> str:
    """Return the address of the public page that says how the program with this slug works."""
    return f"{settings.PUBLIC_BASE_URL}{reverse('how_it_works', args=[program])}"


def share_url(link: Link, channel: str = "", placement: str = "") -> str:
    """Return the link's public address; `channel` (one of SHARE_CHANNELS) names where it is shared.

    `placement` names where the advocate took it from, so that its clicks count there.
    """
    named = {name: value for name, value in (("c", channel), ("p", placement)) if value}
    query = f"?{urlencode(named)}" if named else ""
    return f"{settings.PUBLIC_BASE_URL}/r/{link.code}{query}"


def share_page_url(link: Link, placement: str) -> str:
    """Return the address that leads the link's owner to where they share, and counts that they came from there."""
    return f"{settings.PUBLIC_BASE_URL}{reverse('open_offer', args=[link.code])}?{urlencode({'p': placement})}"


def code_in(url: str) -> str:
    """Return the code that a share link's address names."""
    return urlsplit(url).path.rpartition("/")[2]


def channel_of(query: Mapping[str, str]) -> str:
    """Return the channel that a link's address names (`c`), or '' for none that is known."""
    channel = query.get("c", "").lower()
    return channel if channel in SHARE_CHANNELS else ""


def placement_of(query: Mapping[str, str]) -> str:
    """Return the placement that a link's address names (`p`), or '' for none that is known."""
    placement = query.get("p", "").lower()
    return placement if placement in Placement.values else ""
