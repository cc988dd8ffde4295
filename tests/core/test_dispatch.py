"""A handler that fails takes nothing with it, is retried, and in the end gives up loudly."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import dispatch
from core.dispatch import MAX_ATTEMPTS, backoff, deliver_due, publish, settled
from core.events import DomainEvent
from core.models import Delivery

pytestmark = pytest.mark.django_db

broken = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(DomainEvent):
    name: str


def write_group(event):
    Group.objects.create(name=event.name)


def fail_after_writing(event):
    Group.objects.create(name=f"half of {event.name}")
    if broken:
        raise RuntimeError("no luck")


def break_the_database(event):
    if broken:
        Group.objects.create(name=event.name)  # the name is taken: the database itself refuses


def tell_on(event):
    publish(Nested(subject=event.subject, name=event.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested(DomainEvent):
    name: str


@pytest.fixture(autouse=True)
def subscriptions(monkeypatch):
    """Whoever is told what in these tests; the handlers start out broken."""
    listed = {Told: [write_group, fail_after_writing, break_the_database]}
    monkeypatch.setattr(dispatch, "_subscriptions", lambda: listed)
    monkeypatch.setattr("tests.core.test_dispatch.broken", True)
    return listed


@pytest.fixture
def repair(monkeypatch):
    return lambda: monkeypatch.setattr("tests.core.test_dispatch.broken", False)


def names():
    return sorted(Group.objects.values_list("name", flat=True))


def test_publish_keeps_the_fact_and_undoes_only_the_failed_handler():
    with transaction.atomic():
        publish(Told(subject="event:1", name="a"))

    assert names() == ["a"]
    done, failed, refused = Delivery.objects.order_by("pk")
    assert (done.state, done.attempts, done.last_error) == ("done", 1, "")
    assert (failed.state, failed.last_error) == ("due", "RuntimeError: no luck")
    assert refused.state == "due"
    assert refused.last_error.startswith("IntegrityError")
    assert failed.due_at > timezone.now()


def test_publish_undoes_only_the_failed_handler_sabotaged(monkeypatch):
    """Without savepoints, what the failed handler had half done stays."""

    class NoSavepoint:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

    monkeypatch.setattr(dispatch.transaction, "atomic", NoSavepoint)

    dispatch._deliver_now(Told(subject="event:1", name="a"), fail_after_writing)

    assert names() == ["half of a"]


def count_savepoints(work):
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        work()
    return sum(query["sql"].startswith("SAVEPOINT") for query in queries)


def test_publish_takes_one_savepoint_for_all_handlers_while_none_fails(repair):
    repair()

    taken = count_savepoints(lambda: publish(*(Told(subject="event:1", name=name) for name in "ab")))

    assert taken == 1
    assert names() == ["a", "b", "half of a", "half of b"]
    assert list(Delivery.objects.values_list("state", "attempts", "last_error")) == [("done", 1, "")] * 6


def test_publish_runs_each_handler_alone_where_one_fails():
    assert count_savepoints(lambda: publish(Told(subject="event:1", name="a"))) == 1 + 3
    assert (names(), Delivery.objects.count()) == (["a"], 3)


def test_publish_of_a_handler_that_fails_undoes_what_those_before_it_had_asked_for_after_commit(
    subscriptions, django_capture_on_commit_callbacks
):
    told = []
    subscriptions[Told] = [lambda event: transaction.on_commit(lambda: told.append(event.name)), fail_after_writing]

    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        publish(Told(subject="event:1", name="a"))

    assert told == ["a"]


def test_publish_outside_a_transaction_is_a_bug(django_db_blocker, monkeypatch):
    monkeypatch.setattr(transaction.get_connection(), "in_atomic_block", False)

    with pytest.raises(RuntimeError):
        publish(Told(subject="event:1", name="a"))


def test_publish_rolls_back_with_its_transaction():
    with transaction.atomic():
        publish(Told(subject="event:1", name="a"))
        transaction.set_rollback(True)

    assert (names(), Delivery.objects.count()) == ([], 0)


def test_publish_of_what_nobody_awaits_writes_nothing():
    with transaction.atomic():
        publish(Nested(subject="event:1", name="a"))

    assert Delivery.objects.count() == 0


def test_publish_inside_a_handler_that_fails_later_is_undone_too(subscriptions):
    subscriptions[Told] = [tell_then_fail]
    subscriptions[Nested] = [write_group]

    with transaction.atomic():
        publish(Told(subject="event:1", name="a"))

    assert names() == []
    assert [(row.handler.rpartition(".")[2], row.state) for row in Delivery.objects.all()] == [
        ("tell_then_fail", "due")
    ]


def tell_then_fail(event):
    tell_on(event)
    if broken:
        raise RuntimeError("after telling on")


def test_deliver_due_retries_what_was_repaired(repair):
    with transaction.atomic():
        publish(Told(subject="event:1", name="a"))
    repair()

    early = deliver_due(at=timezone.now())
    done = deliver_due(at=timezone.now() + timedelta(minutes=1))
    again = deliver_due(at=timezone.now() + timedelta(days=1))

    assert (early, done, again) == (0, 2, 0)
    assert names() == ["a", "half of a"]
    assert set(Delivery.objects.values_list("state", "last_error")) == {("done", "")}


def test_deliver_due_gives_up_after_eight_tries_and_the_line_moves_on(repair):
    with transaction.atomic():
        publish(Told(subject="event:1", name="a"))
    at = timezone.now()

    for _ in range(MAX_ATTEMPTS + 3):
        at += timedelta(hours=2)
        deliver_due(at=at)

    rows = Delivery.objects.exclude(state="done")
    assert {(row.state, row.attempts) for row in rows} == {("dead", MAX_ATTEMPTS)}
    assert all(row.last_error for row in rows)
    assert names() == ["a"]


def take_the_worker_down(event):
    raise SystemExit("out of memory")


def test_deliver_due_counts_a_try_that_takes_the_worker_down(subscriptions, monkeypatch):
    with transaction.atomic():
        publish(Told(subject="event:1", name="a"))
    poison = Delivery.objects.filter(handler__endswith="fail_after_writing")
    Delivery.objects.exclude(pk__in=poison).update(state="done")
    poison.update(handler=f"{__name__}.take_the_worker_down")
    at, falls = timezone.now(), 0

    for _ in range(MAX_ATTEMPTS + 3):
        at += timedelta(hours=2)
        try:
            deliver_due(at=at)
        except SystemExit:
            falls += 1

    row = Delivery.objects.get(handler__endswith="take_the_worker_down")
    assert (falls, row.state, row.attempts) == (MAX_ATTEMPTS - 1, "dead", MAX_ATTEMPTS)
    assert "went down" in row.last_error


def test_deliver_due_twin_counting_with_the_effect_falls_for_ever(subscriptions, monkeypatch):
    """Sabotage twin: a try that is not counted beforehand leaves no trace of its fall."""
    monkeypatch.setattr(dispatch, "_claim", lambda pk, attempts, *, at: True)
    with transaction.atomic():
        publish(Told(subject="event:1", name="a"))
    Delivery.objects.exclude(state="done").update(handler=f"{__name__}.take_the_worker_down")
    at = timezone.now()

    for _ in range(MAX_ATTEMPTS + 3):
        at += timedelta(hours=2)
        with pytest.raises(SystemExit):
            deliver_due(at=at)

    assert set(Delivery.objects.exclude(state="done").values_list("state", "attempts")) == {("due", 1)}


def test_deliver_due_waits_longer_after_each_failure():
    assert [backoff(n).total_seconds() for n in (1, 2, 3, 8, 20)] == [10, 20, 40, 1280, 3600]


def test_settled_names_subjects_without_open_deliveries(repair):
    with transaction.atomic():
        publish(Told(subject="event:1", name="a"))
    before = settled(["event:1", "event:2"])
    repair()
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        deliver_due(at=timezone.now())

    assert (before, settled(["event:1", "event:2"])) == ({"event:2"}, {"event:1", "event:2"})
