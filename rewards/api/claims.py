"""The gift before any order, for the shop's landing page."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.idempotency import idempotent
from core.api.serializers import StrictSerializer
from referrals.services.claims import Claimant
from rewards.api.visitors import PublishableOrWrite, find_link, guest_of
from rewards.services.claiming import claim_gift


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
    guest = guest_of(request)
    link, click = find_link(guest, code=given.get("code", ""), click_id=given.get("click_id", ""))
    visitor = given.get("visitor", "")
    return Claimant(
        link=link,
        click=click,
        visitor=f"own:{visitor}" if visitor else "",
        address=guest.address,
        agent=guest.agent,
        trusted=guest.trusted,
    )
