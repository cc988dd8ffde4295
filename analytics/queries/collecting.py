"""Counting the facts by calendar day: each family of series as a pure function of the stored rows."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from analytics.models import DailyValue, PersonDay
from analytics.repayments import Paid, Repayment, counted_repayments
from analytics.spans import Span
from referrals.models import Click, Event, OfferView, Referral, Share
from rewards.models import Transfer

UNKNOWN = "unknown"
SUCCESSFUL = (Referral.State.QUALIFIED, Referral.State.APPROVED)
_MARGIN = timedelta(days=1, hours=1)
_Key = tuple[str, date, str, str, str, str]


def reporting_zone() -> ZoneInfo:
    """Return the zone whose calendar days the numbers are counted by."""
    return ZoneInfo(settings.TIME_ZONE)


@dataclass(slots=True)
class Counted:
    """What the facts of some days come to."""

    values: Counter[_Key] = field(default_factory=Counter)
    people: list[PersonDay] = field(default_factory=list)

    def add(
        self,
        series: str,
        day: date,
        value: int,
        *,
        program: str = "",
        channel: str | None = None,
        placement: str | None = None,
        currency: str = "",
    ) -> None:
        """Add to the day's total and to its parts by channel and placement, in that program's rows or the company's."""
        self.values[series, day, program, "", "", currency] += value
        for kind, part in (("channel", channel), ("placement", placement)):
            if part is not None:
                self.values[series, day, program, kind, part or UNKNOWN, currency] += value

    def add_to_program(
        self,
        series: str,
        day: date,
        value: int,
        *,
        program: str,
        channel: str | None = None,
        placement: str | None = None,
    ) -> None:
        """Add to the company's rows and, where there is a program, to its own."""
        for owner in {"", program}:
            self.add(series, day, value, program=owner, channel=channel, placement=placement)

    def add_part(self, series: str, day: date, value: int, *, program: str, kind: str, part: str) -> None:
        """Add to one part alone, of the company and of the program, that is no division of the total."""
        for owner in {"", program}:
            self.values[series, day, owner, kind, part, ""] += value

    def rows(self) -> Iterator[DailyValue]:
        """Yield the rows to store."""
        for (series, day, program, kind, group, currency), value in self.values.items():
            yield DailyValue(
                series=series,
                day=day,
                program=program,
                group_kind=kind,
                group_value=group,
                currency=currency,
                value=value,
            )


@dataclass(frozen=True, slots=True)
class Family:
    """Series and kinds of person days that are counted together from the same facts."""

    series: tuple[str, ...]
    people: tuple[str, ...]
    collect: Callable[[Span | None], Counted]


def with_local_day(rows: QuerySet[Any], moment: str, span: Span | None = None) -> QuerySet[Any]:
    """Return the rows with their calendar day as `local_day`, only those of the span if one is given.

    One function decides about days everywhere: the database's. The bounds in UTC only let it use an index.
    """
    rows = rows.annotate(local_day=TruncDate(moment, tzinfo=reporting_zone()))
    if span is None:
        return rows
    low = datetime.combine(span.start, time.min, tzinfo=UTC) - _MARGIN
    high = datetime.combine(span.end, time.min, tzinfo=UTC) + _MARGIN
    return rows.filter(
        **{f"{moment}__gte": low, f"{moment}__lt": high}, local_day__gte=span.start, local_day__lt=span.end
    )


def _purchases() -> QuerySet[Event]:
    return Event.objects.filter(type=Event.Type.PURCHASE)


def collect_orders(span: Span | None) -> Counted:
    """Count purchases, who bought, who bought for the first time, and which purchases referred friends made."""
    counted = Counted()
    purchases = with_local_day(_purchases(), "occurred_at", span).order_by()
    for day, channel, currency, orders, paid in purchases.values_list("local_day", "channel", "currency").annotate(
        orders=Count("pk"), paid=Sum("amount_minor", default=0)
    ):
        counted.add("orders", day, orders, channel=channel, currency=currency)
        counted.add("revenue_gross", day, paid, channel=channel, currency=currency)
    counted.people += [
        PersonDay(kind=PersonDay.Kind.PURCHASE, day=day, customer_id=customer)
        for day, customer in purchases.values_list("local_day", "customer_id").distinct()
    ]
    _add_first_purchases(counted, purchases, span)
    _add_referred_purchases(counted, span)
    return counted


def _add_first_purchases(counted: Counted, purchases: QuerySet[Event], span: Span | None) -> None:
    """Of several first purchases at one instant, the event id decides whose channel counts."""
    of_them = _purchases() if span is None else _purchases().filter(customer__in=purchases.values("customer"))
    earliest = dict(of_them.order_by().values_list("customer").annotate(earliest=Min("occurred_at")))
    first: dict[int, tuple[bytes, date, str]] = {}
    columns = ("customer_id", "occurred_at", "event_id", "local_day", "channel")
    for customer, at, event_id, day, channel in purchases.values_list(*columns).iterator():
        if at == earliest[customer]:
            candidate = (event_id.encode(), day, channel)
            first[customer] = min(first.get(customer, candidate), candidate)
    for customer, (_, day, channel) in first.items():
        counted.add("new_customers", day, 1, channel=channel)
        counted.people.append(PersonDay(kind=PersonDay.Kind.FIRST_PURCHASE, day=day, customer_id=customer))


def _add_referred_purchases(counted: Counted, span: Span | None) -> None:
    """Count each purchase once for the company and once for each program whose referral it follows."""
    received = "customer__referrals_received__"
    rows = with_local_day(
        _purchases().filter(**{f"{received}state__in": SUCCESSFUL, f"{received}qualified_at__lte": F("occurred_at")}),
        "occurred_at",
        span,
    )
    seen: set[int] = set()
    for day, pk, event_id, at, channel, program, since, cause, cause_type in rows.order_by().values_list(
        "local_day",
        "pk",
        "event_id",
        "occurred_at",
        "channel",
        f"{received}program__slug",
        f"{received}qualified_at",
        f"{received}qualifying_event__event_id",
        f"{received}qualifying_event__type",
    ):
        if at == since and cause_type == Event.Type.PURCHASE and event_id.encode() < cause.encode():
            continue
        counted.add("orders_referred", day, 1, program=program, channel=channel)
        if pk not in seen:
            seen.add(pk)
            counted.add("orders_referred", day, 1, channel=channel)


def collect_refunds(span: Span | None) -> Counted:
    """Count what refunds gave back, each on its own day, by the channel of the purchase."""
    counted = Counted()
    refunds = Event.objects.filter(type=Event.Type.REFUND).exclude(order_id="")
    touched = with_local_day(refunds, "occurred_at", span).order_by().values("order_id")
    repaid: dict[str, list[Repayment]] = defaultdict(list)
    rows = with_local_day(refunds.filter(order_id__in=touched), "occurred_at").order_by()
    for order, day, at, pk, amount, currency in rows.values_list(
        "order_id", "local_day", "occurred_at", "pk", "amount_minor", "currency"
    ):
        repaid[order].append(Repayment(day=day, at=at, event=pk, amount=amount or 0, currency=currency))
    bought = _purchases().filter(order_id__in=touched)
    for order, amount, currency, channel in bought.values_list("order_id", "amount_minor", "currency", "channel"):
        paid = Paid(amount=amount or 0, currency=currency)
        for day, value in counted_repayments(paid, repaid[order]):
            if span is None or day in span:
                counted.add("refunds", day, value, channel=channel, currency=currency)
    return counted


def collect_referrals(span: Span | None) -> Counted:
    """Count friends bound and referrals that stand as successful, and whose they are."""
    counted = Counted()
    bound = Referral.objects.exclude(state=Referral.State.VOIDED)
    _add_referrals(counted, "signups_referred", PersonDay.Kind.BOUND, with_local_day(bound, "bound_at", span))
    stand = Referral.objects.filter(state__in=SUCCESSFUL, qualified_at__isnull=False)
    _add_referrals(
        counted, "referrals_qualified", PersonDay.Kind.QUALIFIED, with_local_day(stand, "qualified_at", span)
    )
    return counted


def _add_referrals(counted: Counted, series: str, kind: str, rows: QuerySet[Referral]) -> None:
    columns = ("local_day", "pk", "advocate_id", "program__slug", "channel")
    for day, pk, advocate, program, channel in rows.order_by().values_list(*columns):
        counted.add_to_program(series, day, 1, program=program, channel=channel)
        counted.people.append(PersonDay(kind=kind, day=day, customer_id=advocate, referral_id=pk, program=program))


def collect_clicks(span: Span | None) -> Counted:
    """Count the visits of share links by people, by channel and by where the advocate took the link from."""
    counted = Counted()
    rows = with_local_day(Click.objects.filter(verdict=Click.Verdict.PERSON), "at", span).order_by()
    grouped = rows.values_list("local_day", "program__slug", "channel", "placement").annotate(clicks=Count("pk"))
    for day, program, channel, placement, clicks in grouped:
        counted.add_to_program("clicks", day, clicks, program=program, channel=channel, placement=placement)
    _add_variants(counted, "clicks", rows)
    return counted


def exposed_by_then(moment: str = "at", link: str = "link__") -> Q:
    """Return the condition that a link's owner had been shown a variant when it happened, and that it still ran.

    To be used in one `filter` with whatever else is asked of the exposure, for both to mean the same one.
    """
    ended = f"{link}exposures__experiment__ended_at"
    running = Q(**{ended: None}) | Q(**{f"{ended}__gt": F(moment)})
    return running & Q(**{f"{link}exposures__at__lte": F(moment)})


def _add_variants(counted: Counted, series: str, rows: QuerySet[Any]) -> None:
    """Count by variant what happened to links after their owners had been shown one, while the experiment ran."""
    names = ("link__exposures__experiment__slug", "link__exposures__variant__name")
    found = rows.filter(exposed_by_then()).values_list("local_day", "program__slug", *names).annotate(times=Count("pk"))
    for day, program, experiment, variant, times in found:
        part = f"{experiment}/{variant}"
        counted.add_part(series, day, times, program=program, kind="variant", part=part)


def collect_shares(span: Span | None) -> Counted:
    """Count how often links were passed on, by channel and by where the advocate stood."""
    counted = Counted()
    rows = with_local_day(Share.objects.all(), "at", span).order_by()
    grouped = rows.values_list("local_day", "program__slug", "channel", "placement").annotate(shares=Count("pk"))
    for day, program, channel, placement, shares in grouped:
        counted.add_to_program("shares", day, shares, program=program, channel=channel, placement=placement)
    _add_variants(counted, "shares", rows)
    return counted


def collect_views(span: Span | None) -> Counted:
    """Count how often people saw and opened offers, by placement."""
    counted = Counted()
    rows = with_local_day(OfferView.objects.all(), "at", span).order_by()
    grouped = rows.values_list("local_day", "program__slug", "kind", "placement").annotate(times=Count("pk"))
    for day, program, kind, placement, times in grouped:
        series = "offer_views" if kind == OfferView.Kind.VIEW else "offer_opens"
        counted.add_to_program(series, day, times, program=program, placement=placement)
    return counted


def collect_points(span: Span | None) -> Counted:
    """Count the points that rules granted."""
    counted = Counted()
    rows = with_local_day(Transfer.objects.filter(kind=Transfer.Kind.GRANT), "event_at", span).order_by()
    for day, program, points in rows.values_list("local_day", "reward__program__slug").annotate(points=Sum("amount")):
        counted.add_to_program("points_granted", day, points, program=program or "")
    return counted


FAMILIES: dict[str, Family] = {
    "orders": Family(
        ("orders", "revenue_gross", "new_customers", "orders_referred"),
        (PersonDay.Kind.PURCHASE, PersonDay.Kind.FIRST_PURCHASE),
        collect_orders,
    ),
    "refunds": Family(("refunds",), (), collect_refunds),
    "referrals": Family(
        ("signups_referred", "referrals_qualified"),
        (PersonDay.Kind.BOUND, PersonDay.Kind.QUALIFIED),
        collect_referrals,
    ),
    "clicks": Family(("clicks",), (), collect_clicks),
    "shares": Family(("shares",), (), collect_shares),
    "views": Family(("offer_views", "offer_opens"), (), collect_views),
    "points": Family(("points_granted",), (), collect_points),
}


def days_of(rows: QuerySet[Any], moment: str) -> Iterable[date]:
    """Return the distinct calendar days of the rows' moments."""
    days = with_local_day(rows, moment).order_by().values_list("local_day", flat=True).distinct()
    return [day for day in days if day is not None]
