"""What a checkout asks about a coupon: is it good, use it once, undo its use."""

from datetime import datetime

from django.db import transaction

from core.errors import NotFound, Refused
from referrals.codes import coupon_key
from referrals.models import Event
from rewards.models import Coupon, Redemption, Reward

State = Coupon.State
WITHDRAWN = (Reward.State.CANCELLED, Reward.State.REVOKED)
UNDONE = (Redemption.State.CANCELLED, Redemption.State.FAILED)
UNKNOWN_COUPON = "unknown_coupon"


class UnknownCoupon(NotFound):
    """No pool has this code."""


class CouponUsed(Refused):
    """The coupon was used for another order."""

    code = "coupon_used"


class CouponExpired(Refused):
    """The coupon's days are over."""

    code = "coupon_expired"


class CouponBlocked(Refused):
    """The coupon was taken back, because the order behind it did not stand."""

    code = "coupon_blocked"


class CouponNotGiven(Refused):
    """Nobody has been given this coupon yet."""

    code = "coupon_not_given"


_REFUSALS: dict[str, type[Refused]] = {
    "used": CouponUsed,
    "expired": CouponExpired,
    "blocked": CouponBlocked,
    "not_given": CouponNotGiven,
}
_WORDS = {
    "used": "this coupon was used already",
    "expired": "this coupon has expired",
    "blocked": "this coupon was taken back",
    "not_given": "this coupon was not given to anybody yet",
}


def find_coupon(code: str) -> Coupon:
    """Return the coupon with that code in any spelling; raises `UnknownCoupon`."""
    key = coupon_key(code)
    related = ("pool", "reward__program", "reward__recipient", "redemption__customer")
    found = Coupon.objects.select_related(*related).filter(key=key).first()
    if not key or found is None:
        raise UnknownCoupon(f"there is no coupon {code!r}")
    return found


def coupon_problem(coupon: Coupon, *, at: datetime) -> str:
    """Return why the coupon is not good at `at`: used, expired, blocked, not_given; '' where it is good.

    The instant at which it expires is the first one at which it is not good any more.
    """
    if coupon.state != State.GIVEN:
        return {State.USED: "used", State.BLOCKED: "blocked", State.FREE: "not_given"}[State(coupon.state)]
    return "expired" if coupon.expires_at is not None and coupon.expires_at <= at else ""


@transaction.atomic
def redeem_coupon(*, code: str, order_id: str, at: datetime) -> Coupon:
    """Use the coupon for an order, once; the same order again changes nothing.

    Raises `UnknownCoupon`, `CouponUsed`, `CouponExpired`, `CouponBlocked` or `CouponNotGiven`.
    """
    coupon = find_coupon(code)
    if not use_coupon(coupon, order_id=order_id, at=at):
        coupon.refresh_from_db()
        problem = coupon_problem(coupon, at=at)
        if problem == "used" and coupon.order_id == order_id:
            return coupon
        raise _REFUSALS.get(problem, CouponUsed)(_WORDS.get(problem, "this coupon was used just now"))
    coupon.refresh_from_db()
    return coupon


def use_coupon(coupon: Coupon, *, order_id: str, at: datetime) -> bool:
    """Mark a good coupon as used; tell whether it was good and unused."""
    if coupon_problem(coupon, at=at):
        return False
    unused = Coupon.objects.filter(pk=coupon.pk, state=State.GIVEN)
    return unused.update(state=State.USED, used_at=at, order_id=order_id) == 1


@transaction.atomic
def release_coupon(*, code: str, order_id: str = "") -> Coupon:
    """Undo the use of a coupon whose order was not completed; of one that is unused nothing changes.

    With `order_id` only a use for that order: raises `CouponUsed` for another one. A coupon whose reward or
    redemption was taken back meanwhile is blocked.
    """
    coupon = find_coupon(code)
    if coupon.state != State.USED:
        return coupon
    if order_id and coupon.order_id != order_id:
        raise CouponUsed("this coupon was used for another order")
    after = State.BLOCKED if _is_taken_back(coupon) else State.GIVEN
    used = Coupon.objects.filter(pk=coupon.pk, state=State.USED, order_id=coupon.order_id)
    used.update(state=after, used_at=None, order_id="")
    coupon.refresh_from_db()
    return coupon


def _is_taken_back(coupon: Coupon) -> bool:
    if coupon.redemption is not None:
        return coupon.redemption.state in UNDONE
    return coupon.reward is not None and coupon.reward.state in WITHDRAWN


@transaction.atomic
def note_coupon_in_event(*, event: Event) -> None:
    """Mark a coupon that an order names as used by it, and say no more that nobody knows it."""
    key = coupon_key(event.coupon)
    coupon = Coupon.objects.filter(key=key).first() if key else None
    if coupon is None:
        return
    if event.type == Event.Type.PURCHASE:
        use_coupon(coupon, order_id=event.order_id, at=event.occurred_at)
    if UNKNOWN_COUPON in event.warnings:
        event.warnings = [one for one in event.warnings if one != UNKNOWN_COUPON]
        Event.objects.filter(pk=event.pk).update(warnings=event.warnings)
