"""The gift before any order, for the shop's landing page."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.addresses import client_address
from core.api.idempotency import idempotent
from core.api.permissions import demand_scope
from core.api.serializers import StrictSerializer
from core.errors import NotFound, Refused
from referrals.models import Click, Link
from referrals.queries.links import link_of_code
from referrals.services.claims import Claimant
from referrals.services.clicks import may_visit, note_miss, seconds_left
from rewards.services.claiming import claim_gift


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
        """Say whether the key may hand out gifts."""
        return bool(getattr(request.auth, "publishable", False)) or demand_scope(request, "write")


class ClaimIn(StrictSerializer):
    """Through which link: its code, or the click id that came with the visit."""

    code = serializers.CharField(max_length=64, required=False)
    click_id = serializers.CharField(max_length=64, required=False)
    visitor = serializers.CharField(
        max_length=60, required=False, help_text="your own id of the visitor, so that asking again gives the same"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for one of the two."""
        if not attrs.get("code") and not attrs.get("click_id"):
            raise ValidationError({"code": ["Expected code or click_id."]})
        return attrs


class ClaimOut(serializers.Serializer[Any]):
    """The friend's gift."""

    coupon = serializers.CharField()
    program = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)


class ClaimsView(APIView):
    """Hand a friend their gift."""

    permission_classes = [PublishableOrWrite]

    @extend_schema(request=ClaimIn, responses={201: ClaimOut})
    @idempotent
    def post(self, request: Request) -> Response:
        """Return the single-use coupon of the visitor; asking again gives the same one.

        404 `unknown_code` or `no_gift`, 409 `program_not_running` or `out_of_stock`, 429 `too_many_claims`.
        """
        body = ClaimIn(data=request.data)
        body.is_valid(raise_exception=True)
        claimant = _claimant(request, body.validated_data)
        claim = claim_gift(claimant=claimant, at=timezone.now())
        told = {"coupon": claim.coupon, "program": claim.program.slug, "expires_at": claim.expires_at}
        return Response(told, status=201)


def _claimant(request: Request, given: dict[str, Any]) -> Claimant:
    trusted = not getattr(request.auth, "publishable", False)
    now = timezone.now()
    address = "" if trusted else client_address(request.META, proxies=settings.TRUSTED_PROXY_COUNT)
    if not trusted and not may_visit(address=address, at=now):
        raise TooManyCodes("too many codes that do not exist were tried from here", retry_after=seconds_left(now))
    click = _click(given.get("click_id", ""))
    link = click.link if click else _link(given.get("code", ""))
    if link is None:
        if not trusted:
            note_miss(address=address, at=now)
        raise UnknownCode("no link has this code, and no visit this click id")
    agent = request.headers.get("user-agent", "")[:512]
    visitor = given.get("visitor", "")
    return Claimant(
        link=link,
        click=click,
        visitor=f"own:{visitor}" if visitor else "",
        address=address,
        agent=agent,
        trusted=trusted,
    )


def _click(click_id: str) -> Click | None:
    if not click_id:
        return None
    known = Click.objects.select_related("link__program", "link__customer", "program")
    return known.filter(click_id=click_id, verdict=Click.Verdict.PERSON).first()


def _link(code: str) -> Link | None:
    return link_of_code(code) if code else None
