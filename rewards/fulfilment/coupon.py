"""Coupons: one code of a pool for one reward, never the same twice; without stock the reward waits for some."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from referrals.codes import coupon_key
from rewards.coupon_codes import code_of_pattern
from rewards.fulfilment.base import FulfilmentKind, Outcome, State, TakenBack, given
from rewards.models import Coupon, CouponPool, Fulfilment, Redemption, Reward

LOOK_AGAIN = timedelta(hours=1)
_TRIES = 5


Cause = Reward | Redemption | None


def take_coupon(pool: CouponPool, *, at: datetime, cause: Cause = None) -> Coupon | None:
    """Return a coupon that is given for a reward or a redemption from now on, or None where the pool has none left.

    Of several who take at once each gets another one; those who are too many get None.
    """
    expires_at = at + timedelta(days=pool.valid_days) if pool.valid_days is not None else None
    if pool.source == CouponPool.Source.PATTERN:
        return _make(pool, at=at, expires_at=expires_at, cause=cause)
    while found := free_coupons(pool):
        for pk in found:
            if give(pk, at=at, expires_at=expires_at, cause=cause):
                return Coupon.objects.select_related("pool").get(pk=pk)
    return None


def free_coupons(pool: CouponPool) -> list[int]:
    """Return the oldest free code, locked; passes over those that others are just taking. Empty: none is left.

    One at a time: whoever locks more than they take would make the pool look empty to the others.
    """
    free = Coupon.objects.filter(pool=pool, state=Coupon.State.FREE).order_by("pk")
    return list(free.select_for_update(skip_locked=True).values_list("pk", flat=True)[:1])


def give(pk: int, *, at: datetime, expires_at: datetime | None, cause: Cause) -> bool:
    """Give the code if it is still free; tell whether it was."""
    free = Coupon.objects.filter(pk=pk, state=Coupon.State.FREE)
    return free.update(state=Coupon.State.GIVEN, given_at=at, expires_at=expires_at, **_given_for(cause)) == 1


def _given_for(cause: Cause) -> dict[str, Reward | Redemption]:
    if cause is None:
        return {}
    return {"redemption" if isinstance(cause, Redemption) else "reward": cause}


def _make(pool: CouponPool, *, at: datetime, expires_at: datetime | None, cause: Cause) -> Coupon:
    for _ in range(_TRIES):
        code = code_of_pattern(pool.pattern)
        key = coupon_key(code)
        if Coupon.objects.filter(key=key).exists():
            continue
        try:
            with transaction.atomic():
                return Coupon.objects.create(
                    pool=pool,
                    code=code,
                    key=key,
                    state=Coupon.State.GIVEN,
                    given_at=at,
                    expires_at=expires_at,
                    created_at=at,
                    **_given_for(cause),
                )
        except IntegrityError:
            if not Coupon.objects.filter(key=key).exists():
                raise
    raise RuntimeError(f"the pattern of {pool.name} gave {_TRIES} codes in turn that exist already")


def _fulfil(order: Fulfilment, at: datetime) -> Outcome:
    if used := _used_before(order.reward):
        return given(coupon_detail(used))
    pool = CouponPool.objects.filter(name=order.what).first()
    coupon = take_coupon(pool, at=at, cause=order.reward) if pool else None
    if coupon is None:
        why = "no code is left" if pool else f"there is no coupon pool {order.what!r} yet"
        return Outcome(reward_state=Reward.State.WAITING_STOCK, why=why, retry=LOOK_AGAIN)
    return given(coupon_detail(coupon))


def _used_before(reward: Reward) -> Coupon | None:
    """Return the coupon already used for the same cause: it was taken back in vain, and one cause pays once."""
    same = {"program": reward.program_id, "rule": reward.rule, "recipient": reward.recipient_id, "cause": reward.cause}
    earlier = Reward.objects.filter(**same, state=Reward.State.REVOKED)
    used = Coupon.objects.select_related("pool").filter(reward__in=earlier, state=Coupon.State.USED).first()
    if used is not None:
        Coupon.objects.filter(pk=used.pk).update(reward=reward)
    return used


def coupon_detail(coupon: Coupon) -> dict[str, str | None]:
    """Return what the reward keeps of its coupon."""
    expires_at = coupon.expires_at.isoformat() if coupon.expires_at else None
    return {"what": coupon.pool.name, "title": coupon.pool.gives, "coupon": coupon.code, "expires_at": expires_at}


def _take_back(order: Fulfilment, _at: datetime) -> TakenBack:
    """Block an unused code: its owner has seen it, so nobody else may get it."""
    return TakenBack(State.STOPPED, block_coupons(Coupon.objects.filter(reward=order.reward)))


def block_coupons(own: QuerySet[Coupon]) -> str:
    """Block those that are unused; return in words what became of them, '' where there are none."""
    told = "the coupon is blocked" if own.filter(state=Coupon.State.GIVEN).update(state=Coupon.State.BLOCKED) else ""
    if own.filter(state=Coupon.State.USED).exists():
        told = "a coupon was used already and stands" if told else "the coupon was used already and stands"
    return told


COUPON = FulfilmentKind("coupon", _fulfil, _take_back)
