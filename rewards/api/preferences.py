"""Which mails a customer wishes, for the shop's own account page."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.permissions import ScopeByMethod
from core.api.serializers import StrictSerializer
from messaging.queries import wishes_of
from messaging.services import set_preferences
from rewards.api.customers import find_living


class PreferencesIn(StrictSerializer):
    """What changes; a purpose that is missing stays as it is. Mails without a purpose are always sent."""

    rewards = serializers.BooleanField(required=False)
    referral_tips = serializers.BooleanField(required=False)
    surveys = serializers.BooleanField(required=False)
    news = serializers.BooleanField(required=False)
    wording = serializers.CharField(
        required=False, max_length=500, allow_blank=True, help_text="what the customer read when they chose"
    )


class PreferencesOut(serializers.Serializer[Any]):
    """Whether the customer wants mails of each purpose; without a choice they do."""

    rewards = serializers.BooleanField()
    referral_tips = serializers.BooleanField()
    surveys = serializers.BooleanField()
    news = serializers.BooleanField()


class CustomerPreferencesView(APIView):
    """A customer's preferences."""

    permission_classes = [ScopeByMethod]

    @extend_schema(responses=PreferencesOut)
    def get(self, _request: Request, external_id: str) -> Response:
        """Return what the customer wishes; 404 for one who was erased."""
        return Response(wishes_of(f"customer:{find_living(external_id).pk}"))

    @extend_schema(request=PreferencesIn, responses=PreferencesOut)
    def put(self, request: Request, external_id: str) -> Response:
        """Keep the choices that are given, with their wording; the same again changes nothing."""
        key = f"customer:{find_living(external_id).pk}"
        body = PreferencesIn(data=request.data)
        body.is_valid(raise_exception=True)
        wishes = dict(body.validated_data)
        words: str = wishes.pop("wording", "")
        set_preferences(
            recipient_key=key,
            wishes=wishes,
            source="api",
            wording=dict.fromkeys(wishes, words),
            at=timezone.now(),
        )
        return Response(wishes_of(key))
