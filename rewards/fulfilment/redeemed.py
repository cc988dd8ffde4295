"""What points bought: coupons taken for it, and the calls that ask the shop to give it or to take it back."""

from datetime import datetime

from core.money import to_text
from rewards.fulfilment.calls import make_call, withdraw_call
from rewards.fulfilment.coupon import block_coupons, take_coupon
from rewards.models import Coupon, CouponPool, FulfilmentEndpoint, OutboundCall, Redemption

BY_CALL = frozenset({"credit", "gift_card"})


def take_coupons(redemption: Redemption, *, at: datetime) -> list[Coupon] | None:
    """Return a coupon for each of them, or None where the pool has fewer; what was taken is then to be rolled back."""
    pool = CouponPool.objects.filter(name=str(redemption.detail.get("what", ""))).first()
    found: list[Coupon] = []
    while pool is not None and len(found) < redemption.quantity:
        coupon = take_coupon(pool, at=at, cause=redemption)
        if coupon is None:
            return None
        found.append(coupon)
    return found or None


def ask_shop(redemption: Redemption, *, at: datetime) -> bool:
    """Write the call that asks the shop to give it; False where no endpoint of its kind is set up."""
    endpoint = FulfilmentEndpoint.objects.filter(kind=redemption.kind).first()
    if endpoint is not None:
        _call(redemption, endpoint, OutboundCall.Type.FULFIL, at)
    return endpoint is not None


def take_back(redemption: Redemption, *, at: datetime) -> str:
    """Block unused coupons, or have the shop take back what it may have given; return in words what was done."""
    if told := block_coupons(Coupon.objects.filter(redemption=redemption)):
        return told
    asked = withdraw_call(OutboundCall.objects.filter(redemption=redemption), at=at)
    if asked is None:
        return ""
    if asked.due_at is None:
        return "the shop had not been asked yet"
    _call(redemption, asked.endpoint, OutboundCall.Type.REVERSE, asked.due_at)
    return "the shop is asked to take it back"


def _call(redemption: Redemption, endpoint: FulfilmentEndpoint, kind: OutboundCall.Type, due_at: datetime) -> None:
    about = {"redemption": redemption, "payload": _payload(redemption)}
    make_call(redemption.public_id, endpoint=endpoint, kind=kind, due_at=due_at, about=about)


def _payload(redemption: Redemption) -> dict[str, str | int]:
    """Return what the shop needs; the amount is of all of them together."""
    detail = redemption.detail
    currency = str(detail.get("currency", ""))
    return {
        "redemption": redemption.public_id,
        "kind": redemption.kind,
        "amount": to_text(int(detail.get("amount_minor", 0)) * redemption.quantity, currency),
        "currency": currency,
        "quantity": redemption.quantity,
        "customer": redemption.customer.external_id,
        "item": redemption.item.slug,
    }
