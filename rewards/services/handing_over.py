"""Handing over what points bought: coupons and perks at once, credits and cards by the shop, the rest by people."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from rewards.fulfilment.redeemed import BY_CALL, ask_shop, take_back, take_coupons
from rewards.models import Coupon, CouponPool, Redemption
from rewards.services.redeeming import RedemptionStands, fulfil_redemption, keep_redemption_step

State = Redemption.State
WaitsFor = Redemption.WaitsFor
LOOK_AGAIN = timedelta(hours=1)
RULES = "the rules"


class _TooFew(Exception):
    """The pool has fewer codes than are wanted: those taken go back."""


@transaction.atomic
def hand_over_redemption(*, redemption: Redemption, at: datetime) -> bool:
    """Give what was redeemed if it needs nobody else, else note whose turn it is; return whether it is given.

    A coupon without codes waits and is tried again. Of one that is over meanwhile nothing changes.
    """
    own = Redemption.objects.select_for_update(no_key=True, of=("self",)).select_related("customer", "item")
    redemption = own.get(pk=redemption.pk)
    if redemption.state != State.PLACED or redemption.waits_for == WaitsFor.SHOP:
        return False
    if redemption.kind == "coupon":
        return _give_coupons(redemption, at)
    if redemption.kind == "perk":
        fulfil_redemption(redemption=redemption, outcome="", actor=RULES, at=at)
        return True
    if redemption.kind in BY_CALL and ask_shop(redemption, at=at):
        _wait(redemption, WaitsFor.SHOP, why="the shop is asked to give it", at=at)
    return False


def _give_coupons(redemption: Redemption, at: datetime) -> bool:
    try:
        with transaction.atomic():
            coupons = take_coupons(redemption, at=at)
            if coupons is None:
                raise _TooFew
    except _TooFew:
        _wait(redemption, WaitsFor.STOCK, why="not enough codes are left", at=at)
        Redemption.objects.filter(pk=redemption.pk, state=State.PLACED).update(due_at=at + LOOK_AGAIN)
        return False
    _keep_what_was_given(redemption, coupons)
    codes = ", ".join(coupon.code for coupon in coupons)
    fulfil_redemption(redemption=redemption, outcome=codes, actor=RULES, at=at)
    return True


def _keep_what_was_given(redemption: Redemption, coupons: Sequence[Coupon]) -> None:
    pool, expires_at = coupons[0].pool, coupons[0].expires_at
    told = {"title": pool.gives, "expires_at": expires_at.isoformat() if expires_at else None}
    redemption.detail = {**redemption.detail, **told}
    Redemption.objects.filter(pk=redemption.pk).update(detail=redemption.detail)


def _wait(redemption: Redemption, for_whom: str, *, why: str, at: datetime) -> None:
    if redemption.waits_for == for_whom:
        return
    redemption.waits_for = for_whom
    Redemption.objects.filter(pk=redemption.pk, state=State.PLACED).update(waits_for=for_whom)
    keep_redemption_step(redemption, "waiting", at=at, why=why)


def hand_over_due(*, at: datetime, limit: int = 200) -> int:
    """Try again what waits for coupon codes, the oldest first; return how many could be given."""
    due = Redemption.objects.filter(state=State.PLACED, due_at__lte=at).order_by("pk")
    return sum(hand_over_redemption(redemption=one, at=at) for one in list(due[:limit]))


def wake_redemptions(*, pool: CouponPool, at: datetime) -> int:
    """Have the redemptions that wait for this pool tried again now; return how many wait."""
    waits = Redemption.objects.filter(state=State.PLACED, waits_for=WaitsFor.STOCK, detail__what=pool.name)
    return waits.update(due_at=at)


@transaction.atomic
def take_back_redemption(*, redemption: Redemption, at: datetime) -> None:
    """Undo what was given for a redemption that is over: unused coupons are blocked, the shop is told."""
    if told := take_back(redemption, at=at):
        keep_redemption_step(redemption, "taken_back", at=at, why=told)


@transaction.atomic
def note_shops_answer(*, redemption: Redemption, told: str, at: datetime) -> bool:
    """The shop has given it: the customer reads its code and link. False where it was undone meanwhile."""
    try:
        with transaction.atomic():
            fulfil_redemption(redemption=redemption, outcome=told, actor="the shop", at=at)
    except RedemptionStands:
        return False
    return True


@transaction.atomic
def note_shops_silence(*, redemption: Redemption, why: str, at: datetime) -> None:
    """The shop cannot be asked: people hand it over, or say that it cannot be had."""
    waits = Redemption.objects.filter(pk=redemption.pk, state=State.PLACED, waits_for=WaitsFor.SHOP)
    if waits.update(waits_for=WaitsFor.PEOPLE):
        keep_redemption_step(redemption, "unanswered", at=at, why=f"the shop could not be asked: {why}")
