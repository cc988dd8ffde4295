"""What a segment may ask of a customer: who they are, what they bought, whom they brought, what they wish."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Max, Min, QuerySet, Sum

from core.money import to_units
from messaging.kinds import PURPOSES
from messaging.models import Preference
from referrals.conditions import Value
from referrals.models import Click, Customer, Event, Referral
from referrals.segments import Registered, SegmentFamily, SegmentField

Values = Mapping[int, Value]
Families = Mapping[int, Mapping[str, Value]]
Pks = Sequence[int]
COUNTS = (Referral.State.QUALIFIED, Referral.State.APPROVED)


def _column(name: str) -> Callable[[Pks], Values]:
    def values(pks: Pks) -> Values:
        rows = Customer.objects.filter(pk__in=pks).values_list("pk", name)
        return {pk: None if value == "" else value for pk, value in rows}

    return values


def email_domains(pks: Pks) -> Values:
    """Return the part of each email after the @, in lower case."""
    emails = Customer.objects.filter(pk__in=pks).exclude(email="").values_list("pk", "email")
    return {pk: email.rpartition("@")[2].lower() for pk, email in emails}


def attributes(pks: Pks, names: Collection[str]) -> Families:
    """Return the attributes the company told; lists and mappings count as unknown."""
    rows = Customer.objects.filter(pk__in=pks).values_list("pk", "attributes")
    return {pk: {name: _plain(given.get(name)) for name in names} for pk, given in rows}


def _plain(value: Any) -> Value:
    if isinstance(value, bool | str | int):
        return value
    return Decimal(str(value)) if isinstance(value, float) else None


def _totals(rows: QuerySet[Any], customer: str, expression: Any, pks: Pks) -> dict[int, Any]:
    """Return one aggregate for each customer that has rows, by primary key."""
    of = rows.filter(**{f"{customer}__in": pks}).values(customer).annotate(total=expression).order_by()
    return dict(of.values_list(customer, "total"))


def _counted(rows: Callable[[], QuerySet[Any]], customer: str) -> Callable[[Pks], Values]:
    return lambda pks: dict.fromkeys(pks, 0) | _totals(rows(), customer, Count("pk"), pks)


def _moment(rows: Callable[[], QuerySet[Any]], customer: str, expression: Any) -> Callable[[Pks], Values]:
    def values(pks: Pks) -> dict[int, datetime]:
        return _totals(rows(), customer, expression, pks)

    return values


def _purchases() -> QuerySet[Event]:
    return Event.objects.filter(type=Event.Type.PURCHASE)


def revenue(pks: Pks, currencies: Collection[str]) -> Families:
    """Return what each customer paid less what came back of it, in units of each currency.

    A refund belongs to its order, whoever it names, and gives back at most what was paid.
    """
    found: dict[int, dict[str, Value]] = {pk: {currency: Decimal(0) for currency in currencies} for pk in pks}
    orders = _purchases().filter(customer__in=pks, currency__in=currencies)
    refunds = Event.objects.filter(type=Event.Type.REFUND, order_id__in=orders.values("order_id"))
    back = {
        (order, currency): minor
        for order, currency, minor in refunds.values("order_id", "currency")
        .annotate(minor=Sum("amount_minor"))
        .order_by()
        .values_list("order_id", "currency", "minor")
    }
    for pk, order, currency, minor in orders.values_list("customer", "order_id", "currency", "amount_minor"):
        kept = max(0, (minor or 0) - back.get((order, currency), 0))
        found[pk][currency] = Decimal(str(found[pk][currency])) + to_units(kept, currency)
    return {pk: dict(values) for pk, values in found.items()}


def custom_events(pks: Pks, names: Collection[str]) -> Families:
    """Return how often each custom event was reported of each customer."""
    found: dict[int, dict[str, Value]] = {pk: dict.fromkeys(names, 0) for pk in pks}
    rows = Event.objects.filter(customer__in=pks, type=Event.Type.CUSTOM, name__in=names)
    counts = rows.values("customer", "name").annotate(n=Count("pk")).values_list("customer", "name", "n")
    for pk, name, count in counts:
        found[pk][name] = count
    return found


def referrals_by_program(pks: Pks, slugs: Collection[str]) -> Families:
    """Return how many of each customer's referrals in a program are qualified or approved."""
    found: dict[int, dict[str, Value]] = {pk: dict.fromkeys(slugs, 0) for pk in pks}
    rows = Referral.objects.filter(advocate__in=pks, state__in=COUNTS, program__slug__in=slugs)
    for pk, slug, count in (
        rows.values("advocate", slug=F("program__slug")).annotate(n=Count("pk")).values_list("advocate", "slug", "n")
    ):
        found[pk][slug] = count
    return found


def came_through_a_friend(pks: Pks) -> Values:
    """Tell of each customer whether somebody's referral of them is live."""
    live = Referral.objects.filter(friend__in=pks, state__in=Referral.LIVE)
    return dict.fromkeys(pks, False) | dict.fromkeys(live.values_list("friend", flat=True), True)


def wishes(pks: Pks, purposes: Collection[str]) -> Families:
    """Tell of each customer which kinds of mail they want; without a choice they do."""
    keys = {f"customer:{pk}": pk for pk in pks}
    known = [purpose for purpose in purposes if purpose in PURPOSES]
    found: dict[int, dict[str, Value]] = {pk: dict.fromkeys(known, True) for pk in pks}
    rows = Preference.objects.filter(recipient_key__in=keys, purpose__in=known, allowed=False)
    for key, purpose in rows.values_list("recipient_key", "purpose"):
        found[keys[key]][purpose] = False
    return found


def _made() -> QuerySet[Referral]:
    return Referral.objects.all()


def _counting() -> QuerySet[Referral]:
    return Referral.objects.filter(state__in=COUNTS)


def _visits() -> QuerySet[Click]:
    return Click.objects.filter(verdict=Click.Verdict.PERSON)


SEGMENT_FIELDS: list[Registered] = [
    SegmentField("customer.locale", "text", "language, such as de-AT", _column("locale")),
    SegmentField("customer.time_zone", "text", "time zone, such as Europe/Vienna", _column("time_zone")),
    SegmentField("customer.email_domain", "text", "part of the email after the @", email_domains),
    SegmentField("customer.created_at", "moment", "when the customer became known", _column("created_at")),
    SegmentFamily("customer.attributes.*", "open", "what your shop told, by its name", attributes),
    SegmentField("orders.count", "number", "purchases", _counted(_purchases, "customer")),
    SegmentField("orders.first_at", "moment", "first purchase", _moment(_purchases, "customer", Min("occurred_at"))),
    SegmentField("orders.last_at", "moment", "latest purchase", _moment(_purchases, "customer", Max("occurred_at"))),
    SegmentFamily("orders.revenue.*", "number", "paid less refunded, by currency, such as orders.revenue.EUR", revenue),
    SegmentField("events.count", "number", "events of any kind", _counted(Event.objects.all, "customer")),
    SegmentField(
        "events.last_at", "moment", "latest event", _moment(Event.objects.all, "customer", Max("occurred_at"))
    ),
    SegmentFamily("events.custom.*", "number", "how often a custom event was reported, by its name", custom_events),
    SegmentField("referrals.made", "number", "friends brought, in any state", _counted(_made, "advocate")),
    SegmentField("referrals.counted", "number", "friends qualified or approved", _counted(_counting, "advocate")),
    SegmentField("referrals.last_at", "moment", "latest friend bound", _moment(_made, "advocate", Max("bound_at"))),
    SegmentFamily("referrals.in.*", "number", "the same in one program, by its slug", referrals_by_program),
    SegmentField("referrals.is_friend", "flag", "came through a friend", came_through_a_friend),
    SegmentField("link.visits", "number", "visits of their links by people", _counted(_visits, "link__customer")),
    SegmentFamily("wishes.*", "flag", f"wants mails about {', '.join(PURPOSES)}", wishes),
]
