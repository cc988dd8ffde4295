from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from core import tasks
from core.models import JobRun
from core.services import jobs

NOON = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


def test_period_of_names_its_first_instant_whatever_the_zone():
    every = timedelta(seconds=20)

    assert jobs.period_of(at=NOON, every=every) == "2026-03-01T12:00:00+00:00"
    assert jobs.period_of(at=NOON + timedelta(seconds=15), every=every) == "2026-03-01T12:00:20+00:00"
    assert jobs.period_of(at=NOON, every=timedelta(days=1)) == "2026-03-01T00:00:00+00:00"


@pytest.mark.django_db
def test_run_job_once_refuses_the_second_run_of_a_period():
    done = []

    first = jobs.run_job_once(job="sweep", period="p1", work=lambda: done.append(1) or "1 done")
    second = jobs.run_job_once(job="sweep", period="p1", work=lambda: done.append(2))
    other = jobs.run_job_once(job="sweep", period="p2", work=lambda: done.append(3))

    assert (first.outcome, first.finished_at is not None, second, other.outcome) == ("1 done", True, None, "None")
    assert done == [1, 3]


@pytest.mark.django_db
def test_run_job_once_keeps_the_failure_and_raises_it():
    with pytest.raises(ZeroDivisionError):
        jobs.run_job_once(job="sweep", period="p1", work=lambda: 1 / 0)

    run = JobRun.objects.get()
    assert (run.outcome, run.finished_at is not None) == ("failed: ZeroDivisionError: division by zero", True)


def run_with_two_schedulers() -> int:
    """Let two threads run the same period at once; return how often the work was done."""
    done, barrier = [], Barrier(2)

    def scheduler():
        barrier.wait()
        jobs.run_job_once(job="sweep", period="p1", work=lambda: done.append(1))
        connection.close()

    threads = [Thread(target=scheduler) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done)


@pytest.mark.django_db(transaction=True)
def test_run_job_once_lets_one_of_two_schedulers_win():
    assert run_with_two_schedulers() == 1


@pytest.mark.django_db(transaction=True)
def test_run_job_once_without_the_unique_period_runs_twice(monkeypatch):
    """Sabotage twin: without the constraint both schedulers do the work."""
    constraint = JobRun._meta.constraints[0]
    with monkeypatch.context() as patch, connection.schema_editor() as editor:
        patch.setattr(JobRun._meta, "constraints", [])
        editor.remove_constraint(JobRun, constraint)
    try:
        assert run_with_two_schedulers() == 2
    finally:
        JobRun.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(JobRun, constraint)


def use_due(settings, monkeypatch, *kinds):
    monkeypatch.setattr("config.due.DUE", list(kinds))


def counting_down(amount: int):
    """Return due work that does one item a call until `amount` are done, and the list of clocks it was given."""
    seen = []

    def work(*, at):
        seen.append(at)
        return 1 if len(seen) <= amount else 0

    return work, seen


def test_run_due_work_goes_on_until_nothing_is_due(settings, monkeypatch):
    first, clocks = counting_down(2)
    second, _ = counting_down(4)
    use_due(settings, monkeypatch, ("first", first), ("second", second))

    results = jobs.run_due_work(at=NOON)

    assert results == [jobs.DueResult("first", 2), jobs.DueResult("second", 4)]
    assert set(clocks) == {NOON}


def test_run_due_work_does_the_rest_when_one_kind_fails(settings, monkeypatch):
    good, _ = counting_down(3)
    use_due(settings, monkeypatch, ("bad", lambda *, at: 1 // 0), ("good", good))

    assert jobs.run_due_work(at=NOON) == [
        jobs.DueResult("bad", 0, "ZeroDivisionError: integer division or modulo by zero"),
        jobs.DueResult("good", 3),
    ]


def test_run_due_work_stops_when_work_never_ends(settings, monkeypatch, caplog):
    use_due(settings, monkeypatch, ("endless", lambda *, at: 1))

    assert jobs.run_due_work(at=NOON) == [jobs.DueResult("endless", jobs.MAX_PASSES)]
    assert "has not come to rest" in caplog.text


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("2026-03-15T10:00:00Z", datetime(2026, 3, 15, 10, tzinfo=UTC)),
        ("2026-03-15T10:00:00+02:00", datetime(2026, 3, 15, 8, tzinfo=UTC)),
        ("2026-07-15", datetime(2026, 7, 14, 22, tzinfo=UTC)),
    ],
)
def test_run_due_takes_its_clock_from_as_of(settings, monkeypatch, capsys, text, clock):
    settings.TIME_ZONE = "Europe/Berlin"
    work, clocks = counting_down(1)
    use_due(settings, monkeypatch, ("things", work))

    call_command("run_due", as_of=text)

    assert (set(clocks), capsys.readouterr().out) == ({clock}, "things: 1\n")


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01", "", "2026-02-30T00:00:00Z", "0001-01-01"])
def test_run_due_refuses_a_clock_it_cannot_read_and_does_nothing(settings, monkeypatch, text):
    settings.TIME_ZONE = "Europe/Berlin"
    work, clocks = counting_down(1)
    use_due(settings, monkeypatch, ("things", work))

    with pytest.raises(CommandError, match=r"expected an ISO 8601 moment .* nothing was done"):
        call_command("run_due", f"--as-of={text}")

    assert clocks == []


def test_run_due_fails_when_a_kind_fails(settings, monkeypatch, capsys):
    use_due(settings, monkeypatch, ("bad", lambda *, at: 1 // 0))

    with pytest.raises(CommandError, match="failed: bad"):
        call_command("run_due")

    assert capsys.readouterr().out.startswith("bad: 0 (failed: ZeroDivisionError")


@pytest.mark.django_db
def test_run_scheduled_runs_each_job_of_the_schedule_once_a_period():
    assert tasks.run_scheduled("sweep") == "0"
    assert tasks.run_scheduled("sweep") == "already claimed"
    assert list(JobRun.objects.values_list("job", "outcome")) == [("sweep", "0")]


@pytest.mark.django_db
def test_sweep_fails_loudly_when_a_kind_fails(settings, monkeypatch):
    use_due(settings, monkeypatch, ("bad", lambda *, at: 1 // 0))

    with pytest.raises(RuntimeError, match="bad: ZeroDivisionError"):
        tasks.sweep()


@pytest.mark.django_db
def test_prune_job_runs_forgets_those_older_than_a_week():
    for period, age in (("old", timedelta(days=7, seconds=1)), ("new", timedelta(days=7))):
        JobRun.objects.create(job="sweep", period=period)
        JobRun.objects.filter(period=period).update(started_at=NOON - age)

    assert jobs.prune_job_runs(at=NOON) == 1
    assert list(JobRun.objects.values_list("period", flat=True)) == ["new"]
