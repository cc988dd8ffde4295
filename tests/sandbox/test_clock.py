"""The clock itself: it runs on, it moves forward, and all who read its file agree."""

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from core.sandbox import Clock, ClockIsMoving, Move, install

ROOT = Path(__file__).resolve().parent.parent.parent
REAL = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path / "clock.json")


def test_now_is_the_real_time_until_the_clock_is_moved_and_runs_on(clock):
    with time_machine.travel(REAL, tick=False) as real:
        before = clock.now()
        clock.move_to(REAL + 14 * DAY)
        moved = clock.now()
        real.shift(timedelta(seconds=5))

        assert (before, moved, clock.now()) == (REAL, REAL + 14 * DAY, REAL + 14 * DAY + timedelta(seconds=5))


def test_move_to_never_goes_back(clock):
    with time_machine.travel(REAL, tick=False):
        clock.move_to(REAL + DAY)
        clock.move_to(REAL)

        assert clock.now() == REAL + DAY


def test_move_to_is_seen_by_who_read_the_clock_before(clock, tmp_path):
    other = Clock(tmp_path / "clock.json")
    with time_machine.travel(REAL, tick=False):
        clock.move_to(REAL + DAY)
        first = other.now()
        clock.move_to(REAL + 2 * DAY)

        assert (first, other.now()) == (REAL + DAY, REAL + 2 * DAY)


def test_moving_is_for_one_at_a_time(clock, tmp_path):
    other = Clock(tmp_path / "clock.json")
    with clock.moving(), pytest.raises(ClockIsMoving), other.moving():
        pass
    with other.moving():
        pass


def test_moving_is_for_one_at_a_time_twin_without_the_lock_two_move(clock, tmp_path, monkeypatch):
    monkeypatch.setattr("core.sandbox.fcntl.flock", lambda *_: None)
    with clock.moving(), Clock(tmp_path / "clock.json").moving():
        entered = True

    assert entered


def test_note_keeps_the_newest_moves_first(clock):
    moves = [Move(REAL + n * DAY, REAL + (n + 1) * DAY) for n in range(60)]
    for move in moves:
        clock.note(move)

    assert clock.moves() == moves[:9:-1]


def test_install_replaces_the_time_of_the_whole_process(clock, monkeypatch):
    monkeypatch.setattr(timezone, "now", timezone.now)
    install(clock)
    with time_machine.travel(REAL, tick=False):
        clock.move_to(REAL + DAY)

        assert timezone.now() == REAL + DAY
        assert (timezone.now.__module__, timezone.now.__qualname__) == ("django.utils.timezone", "now")


def test_a_live_process_has_no_clock_to_move():
    ask = (
        "import django; django.setup(); from django.conf import settings; from django.utils import timezone;"
        "print(settings.SANDBOX_CLOCK, settings.ROOT_URLCONF, timezone.now.__code__.co_filename)"
    )
    said = subprocess.run(
        [sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert said[:2] == ["None", "config.urls"]
    assert said[2].endswith("django/utils/timezone.py")


REAL_TIME = {"core/clocks.py", "core/sandbox.py"}
ASKS = re.compile(r"datetime\.now\(|utcnow\(|date\.today\(|\btime\.time\(\)|utils\.timezone import .*\bnow\b")


def askers(pattern: re.Pattern) -> set[str]:
    folders = ["accounts", "analytics", "core", "messaging", "referrals", "rewards", "surveys"]
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return {str(file.relative_to(ROOT)) for file in files if pattern.search(file.read_text())}


def test_nothing_asks_for_the_time_past_the_clock():
    assert askers(ASKS) == REAL_TIME | {"core/api/throttles.py"}


def test_nothing_asks_for_the_time_past_the_clock_twin_who_does_is_found():
    assert "core/tasks.py" in askers(re.compile(r"timezone\.now\("))
