"""Requests that come from a visitor's browser with a publishable key, and what such a one may try."""

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from core.addresses import client_address
from core.api.permissions import demand_scope
from core.errors import NotFound, Refused
from referrals.bots import is_person_behind
from referrals.models import Click, Link
from referrals.queries.links import link_of_code
from referrals.services.clicks import may_visit, note_miss, seconds_left


class UnknownCode(NotFound):
    """No link has this code, or no visit this click id."""

    code = "unknown_code"


class TooManyCodes(Refused):
    """The network has tried too many codes that do not exist."""

    code = "too_many_codes"
    status = 429

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class PublishableOrWrite(BasePermission):
    """A publishable key, which stands in the page's source, or one that may write."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Say whether the key may speak for a visitor."""
        return bool(getattr(request.auth, "publishable", False)) or demand_scope(request, "write")


class PublishableOrRead(BasePermission):
    """A publishable key, which stands in the page's source, or one that may read."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Say whether the key may ask what the widget shows."""
        return bool(getattr(request.auth, "publishable", False)) or demand_scope(request, "read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Who asks: the shop's own server (`trusted`), or the browser of a visitor at `address`."""

    trusted: bool
    address: str
    agent: str
    is_person: bool


def guest_of(request: Request) -> Guest:
    """Return who asks; a server that may write vouches for its visitor, a browser is looked at."""
    trusted = not getattr(request.auth, "publishable", False)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Guest(
        trusted=trusted,
        address="" if trusted else client_address(request.META, proxies=settings.TRUSTED_PROXY_COUNT),
        agent=headers.get("user-agent", "")[:512],
        is_person=trusted or is_person_behind(headers),
    )


def find_link(guest: Guest, *, code: str = "", click_id: str = "") -> tuple[Link, Click | None]:
    """Return the link and the visit that a guest names. Raises `UnknownCode`, `TooManyCodes` for one who guesses."""
    now = timezone.now()
    if not guest.trusted and not may_visit(address=guest.address, at=now):
        raise TooManyCodes("too many codes that do not exist were tried from here", retry_after=seconds_left(now))
    known = Click.objects.select_related("link__program", "link__customer", "program")
    click = known.filter(click_id=click_id, verdict=Click.Verdict.PERSON).first() if click_id else None
    link = click.link if click else link_of_code(code)
    if link is None:
        if not guest.trusted:
            note_miss(address=guest.address, at=now)
        raise UnknownCode("no link has this code, and no visit this click id")
    return link, click
