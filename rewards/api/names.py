"""Who told you of us: what a visitor says, for shops that ask on their own pages."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.idempotency import idempotent
from core.api.serializers import StrictSerializer
from core.errors import Invalid
from referrals.person_names import LONGEST
from referrals.queries.audiences import public_programs
from referrals.services.clicks import may_visit, note_miss, seconds_left
from referrals.services.naming import search_name
from rewards.api.visitors import PublishableOrWrite, TooManyCodes, guest_of


class NameIn(StrictSerializer):
    """Whom the visitor named, in a program that is offered to everybody."""

    program = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=LONGEST, help_text="first and last name")
    email = serializers.EmailField(required=False, help_text="of the one named, where the visitor knows it")


class NameOut(serializers.Serializer[Any]):
    """The same shape whether anybody was found."""

    click_id = serializers.CharField(help_text="to be sent as referral.click_id with the sign-up or order")


class NamesView(APIView):
    """Searches by name, which tell nothing."""

    permission_classes = [PublishableOrWrite]

    @extend_schema(request=NameIn, responses={201: NameOut})
    @idempotent
    def post(self, request: Request) -> Response:
        """Keep whom a visitor named; 429 `too_many_codes` for a network that tries many."""
        body = NameIn(data=request.data)
        body.is_valid(raise_exception=True)
        given, guest, now = body.validated_data, guest_of(request), timezone.now()
        program = public_programs().filter(slug=given["program"]).first()
        if program is None:
            raise Invalid("no program of this name runs now", pointer="/program")
        if not guest.trusted:
            if not may_visit(address=guest.address, at=now):
                raise TooManyCodes("too many names were tried from here", retry_after=seconds_left(now))
            note_miss(address=guest.address, at=now)
        search = search_name(program=program, name=given["name"], email=given.get("email", ""), at=now)
        return Response({"click_id": search.search_id}, status=201)
