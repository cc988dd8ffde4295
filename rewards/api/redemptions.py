"""The catalogue and redemptions: what points buy, and what became of it."""

from collections.abc import Callable
from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.idempotency import idempotent
from core.api.pagination import CursorPages, page_of
from core.api.permissions import ScopeByMethod, scope
from core.api.serializers import StrictSerializer
from core.errors import Invalid
from core.money import to_text
from referrals.queries.people import living_customer_known_as
from rewards.models import CatalogueItem, Redemption
from rewards.queries.catalogue import items_offered, redemptions_with_people
from rewards.services.redeeming import (
    MAX_QUANTITY,
    Wish,
    cancel_redemption,
    confirm_redemption,
    fulfil_redemption,
    place_redemption,
)


class ItemOut(serializers.Serializer[Any]):
    """Something customers get for points."""

    item = serializers.CharField(help_text="its name in `POST /redemptions`")
    title = serializers.CharField()
    words = serializers.CharField()
    points = serializers.IntegerField(help_text="the price of one")
    kind = serializers.ChoiceField(CatalogueItem.Kind.choices)
    amount = serializers.CharField(allow_null=True, help_text="of a credit or gift card")
    currency = serializers.CharField(allow_null=True)
    stock = serializers.IntegerField(allow_null=True, help_text="how many are left; null: unlimited")
    per_customer = serializers.IntegerField(allow_null=True, help_text="how many one may have; null: no limit")
    ends_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: CatalogueItem) -> dict[str, Any]:
        """Return the item as JSON values."""
        money = instance.amount_minor is not None
        return {
            "item": instance.slug,
            "title": instance.title,
            "words": instance.words,
            "points": instance.points,
            "kind": instance.kind,
            "amount": to_text(instance.amount_minor or 0, instance.currency) if money else None,
            "currency": instance.currency if money else None,
            "stock": instance.stock,
            "per_customer": instance.per_customer,
            "ends_at": instance.ends_at,
        }


class RedemptionOut(serializers.Serializer[Any]):
    """Points that a customer gave for an item."""

    id = serializers.CharField()
    customer = serializers.CharField(help_text="external id")
    item = serializers.CharField()
    title = serializers.CharField()
    quantity = serializers.IntegerField()
    points = serializers.IntegerField(help_text="for all of them")
    kind = serializers.CharField()
    state = serializers.ChoiceField(Redemption.State.choices)
    outcome = serializers.CharField(allow_null=True, help_text="what the customer reads when it is done or undone")
    waits_for = serializers.ChoiceField(
        Redemption.WaitsFor.choices, allow_null=True, help_text="whose turn it is while it is placed"
    )
    expires_at = serializers.DateTimeField(allow_null=True, help_text="end of a reservation")
    created_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: Redemption) -> dict[str, Any]:
        """Return the redemption as JSON values."""
        return {
            "id": instance.public_id,
            "customer": instance.customer.external_id,
            "item": instance.item.slug,
            "title": instance.title,
            "quantity": instance.quantity,
            "points": instance.points,
            "kind": instance.kind,
            "state": instance.state,
            "outcome": instance.outcome or None,
            "waits_for": instance.waits_for if instance.state == Redemption.State.PLACED else None,
            "expires_at": instance.expires_at,
            "created_at": instance.created_at,
            "settled_at": instance.settled_at,
        }


class RedemptionIn(StrictSerializer):
    """Who wants how many of what; `reserve` holds it for 15 minutes until it is confirmed."""

    customer = serializers.CharField(max_length=200)
    item = serializers.CharField(max_length=60)
    quantity = serializers.IntegerField(min_value=1, max_value=MAX_QUANTITY, default=1)
    reserve = serializers.BooleanField(default=False)


class CancelIn(StrictSerializer):
    """Why, in words, if there is something to say."""

    reason = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class FulfilIn(StrictSerializer):
    """What the customer reads: a code, a link, when it comes."""

    outcome = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class NothingIn(StrictSerializer):
    """An empty body."""


def find_redemption(public_id: str) -> Redemption:
    """Return the redemption or raise `Http404`."""
    redemption = redemptions_with_people().filter(public_id=public_id).first()
    if redemption is None:
        raise Http404(f"No redemption {public_id!r}.")
    return redemption


class CatalogueView(APIView):
    """What points buy."""

    permission_classes = [scope("read")]

    @extend_schema(responses=page_of(ItemOut))
    def get(self, request: Request) -> Response:
        """Return the items that are offered now, also those of which none is left, newest first."""
        return CursorPages(request).answer(items_offered(at=timezone.now()), ItemOut)


class RedemptionsView(APIView):
    """Redemptions, newest first."""

    permission_classes = [ScopeByMethod]
    filters = {"customer": "customer__external_id", "item": "item__slug"}

    @extend_schema(
        parameters=[OpenApiParameter(name, str) for name in (*filters, "state")], responses=page_of(RedemptionOut)
    )
    def get(self, request: Request) -> Response:
        """Return redemptions in every state unless filtered."""
        rows = redemptions_with_people()
        for name, column in self.filters.items():
            if value := request.query_params.get(name):
                rows = rows.filter(**{column: value})
        if state := request.query_params.get("state"):
            if state not in Redemption.State.values:
                raise ValidationError({"state": [f"Expected one of {', '.join(Redemption.State.values)}."]})
            rows = rows.filter(state=state)
        return CursorPages(request).answer(rows, RedemptionOut)

    @extend_schema(request=RedemptionIn, responses={201: RedemptionOut})
    @idempotent
    def post(self, request: Request) -> Response:
        """Give points for an item.

        409 `insufficient_points`, `out_of_stock`, `limit_reached` or `not_offered` where that cannot be; nothing
        is taken then.
        """
        body = RedemptionIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        customer = living_customer_known_as(given["customer"])
        if customer is None:
            raise Invalid(f"no customer {given['customer']!r}", pointer="/customer")
        item = CatalogueItem.objects.filter(slug=given["item"]).first()
        if item is None:
            raise Invalid(f"no item {given['item']!r} in the catalogue", pointer="/item")
        redemption = place_redemption(
            customer=customer,
            wish=Wish(item=item, quantity=given["quantity"]),
            actor=f"key:{request.auth}",
            at=timezone.now(),
            reserve=given["reserve"],
        )
        return Response(RedemptionOut(find_redemption(redemption.public_id)).data, status=201)


class RedemptionView(APIView):
    """One redemption."""

    permission_classes = [scope("read")]

    @extend_schema(responses=RedemptionOut)
    def get(self, _request: Request, redemption_id: str) -> Response:
        """Return the redemption."""
        return Response(RedemptionOut(find_redemption(redemption_id)).data)


class _Step(APIView):
    """A step of one redemption."""

    permission_classes = [scope("write")]

    def _take(
        self,
        request: Request,
        redemption_id: str,
        body_of: type[StrictSerializer],
        service: Callable[..., Redemption],
        **more: object,
    ) -> Response:
        redemption = find_redemption(redemption_id)
        body = body_of(data=request.data)
        body.is_valid(raise_exception=True)
        given = {**body.validated_data, **more}
        service(redemption=redemption, actor=f"key:{request.auth}", at=timezone.now(), **given)
        return Response(RedemptionOut(find_redemption(redemption_id)).data)


class RedemptionCancelView(_Step):
    """Undo a redemption."""

    @extend_schema(request=CancelIn, responses=RedemptionOut)
    @idempotent
    def post(self, request: Request, redemption_id: str) -> Response:
        """Give the points back to their lots (one that expired meanwhile gets 30 days) and the stock to the item.

        409 `wrong_state` where it was cancelled or failed before.
        """
        return self._take(request, redemption_id, CancelIn, cancel_redemption, even_fulfilled=True)


class RedemptionConfirmView(_Step):
    """Make a reservation a redemption."""

    @extend_schema(request=NothingIn, responses=RedemptionOut)
    @idempotent
    def post(self, request: Request, redemption_id: str) -> Response:
        """Confirm what was reserved. 409 `wrong_state` where its 15 minutes are over."""
        return self._take(request, redemption_id, NothingIn, confirm_redemption)


class RedemptionFulfilView(_Step):
    """Say that the customer has it."""

    @extend_schema(request=FulfilIn, responses=RedemptionOut)
    @idempotent
    def post(self, request: Request, redemption_id: str) -> Response:
        """Mark it as handed over and tell the customer. 409 `wrong_state` where it is not placed."""
        return self._take(request, redemption_id, FulfilIn, fulfil_redemption)
