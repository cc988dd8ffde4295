"""Moving a sandbox's clock forward: all that is due on the way is done, each thing at its own moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from analytics.queries.happenings import Happening, happenings_between
from analytics.queries.waiting import next_due
from core.errors import Invalid, NotFound
from core.sandbox import Clock, Move
from core.services.jobs import run_due_work

LONGEST = timedelta(days=366)
STRIDE = timedelta(days=1)


class NoSandbox(NotFound):
    """This installation is no sandbox: its clock is the real one."""


class OnlyForward(Invalid):
    """The clock was to be moved back, or not at all."""

    code = "only_forward"


class TooFar(Invalid):
    """More than a year in one move."""

    code = "too_far"


@dataclass(frozen=True, slots=True)
class Moved:
    """A move, what happened in it, and what failed, by kind of work."""

    move: Move
    happened: list[Happening]
    failed: dict[str, str]


def the_clock() -> Clock:
    """Return the sandbox's clock; `NoSandbox` outside of one."""
    if settings.SANDBOX_CLOCK is None:
        raise NoSandbox("This installation is no sandbox.")
    clock: Clock = settings.SANDBOX_CLOCK
    return clock


def move_clock(*, to: datetime, pointer: str = "/to") -> Moved:
    """Move the clock to `to`, doing what is due at each moment on the way; no transaction, as each work has its own.

    The clock stops wherever something is due and once a day, and all processes live at that moment while its
    work is done, so that what follows from it is dated after it. Raises `OnlyForward`, `TooFar`, and
    `ClockIsMoving` where somebody else moves it.
    """
    clock = the_clock()
    with clock.moving():
        start = clock.now()
        _check(start, to, pointer)
        failed = _do_what_is_due(clock.now())
        while (now := clock.now()) < to:
            stop = min(now + STRIDE, to)
            stop = next_due(after=now, until=stop) or stop
            clock.move_to(stop)
            failed |= _do_what_is_due(stop)
        move = Move(start, clock.now())
        clock.note(move)
    return Moved(move, happenings_between(move.start, move.end), failed)


def _check(start: datetime, to: datetime, pointer: str) -> None:
    if to <= start:
        raise OnlyForward(
            f"It is {start:%Y-%m-%d %H:%M} here, and the clock moves forward only: what has been decided and "
            "sent was dated by it. To begin anew, start with --sandbox --fresh.",
            pointer=pointer,
        )
    if to - start > LONGEST:
        raise TooFar(f"The clock moves at most {LONGEST.days} days at a time.", pointer=pointer)


def _do_what_is_due(at: datetime) -> dict[str, str]:
    return {result.name: result.error for result in run_due_work(at=at) if result.error}
