from datetime import UTC, datetime
from threading import Thread

import time_machine

from core import clocks

REAL = datetime(2026, 3, 1, 12, tzinfo=UTC)
THEN = datetime(2025, 1, 2, 3, tzinfo=UTC)


def test_now_is_the_real_moment_outside_a_run():
    with time_machine.travel(REAL, tick=False):
        assert clocks.now() == REAL


def test_clock_at_holds_inside_and_ends_with_an_error():
    with time_machine.travel(REAL, tick=False):
        try:
            with clocks.clock_at(THEN), clocks.clock_at(REAL):
                inner = clocks.now()
                raise ValueError
        except ValueError:
            after = clocks.now()

    assert (inner, after) == (REAL, REAL)


def test_clock_at_holds_for_its_own_thread_only():
    seen = []
    with time_machine.travel(REAL, tick=False), clocks.clock_at(THEN):
        other = Thread(target=lambda: seen.append(clocks.now()))
        other.start()
        other.join()

        assert (clocks.now(), seen) == (THEN, [REAL])
