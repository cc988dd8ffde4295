"""How coupon pools stand: codes by state, forecast, rewards that wait, programs that name them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q

from referrals.models import Program
from referrals.queries.programs import current_offer, terms_of
from rewards.coupon_codes import USE_WINDOW_DAYS, Forecast, forecast_stock
from rewards.models import Coupon, CouponPool, Fulfilment, Redemption


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """A pool's codes by state; `forecast` is None for a pool that makes its codes; `waiting` rewards want one."""

    free: int = 0
    given: int = 0
    used: int = 0
    blocked: int = 0
    waiting: int = 0
    forecast: Forecast | None = None


def stocks_of(pools: Iterable[CouponPool], *, at: datetime) -> dict[int, Stock]:
    """Return how each pool stands, by primary key, in three queries."""
    chosen = list(pools)
    since = at - timedelta(days=USE_WINDOW_DAYS)
    counts = {state: Count("pk", filter=Q(state=state)) for state in (Coupon.State.FREE, *_SPENT)}
    rows = Coupon.objects.filter(pool__in=chosen).values("pool")
    counted: dict[int, dict[str, object]] = {
        row["pool"]: dict(row)
        for row in rows.annotate(
            **counts, recent=Count("pk", filter=Q(given_at__gt=since, given_at__lte=at)), first=Min("created_at")
        ).order_by()
    }
    waiting = waiting_by_pool([pool.name for pool in chosen])
    return {pool.pk: _stock(pool, counted.get(pool.pk, {}), waiting.get(pool.name, 0), at) for pool in chosen}


_SPENT = (Coupon.State.GIVEN, Coupon.State.USED, Coupon.State.BLOCKED)


def _stock(pool: CouponPool, row: dict[str, object], waiting: int, at: datetime) -> Stock:
    numbers = {name: value for name, value in row.items() if isinstance(value, int)}
    forecast = None
    if pool.source == CouponPool.Source.UPLOADED:
        first = row.get("first")
        age = at - first if isinstance(first, datetime) else timedelta(0)
        forecast = forecast_stock(free=numbers.get("free", 0), used=numbers.get("recent", 0), age=age)
    return Stock(
        free=numbers.get("free", 0),
        given=numbers.get("given", 0),
        used=numbers.get("used", 0),
        blocked=numbers.get("blocked", 0),
        waiting=waiting,
        forecast=forecast,
    )


def waiting_by_pool(names: Iterable[str] | None = None) -> dict[str, int]:
    """Return how many rewards and redemptions wait for coupons, by the pool's name; without `names` of every pool."""
    waits = Fulfilment.objects.filter(kind="coupon", state=Fulfilment.State.DUE)
    redeemed = Redemption.objects.filter(state=Redemption.State.PLACED, waits_for=Redemption.WaitsFor.STOCK)
    if names is not None:
        waits = waits.filter(what__in=list(names))
        redeemed = redeemed.filter(detail__what__in=list(names))
    found = Counter(dict(waits.values_list("what").annotate(n=Count("pk")).order_by()))
    for detail, quantity in redeemed.values_list("detail", "quantity"):
        found[str(detail.get("what", ""))] += quantity
    return dict(found)


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that programs use for what does not exist: rewards wait. `programs` are their names."""

    kind: str
    name: str
    programs: tuple[str, ...] = field(default=())


def names_used(kind: str) -> dict[str, list[str]]:
    """Return every name that programs which are not ended use for a kind, with the programs' names."""
    used: dict[str, list[str]] = {}
    programs = Program.objects.exclude(status=Program.Status.ENDED).prefetch_related("offers").order_by("name")
    for program in programs:
        for rule in terms_of(current_offer(program)).rewards:
            if rule.kind == kind and program.name not in used.setdefault(rule.what, []):
                used[rule.what].append(program.name)
    return used


def missing_names(kind: str, known: Iterable[str]) -> list[Missing]:
    """Return the names that programs use and nothing stands behind."""
    have = set(known)
    return [
        Missing(kind, name, tuple(programs)) for name, programs in sorted(names_used(kind).items()) if name not in have
    ]
