"""The rollups equal the facts after any interleaving, and incremental equals full."""

import threading
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from analytics.models import DailyValue, DirtyBucket, PersonDay, RollupState
from analytics.queries.dirt import affected_days
from analytics.services import rollups
from analytics.services.rollups import bring_up_to_date, refresh_rollups
from referrals.models import Event, Referral
from tests.analytics import facts
from tests.analytics.ask import ask, grouped, values


def snapshot() -> tuple[list, list]:
    """Return all that is stored, in an order of its own, without the rows' keys."""
    columns = ("series", "day", "program", "group_kind", "group_value", "currency", "value")
    daily = sorted(DailyValue.objects.values_list(*columns))
    people = PersonDay.objects.values_list("kind", "day", "customer_id", "referral_id", "program")
    return daily, sorted(people, key=str)


def refresh(**options) -> int:
    return refresh_rollups(at=timezone.now(), **options)


PEOPLE = st.sampled_from(["ann", "bob", "cay"])
DAYS = st.integers(1, 28).map(lambda day: f"2026-03-{day:02}T12:00")
ORDERS = st.sampled_from([f"o{number}" for number in range(6)])
AMOUNTS = st.integers(0, 300)
CURRENCIES = st.sampled_from(["EUR", "EUR", "USD"])
CHANNELS = st.sampled_from(["", "web", "shop"])
PLACES = st.sampled_from(["", "mail", "portal"])
SLUGS = st.sampled_from(["one", "two"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("purchase"), PEOPLE, DAYS, ORDERS, AMOUNTS, CURRENCIES, CHANNELS),
        st.tuples(st.just("refund"), PEOPLE, DAYS, ORDERS, AMOUNTS, CURRENCIES),
        st.tuples(st.just("bind"), PEOPLE, PEOPLE, DAYS, SLUGS, CHANNELS),
        st.tuples(st.just("move"), st.integers(0, 9), DAYS, st.sampled_from(Referral.State.values)),
        st.tuples(st.just("click"), PEOPLE, DAYS, CHANNELS, st.sampled_from(["person", "bot"]), SLUGS, PLACES),
        st.tuples(st.just("points"), PEOPLE, DAYS, st.integers(1, 50), st.sampled_from(["grant", "revoke"])),
        st.tuples(st.just("refresh")),
        st.tuples(st.just("crash")),
    ),
    max_size=25,
)


class _PowerCut(Exception):
    pass


def crash_midway() -> None:
    """A run that is cut short after its first family."""
    real = rollups._store
    stored = []

    def store(family, span):
        real(family, span)
        stored.append(family)
        raise _PowerCut

    rollups._store = store
    try:
        with transaction.atomic():
            refresh()
    except _PowerCut:
        pass
    finally:
        rollups._store = real


def take(step) -> None:
    kind, *rest = step
    TAKERS[kind](*rest)


def buy(who, at, order, amount, currency, channel) -> None:
    if not Event.objects.filter(type="purchase", order_id=order).exists():
        facts.purchase(who, at, amount, order, currency=currency, channel=channel)


def bind(advocate, friend, at, slug, channel) -> None:
    if not Referral.objects.filter(friend__external_id=friend, program__slug=slug).exists():
        facts.referral(advocate, friend, at, program=slug, channel=channel)


def move(which: int, at: str, state: str) -> None:
    """Give a referral another state, binding and qualifying event, whatever it had."""
    found = list(Referral.objects.order_by("pk"))
    if not found:
        return
    referral = found[which % len(found)]
    causes = list(Event.objects.filter(type="purchase", customer=referral.friend).order_by("pk"))
    cause = causes[which % len(causes)] if causes else None
    referral.state, referral.bound_at = state, facts.moment(at)
    referral.qualifying_event, referral.qualified_at = cause, cause.occurred_at if cause else None
    referral.save()
    facts.judged(referral)


TAKERS: dict[str, Any] = {
    "purchase": buy,
    "refund": lambda who, at, order, amount, currency: facts.refund(who, at, amount, order, currency=currency),
    "bind": bind,
    "move": move,
    "click": facts.click,
    "points": lambda who, at, amount, kind: facts.transfer(kind, who, at, amount),
    "refresh": refresh,
    "crash": crash_midway,
}


class TestInterleavings(TestCase):
    """Hypothesis wants a fresh transaction per example, which its own test case gives."""

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS)
    def test_refresh_rollups_incremental_equals_full(self, steps) -> None:
        refresh()
        for step in steps:
            take(step)
        refresh()
        incremental = snapshot()

        refresh(full=True)

        assert incremental == snapshot()
        assert not DirtyBucket.objects.exists()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS)
    def test_read_metric_agrees_with_itself(self, steps) -> None:
        """Gross less refunds is net, parts add up to wholes, people are never more than their days."""
        for step in steps:
            take(step)
        for currency in ("EUR", "USD"):
            gross, back, net = (
                ask(name, currency=currency).points[0].value for name in ("revenue_gross", "refunds", "revenue_net")
            )
            assert gross - back == net
            assert net >= 0
        for name in ("orders", "new_customers", "clicks", "signups_referred", "points_granted"):
            assert sum(values(name, by="day")) == values(name)[0]
        for name in ("orders", "clicks", "signups_referred", "referrals_qualified"):
            assert sum(grouped(name, group="channel").values()) == values(name)[0]
        (share,) = ask("referral_share").points
        assert 0 <= share.numerator <= share.denominator
        daily = ask("referrer_participation", by="day").points
        (total,) = ask("referrer_participation").points
        assert max(p.denominator for p in daily) <= total.denominator <= sum(p.denominator for p in daily)


@pytest.mark.django_db
def test_refresh_rollups_moves_a_new_customer_when_an_earlier_purchase_is_reported_late():
    facts.purchase("ann", "2026-03-20", 100)
    assert values("new_customers", by="week") == [0, 0, 0, 1, 0, 0]

    facts.purchase("ann", "2026-03-03", 100)

    assert values("new_customers", by="week") == [0, 1, 0, 0, 0, 0]


@pytest.mark.django_db
def test_refresh_rollups_counts_a_refund_that_came_before_its_purchase():
    facts.refund("ann", "2026-03-02", 5000, "o-1")
    assert values("refunds") == ["0"]

    facts.purchase("ann", "2026-03-01", 3000, "o-1")

    assert values("refunds", "2026-03-01", "2026-03-03", by="day") == ["0.00", "30.00"]
    assert values("revenue_net") == ["0.00"]


@pytest.mark.django_db
def test_refresh_rollups_takes_a_reversed_referral_out_of_its_day():
    referral = facts.referral("ann", "bob", "2026-03-01")
    facts.qualify(referral, facts.purchase("bob", "2026-03-05", 100))
    assert (values("referrals_qualified"), values("referral_share")) == ([1], [1.0])

    referral.state = "reversed"
    referral.qualifying_event = referral.qualified_at = None
    referral.save()
    facts.judged(referral)

    assert (values("referrals_qualified"), values("referral_share")) == ([0], [0.0])


@pytest.mark.django_db
def test_refresh_rollups_follows_a_binding_that_moved_back():
    referral = facts.referral("ann", "bob", "2026-03-10")
    assert values("signups_referred", by="week") == [0, 0, 1, 0, 0, 0]

    referral.bound_at = facts.moment("2026-03-03")
    referral.save()
    facts.judged(referral)

    assert values("signups_referred", by="week") == [0, 1, 0, 0, 0, 0]


@pytest.mark.django_db
def test_refresh_rollups_cut_short_leaves_marks_and_numbers_as_they_were():
    refresh()
    facts.purchase("ann", "2026-03-20", 100)

    crash_midway()

    assert DirtyBucket.objects.filter(claim=0).count() == 1
    assert not DailyValue.objects.exists()
    assert values("orders") == [1]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_refresh_rollups_keeps_the_mark_of_a_fact_that_commits_while_it_counts():
    refresh()
    written, counted = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            facts.purchase("ann", "2026-03-20", 100)
            written.set()
            counted.wait(20)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert written.wait(20)
    assert refresh() == 0
    counted.set()
    writer.join()

    assert values("orders") == [1]


@pytest.mark.django_db(transaction=True)
def test_refresh_rollups_run_at_once_by_many_counts_once():
    for number in range(12):
        facts.purchase(f"c-{number}", f"2026-03-{number + 1:02}", 100)
    failures = []

    def run() -> None:
        try:
            refresh()
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)
        finally:
            connection.close()

    runners = [threading.Thread(target=run) for _ in range(4)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()

    assert failures == []
    assert values("orders") == [12]
    before = snapshot()
    refresh(full=True)
    assert snapshot() == before


@pytest.mark.django_db
def test_refresh_rollups_without_marks_does_nothing():
    facts.purchase("ann", "2026-03-20", 100)

    assert (refresh(), refresh()) == (1, 0)
    assert RollupState.objects.get().runs == 1


@pytest.mark.django_db
def test_refresh_rollups_without_the_old_day_would_count_a_customer_twice(monkeypatch):
    """The sabotage twin: looking only at the purchase's own day leaves the old first day standing."""
    facts.purchase("ann", "2026-03-20", 100)
    refresh()
    facts.purchase("ann", "2026-03-03", 100)
    monkeypatch.setattr(
        rollups, "affected_days", lambda claim: {**affected_days(claim=claim), "orders": {date(2026, 3, 3)}}
    )

    refresh()

    assert values("new_customers") == [2]


@pytest.mark.django_db
def test_refresh_rollups_counts_anew_when_the_zone_changes(settings):
    facts.purchase("ann", "2026-03-05T23:30", 100)
    assert values("orders", "2026-03-05", "2026-03-07", by="day") == [1, 0]

    settings.TIME_ZONE = "Europe/Berlin"

    assert values("orders", "2026-03-05", "2026-03-07", by="day") == [0, 1]
    assert values("orders") == [1]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "moments", "days", "counts"),
    [
        # the day of 23 hours and the one of 25 hours, first and last instant of each
        (
            "America/New_York",
            ["2026-03-08T05:00", "2026-03-09T03:59:59", "2026-03-09T04:00"],
            ("2026-03-08", "2026-03-10"),
            [2, 1],
        ),
        (
            "America/New_York",
            ["2026-11-01T04:00", "2026-11-01T05:30", "2026-11-01T06:30", "2026-11-02T04:59:59", "2026-11-02T05:00"],
            ("2026-11-01", "2026-11-03"),
            [4, 1],
        ),
        ("Asia/Kolkata", ["2026-03-07T18:29:59", "2026-03-07T18:30"], ("2026-03-07", "2026-03-09"), [1, 1]),
        ("Pacific/Kiritimati", ["2026-03-07T09:59", "2026-03-07T10:00"], ("2026-03-07", "2026-03-09"), [1, 1]),
        ("Pacific/Pago_Pago", ["2026-03-08T10:59", "2026-03-08T11:00"], ("2026-03-07", "2026-03-09"), [1, 1]),
    ],
)
def test_refresh_rollups_counts_by_the_days_of_the_zone(settings, zone, moments, days, counts):
    settings.TIME_ZONE = zone
    for at in moments:
        facts.purchase("ann", at, 100)

    assert values("orders", *days, by="day") == counts
    assert values("new_customers", *days) == [1]
    before = snapshot()
    refresh(full=True)
    assert snapshot() == before


@pytest.mark.django_db
def test_bring_up_to_date_tells_what_is_complete_when_there_is_too_much_to_wait_for(monkeypatch):
    refresh()
    at = datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert bring_up_to_date(at=at) == date(2026, 3, 31)
    facts.purchase("ann", "2026-03-20", 100)
    facts.purchase("bob", "2026-03-25", 100)
    monkeypatch.setattr(rollups, "INLINE_MARKS", 1)

    assert bring_up_to_date(at=at) == date(2026, 3, 19)
    assert DirtyBucket.objects.count() == 2


@pytest.mark.django_db
def test_refresh_rollups_takes_as_many_statements_for_many_facts_as_for_few():
    refresh()

    def statements(facts_at_once: int) -> int:
        for _ in range(facts_at_once):
            facts.purchase("ann", "2026-03-20", 100)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            refresh()
        return len(queries)

    statements(1)
    assert statements(1) == statements(30)


@pytest.mark.django_db
def test_recompute_metrics_incremental_and_full_give_the_same_numbers(capsys):
    facts.purchase("ann", "2026-03-20", 100)
    call_command("recompute_metrics")
    incremental = snapshot()
    DailyValue.objects.update(value=7)  # somebody meddled

    call_command("recompute_metrics", "--from", "2026-03-20", "--to", "2026-03-21")
    assert snapshot() == incremental
    DailyValue.objects.update(value=7)
    call_command("recompute_metrics", "--full")

    assert snapshot() == incremental
    assert "Counted all days again" in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.parametrize("options", [["--from", "yesterday"], ["--from", "2026-03-02", "--to", "2026-03-02"]])
def test_recompute_metrics_refuses_a_range_that_is_none(options):
    facts.purchase("ann", "2026-03-20", 100)

    with pytest.raises(CommandError, match="nothing was done"):
        call_command("recompute_metrics", *options)

    assert DirtyBucket.objects.count() == 1
