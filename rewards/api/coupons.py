"""Coupons at the checkout: is it good, use it once, undo its use."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.idempotency import idempotent
from core.api.permissions import scope
from core.api.serializers import StrictSerializer
from rewards.models import Coupon
from rewards.services.coupons import coupon_problem, find_coupon, redeem_coupon, release_coupon

PROBLEMS = ("used", "expired", "blocked", "not_given")


class CouponOut(serializers.Serializer[Any]):
    """A coupon: whether it is good now, and what for."""

    code = serializers.CharField(help_text="as the shop knows it, however it was typed")
    valid = serializers.BooleanField()
    reason = serializers.ChoiceField(PROBLEMS, allow_null=True, help_text="why it is not valid")
    pool = serializers.CharField()
    gives = serializers.CharField(help_text="what the customer reads")
    program = serializers.CharField(allow_null=True)
    reward = serializers.CharField(allow_null=True)
    redemption = serializers.CharField(allow_null=True, help_text="where it was bought for points")
    customer = serializers.CharField(allow_null=True, help_text="external id of its owner, where it is known")
    order_id = serializers.CharField(allow_null=True, help_text="the order it was used for")
    expires_at = serializers.DateTimeField(allow_null=True)


class ValidateIn(StrictSerializer):
    """Nothing is needed to ask."""


class RedeemIn(StrictSerializer):
    """The order that uses the coupon."""

    order_id = serializers.CharField(max_length=200)


class ReleaseIn(StrictSerializer):
    """The order whose use is undone; missing: whichever it was."""

    order_id = serializers.CharField(max_length=200, required=False, allow_blank=True)


def coupon_json(coupon: Coupon) -> dict[str, Any]:
    """Return a coupon as the API shows it, as it stands now."""
    problem = coupon_problem(coupon, at=timezone.now())
    reward, redemption = coupon.reward, coupon.redemption
    owner = reward.recipient if reward else redemption.customer if redemption else None
    return {
        "code": coupon.code,
        "valid": not problem,
        "reason": problem or None,
        "pool": coupon.pool.name,
        "gives": coupon.pool.gives,
        "program": reward.program.slug if reward else None,
        "reward": reward.public_id if reward else None,
        "redemption": redemption.public_id if redemption else None,
        "customer": owner.external_id if owner else None,
        "order_id": coupon.order_id or None,
        "expires_at": coupon.expires_at,
    }


class CouponValidateView(APIView):
    """Ask about a coupon."""

    permission_classes = [scope("write")]

    @extend_schema(request=ValidateIn, responses=CouponOut)
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Return whether the coupon is good, and for what; nothing is used up. 404 where no pool has it."""
        ValidateIn(data=request.data).is_valid(raise_exception=True)
        return Response(coupon_json(find_coupon(code)))


class CouponRedeemView(APIView):
    """Use a coupon."""

    permission_classes = [scope("write")]

    @extend_schema(request=RedeemIn, responses=CouponOut)
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Use the coupon for an order, once; the same order again gets the same answer.

        409 `coupon_used`, `coupon_expired`, `coupon_blocked` or `coupon_not_given`.
        """
        body = RedeemIn(data=request.data)
        body.is_valid(raise_exception=True)
        coupon = redeem_coupon(code=code, order_id=body.validated_data["order_id"], at=timezone.now())
        return Response(coupon_json(coupon))


class CouponReleaseView(APIView):
    """Undo the use of a coupon."""

    permission_classes = [scope("write")]

    @extend_schema(request=ReleaseIn, responses=CouponOut)
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        """Undo its use, because the order was not completed; of an unused one nothing changes.

        409 `coupon_used` where it was used for another order than the one named.
        """
        body = ReleaseIn(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(coupon_json(release_coupon(code=code, order_id=body.validated_data.get("order_id", ""))))
