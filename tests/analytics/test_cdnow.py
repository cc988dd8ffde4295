"""A real order log: 6,919 orders of an online music shop, recounted here without the product's code.

The file is the 1/10 sample that Bruce Hardie published, as the package `lifetimes` ships it.
"""

from collections import Counter
from datetime import date
from decimal import Decimal
from importlib.metadata import distribution
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from analytics.models import DirtyBucket
from analytics.services.rollups import refresh_rollups
from referrals.models import Customer, Event
from tests.analytics import facts
from tests.analytics.ask import ask, values

pytestmark = pytest.mark.django_db

ALL = ("1997-01-01", "1998-07-01")


def order_log() -> list[tuple[str, date, Decimal]]:
    file = Path(str(distribution("lifetimes").locate_file("lifetimes/datasets/CDNOW_sample.txt")))
    rows = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
    return [(row[1], date.fromisoformat(row[2]), Decimal(row[4])) for row in rows]


@pytest.fixture
def orders() -> list[tuple[str, date, Decimal]]:
    log = order_log()
    Customer.objects.bulk_create([Customer(external_id=who) for who in sorted({who for who, _, _ in log})])
    pks = dict(Customer.objects.values_list("external_id", "pk"))
    events = Event.objects.bulk_create(
        Event(
            event_id=f"row-{number}",
            type="purchase",
            occurred_at=facts.moment(day.isoformat()),
            received_at=timezone.now(),
            customer_id=pks[who],
            order_id=f"row-{number}",
            amount_minor=int(amount * 100),
            currency="USD",
            body={},
        )
        for number, (who, day, amount) in enumerate(log)
    )
    DirtyBucket.objects.bulk_create([DirtyBucket(family=DirtyBucket.EVENT, subject=event.pk) for event in events])
    return log


def test_import_events_brings_a_real_order_log_into_the_numbers_and_no_row_twice(tmp_path):
    file = tmp_path / "orders.csv"
    log = order_log()
    rows = [f"{who},{day},{amount}" for who, day, amount in log]
    options = ["--map", "external_id=buyer", "occurred_at=date", "amount=paid", "--type", "purchase"]

    file.write_text("\n".join(["buyer,date,paid", *rows]) + "\n", encoding="utf-8")
    for _ in range(2):
        call_command("import_events", str(file), *options, "--currency", "USD")

        told = [values(name, *ALL)[0] for name in ("orders", "customers", "revenue_gross", "revenue_net")]
        assert told == [6919, 2357, "244091.94", "244091.94"]


def test_refresh_rollups_counts_a_real_order_log_to_the_cent(orders):
    months = sorted({day.replace(day=1) for _, day, _ in orders})
    revenue: Counter[date] = Counter()
    first_days: dict[str, date] = {}
    for who, day, amount in orders:
        revenue[day.replace(day=1)] += amount
        first_days[who] = min(first_days.get(who, day), day)
    new = Counter(day.replace(day=1) for day in first_days.values())

    assert values("orders", *ALL) == [6919]
    assert values("customers", *ALL) == [2357]
    assert values("revenue_gross", *ALL) == ["244091.94"]
    assert values("revenue_net", *ALL, by="month") == [f"{revenue[month]:.2f}" for month in months]
    assert values("new_customers", *ALL, by="month") == [new[month] for month in months]
    assert sum(values("new_customers", "1997-01-01", "1997-04-01", by="month")) == 2357
    assert ask("referrer_participation", *ALL).points[0].denominator == 2357


def test_refresh_rollups_counts_distinct_people_not_sums_of_days(orders):
    by_month: dict[date, set[str]] = {}
    for who, day, _ in orders:
        by_month.setdefault(day.replace(day=1), set()).add(who)

    points = ask("referrer_participation", *ALL, by="month").points

    assert {point.span.start: point.denominator for point in points} == {m: len(who) for m, who in by_month.items()}


def test_refresh_rollups_in_two_halves_equals_one(orders):
    from tests.analytics.test_rollups import snapshot

    refresh_rollups(at=timezone.now(), full=True)
    whole = snapshot()
    late = Event.objects.filter(occurred_at__lt=facts.moment("1997-02-01"))
    DirtyBucket.objects.bulk_create(
        DirtyBucket(family=DirtyBucket.EVENT, subject=pk) for pk in late.values_list("pk", flat=True)
    )

    refresh_rollups(at=timezone.now())

    assert snapshot() == whole
