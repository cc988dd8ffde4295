"""Coupon pools: codes that arrive, rewards that waited for them, and a warning before none is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from core.dispatch import publish
from core.errors import Refused
from core.periods import local_day
from referrals.codes import coupon_key
from rewards.events import StockRunsLow
from rewards.models import Coupon, CouponPool, Fulfilment
from rewards.queries.stock import stocks_of
from rewards.services.handing_over import wake_redemptions

CHECK_EVERY = timedelta(hours=1)
_BATCH = 1000


class PoolMakesItsCodes(Refused):
    """The pool's codes come from a pattern; nothing can be added to it."""

    code = "pool_makes_its_codes"


@dataclass(frozen=True, slots=True)
class Added:
    """How many codes were new, and those that some pool had already."""

    count: int
    known: tuple[str, ...]


@transaction.atomic
def add_codes(*, pool: CouponPool, codes: Sequence[str], at: datetime) -> Added:
    """Add codes that no pool has yet; rewards that wait for this pool are tried again at once."""
    if pool.source != CouponPool.Source.UPLOADED:
        raise PoolMakesItsCodes(f"{pool.name} makes its codes from a pattern")
    keys = {coupon_key(code): code for code in codes}
    known = _known_keys(list(keys))
    fresh = [Coupon(pool=pool, code=code, key=key, created_at=at) for key, code in keys.items() if key not in known]
    before = Coupon.objects.filter(pool=pool).count()
    Coupon.objects.bulk_create(fresh, batch_size=_BATCH, ignore_conflicts=True)
    added = Coupon.objects.filter(pool=pool).count() - before
    open_pool(pool=pool, at=at)
    return Added(added, tuple(keys[key] for key in keys if key in known))


def known_codes(codes: Sequence[str]) -> list[str]:
    """Return those of the codes that some pool has already, in their order."""
    known = _known_keys([coupon_key(code) for code in codes])
    return [code for code in codes if coupon_key(code) in known]


def _known_keys(keys: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(keys), _BATCH):
        found |= set(Coupon.objects.filter(key__in=keys[start : start + _BATCH]).values_list("key", flat=True))
    return found


def open_pool(*, pool: CouponPool, at: datetime) -> int:
    """Have the rewards and redemptions that wait for this pool tried again now, and its stock looked at.

    Return how many wait.
    """
    CouponPool.objects.filter(pk=pool.pk).update(check_at=at)
    waits = Fulfilment.objects.filter(kind="coupon", what=pool.name, state=Fulfilment.State.DUE)
    return waits.update(due_at=at, attempts=0) + wake_redemptions(pool=pool, at=at)


def watch_stock(*, at: datetime) -> int:
    """Look at the pools whose turn it is and tell who listens, once, of each that runs low; return how many do."""
    turn = list(CouponPool.objects.filter(check_at__lte=at).order_by("pk"))
    stocks = stocks_of(turn, at=at) if turn else {}
    told = 0
    for pool in turn:
        forecast = stocks[pool.pk].forecast
        told += _note(pool, low=forecast is not None and forecast.is_low(pool.alert_days), at=at)
    return told


@transaction.atomic
def _note(pool: CouponPool, *, low: bool, at: datetime) -> bool:
    mine = CouponPool.objects.filter(pk=pool.pk, check_at=pool.check_at)
    if mine.update(check_at=at + CHECK_EVERY) != 1:
        return False
    if not low:
        CouponPool.objects.filter(pk=pool.pk).update(alerted_at=None)
        return False
    if CouponPool.objects.filter(pk=pool.pk, alerted_at=None).update(alerted_at=at) != 1:
        return False
    day = local_day(at, ZoneInfo(settings.TIME_ZONE)).isoformat()
    publish(StockRunsLow(subject=f"pool:{pool.pk}", pool=pool.pk, day=day))
    return True
