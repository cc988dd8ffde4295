"""Back-tests: past facts replayed under an edited program file, in memory; asked for by staff, run by the worker."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core.doorbell import ring_on_commit
from core.errors import Invalid, Refused
from core.money import read_unit_value
from core.periods import DAY, start_of_day
from core.reading import read_only
from referrals.models import Program
from referrals.program_file import ProgramDocument, ProgramFileRefused, parse_program
from rewards.models import Simulation
from rewards.queries.backtests import load_material
from rewards.queries.refunds import hold_advice
from rewards.simulation.replay import Replay
from rewards.simulation.report import Report, Span, make_report

LEASE = timedelta(minutes=10)
EVERY = 500
"""Facts between two reports of progress."""
LOADED = 10
"""Per cent of the progress that loading is worth."""
QUARTER_DAYS = 91

State = Simulation.State
Progress = Callable[[int], None]


class UnknownProgram(Refused):
    """A file of a program that does not exist: it has no links, so nobody came by it."""

    code = "unknown_program"
    status = 404


class SimulationOver(Refused):
    """The back-test has already ended."""

    code = "wrong_state"


class _Cancelled(Exception):
    """Somebody cancelled the back-test while it ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Whole days in the installation's zone; `end` is exclusive."""

    start: date
    end: date

    def span(self) -> Span:
        """Return their instants."""
        zone = timezone.get_default_timezone()
        return Span(start_of_day(self.start, zone), start_of_day(self.end, zone))


def last_quarter(today: date) -> Days:
    """Return the 13 weeks before today."""
    return Days(start=today - timedelta(days=QUARTER_DAYS), end=today)


def point_value(currency: str) -> Decimal | None:
    """Return the money a point is worth in the program's currency, None where the company has not said."""
    value = read_unit_value(settings.POINT_VALUE)
    return value.amount if value is not None and value.currency == currency else None


def backtest_program(*, document: ProgramDocument, days: Days, at: datetime, progress: Progress) -> Report:
    """Return what the document would have given for the days' events, had it always been in force; writes nothing.

    All facts known at `at` are replayed in the order in which they arrived. Loading happens while the database
    refuses every write, the rest in memory. `progress` is told per cents; what it raises ends the back-test.
    Raises `UnknownProgram`.
    """
    program = Program.objects.filter(slug=document.slug).first()
    if program is None:
        raise UnknownProgram(f"there is no program {document.slug}: nobody has come by its links yet")
    with read_only():
        material = load_material(program=program, document=document, at=at)
    progress(LOADED)
    replay = Replay(material.case)
    for number, fact in enumerate(material.facts):
        replay.take(fact)
        if number % EVERY == 0:
            progress(LOADED + (99 - LOADED) * number // len(material.facts))
    span = days.span()
    report = make_report(
        replay,
        span,
        material.real,
        conversions_really=sum(1 for moment in material.qualified if moment in span),
        point_value=point_value(document.terms.currency),
    )
    progress(100)
    return report


@transaction.atomic
def request_simulation(*, program: Program, text: str, days: Days, user: User, at: datetime) -> Simulation:
    """Queue a back-test of the edited file; raises `ProgramFileRefused`, or `Invalid` for another program's file."""
    document = parse_program(text, file="line")
    if document.slug != program.slug:
        raise Invalid(f"program: expected {program.slug}, the program whose past is replayed")
    if days.start >= days.end:
        raise Invalid("expected a last day that is not before the first")
    simulation = Simulation.objects.create(
        program=program, text=text, first_day=days.start, last_day=days.end - DAY, asked_by=user, asked_at=at, due_at=at
    )
    ring_on_commit("rewards.tasks.run_simulations")
    return simulation


@transaction.atomic
def cancel_simulation(*, simulation: Simulation, at: datetime) -> Simulation:
    """End a back-test that waits or runs; raises `SimulationOver` where it has ended."""
    open_ones = Simulation.objects.filter(pk=simulation.pk, state__in=Simulation.OPEN)
    if open_ones.update(state=State.CANCELLED, finished_at=at) != 1:
        raise SimulationOver("the back-test has already ended")
    simulation.refresh_from_db()
    return simulation


def run_simulations(*, at: datetime) -> int:
    """Run the back-tests that wait, and those whose worker died, one after the other; return how many."""
    count = 0
    while (simulation := _claim(at)) is not None:
        _run(simulation, at)
        count += 1
    return count


def _claim(at: datetime) -> Simulation | None:
    now = timezone.now()
    waiting = Simulation.objects.filter(state=State.WAITING, due_at__lte=at)
    left_behind = Simulation.objects.filter(state=State.RUNNING, due_at__lte=now)
    for found in (*waiting.order_by("pk")[:5], *left_behind.order_by("pk")[:5]):
        same = Simulation.objects.filter(pk=found.pk, state=found.state, due_at=found.due_at)
        if same.update(state=State.RUNNING, due_at=now + LEASE, progress=0) == 1:
            found.refresh_from_db()
            return found
    return None


def _run(simulation: Simulation, at: datetime) -> None:
    """Run one back-test and keep what came out, also where it failed."""
    running = Simulation.objects.filter(pk=simulation.pk, state=State.RUNNING)

    def progress(percent: int) -> None:
        if running.update(progress=percent, due_at=timezone.now() + LEASE) != 1:
            raise _Cancelled

    days = Days(start=simulation.first_day, end=simulation.last_day + DAY)
    try:
        document = parse_program(simulation.text, file="line")
        report = backtest_program(document=document, days=days, at=at, progress=progress)
        result = report.to_json() | {"hold": hold_json(document, at)}
    except _Cancelled:
        return
    except ProgramFileRefused as refusal:
        running.update(state=State.FAILED, error=refusal.detail, finished_at=timezone.now())
    except Refused as refusal:
        running.update(state=State.FAILED, error=refusal.detail, finished_at=timezone.now())
    except Exception as error:
        running.update(state=State.FAILED, error=f"{type(error).__name__}: {error}", finished_at=timezone.now())
        raise
    else:
        running.update(state=State.DONE, result=result, progress=100, finished_at=timezone.now())


def hold_json(document: ProgramDocument, at: datetime) -> dict[str, object]:
    """Return what the document's hold risks, as plain values: `risk` None where it cannot be told."""
    terms = document.terms
    with read_only():
        advice = hold_advice(terms.currency, at=at, holds=(terms.hold_days,))
    row = advice.of(terms.hold_days)
    return {
        "days": terms.hold_days,
        "enough": advice.enough,
        "refunds": advice.refunds,
        "orders": advice.orders,
        "horizon": advice.horizon,
        "risk": row.risk if row else None,
        "interval": row.risk_interval if row else None,
        "left": row.left if row else None,
        "left_interval": row.left_interval if row else None,
    }
