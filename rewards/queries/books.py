"""The books by month: what is owed in points, how it came about, what expired unused, and the trial balance."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import TruncMonth

from core.periods import DAY, start_of_day
from rewards.models import Account, Entry, Lot, LotUse, Transfer

Kind = Account.Kind
Moves = Transfer.Kind
ENOUGH = 30
"""Below so many matured lots a breakage rate is not told."""


@dataclass(frozen=True, slots=True)
class Breakage:
    """What became of the lots whose time ended: `expired` of `usable` points, those taken back left out."""

    lots: int = 0
    usable: int = 0
    expired: int = 0

    @property
    def rate(self) -> float | None:
        """Expired over usable points; None where fewer than 30 lots ended or nothing could be used."""
        return self.expired / self.usable if self.lots >= ENOUGH and self.usable else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One calendar month of the installation's zone, in points.

    What customers have is available and pending points less their debts: `opening + granted − revoked − redeemed
    − expired + adjusted = closing`. `released` only moves points from pending to available.
    """

    month: date
    opening: int
    granted: int = 0
    released: int = 0
    redeemed: int = 0
    expired: int = 0
    adjusted: int = 0
    revoked: int = 0
    available: int = 0
    pending: int = 0
    debt: int = 0
    breakage: Breakage = field(default_factory=Breakage)

    @property
    def closing(self) -> int:
        """What customers have at the end of the month, their debts taken off."""
        return self.available + self.pending - self.debt

    @property
    def liability(self) -> int:
        """What the company owes in points at the end of the month: available and pending."""
        return self.available + self.pending


@dataclass(frozen=True, slots=True)
class Side:
    """A kind of account in the trial balance: its points by the transfers, and by the balances that are kept."""

    kind: str
    points: int
    kept: int | None

    @property
    def agrees(self) -> bool:
        """Whether both are the same; the company's accounts keep no balance."""
        return self.kept is None or self.kept == self.points


def books_by_month(*, at: datetime) -> list[Month]:
    """Return every month from the first movement to the one of `at`, oldest first, in four queries."""
    moved = _moved_by_month(at)
    if not moved:
        return []
    broken = _breakage_by_month(at)
    months: list[Month] = []
    month, last = min(moved), at.astimezone(_zone()).date().replace(day=1)
    while month <= last:
        before = months[-1] if months else Month(month=month, opening=0)
        months.append(_month(month, before, moved.get(month, {}), broken.get(month, Breakage())))
        month = _next(month)
    return months


def _next(month: date) -> date:
    return (month.replace(day=28) + 4 * DAY).replace(day=1)


Moved = Mapping[tuple[str, str], int]


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


def _moved_by_month(at: datetime) -> dict[date, dict[tuple[str, str], int]]:
    """Return, per month, the change of each kind of customers' accounts by each kind of transfer."""
    rows = (
        Entry.objects.filter(transfer__event_at__lte=at)
        .annotate(month=TruncMonth("transfer__event_at", tzinfo=_zone()))
        .values_list("month", "account__kind", "transfer__kind")
        .annotate(total=Sum("delta"))
        .order_by()
    )
    moved: dict[date, dict[tuple[str, str], int]] = defaultdict(dict)
    for month, account, kind, total in rows:
        moved[month.date()][account, kind] = total
    return dict(moved)


def _month(month: date, before: Month, moved: Moved, breakage: Breakage) -> Month:
    def of(kind: str, *accounts: str) -> int:
        return sum(moved.get((account, kind), 0) for account in accounts)

    def change(account: str) -> int:
        return sum(total for (of_account, _), total in moved.items() if of_account == account)

    return Month(
        month=month,
        opening=before.closing,
        granted=of(Moves.GRANT, Kind.PENDING),
        released=of(Moves.RELEASE, Kind.AVAILABLE),
        redeemed=-of(Moves.REDEEM, Kind.AVAILABLE),
        expired=-of(Moves.EXPIRE, Kind.AVAILABLE),
        adjusted=of(Moves.ADJUST, Kind.AVAILABLE),
        revoked=of(Moves.REVOKE, Kind.DEBT) - of(Moves.REVOKE, Kind.PENDING, Kind.AVAILABLE),
        available=before.available + change(Kind.AVAILABLE),
        pending=before.pending + change(Kind.PENDING),
        debt=before.debt + change(Kind.DEBT),
        breakage=breakage,
    )


def _breakage_by_month(at: datetime) -> dict[date, Breakage]:
    """Return, per month in which lots ended, what of them expired."""
    ended = Lot.objects.filter(expires_at__lt=at).annotate(month=TruncMonth("expires_at", tzinfo=_zone()))
    lots = ended.values("month").annotate(n=Count("pk"), points=Sum("amount")).order_by()
    uses = LotUse.objects.filter(lot__expires_at__lt=at).annotate(month=TruncMonth("lot__expires_at", tzinfo=_zone()))
    used: dict[date, dict[str, int]] = defaultdict(dict)
    for month, kind, total in uses.values_list("month", "transfer__kind").annotate(total=Sum("amount")).order_by():
        used[month.date()][kind] = total
    whole = {row["month"].date(): (row["n"], row["points"]) for row in lots}
    return {
        month: Breakage(n, total - used[month].get(Moves.REVOKE, 0), used[month].get(Moves.EXPIRE, 0))
        for month, (n, total) in whole.items()
    }


def all_breakage(months: list[Month]) -> Breakage:
    """Return the breakage of all months together."""
    parts = [month.breakage for month in months]
    return Breakage(sum(p.lots for p in parts), sum(p.usable for p in parts), sum(p.expired for p in parts))


def trial_balance() -> list[Side]:
    """Return every kind of account with what the transfers say and what is kept; the points add up to zero."""
    points: dict[str, int] = dict.fromkeys(Kind.values, 0)
    for column, sign in (("credit__kind", 1), ("debit__kind", -1)):
        for kind, total in Transfer.objects.values_list(column).annotate(total=Sum("amount")).order_by():
            points[kind] += sign * total
    kept = dict(Account.objects.exclude(customer=None).values_list("kind").annotate(total=Sum("balance")).order_by())
    return [
        Side(kind, points[kind], (kept.get(kind) or 0) if kind in Account.OF_CUSTOMERS else None)
        for kind in Kind.values
    ]


def journal_of(month: date) -> QuerySet[Transfer]:
    """Return the transfers of a calendar month in the order in which they were written, with both customers' ids."""
    start = start_of_day(month.replace(day=1), _zone())
    end = start_of_day(_next(month), _zone())
    return (
        Transfer.objects.filter(event_at__gte=start, event_at__lt=end)
        .annotate(from_customer=F("debit__customer__external_id"), to_customer=F("credit__customer__external_id"))
        .order_by("pk")
    )
