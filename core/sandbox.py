"""The sandbox's clock: the real time and a lead that only grows, kept in one file that all its processes read."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from core.errors import Refused

TEST_KEY_PREFIX = "test_"
KEPT_MOVES = 50


class ClockIsMoving(Refused):
    """Somebody else is moving the clock at this moment."""

    code = "clock_is_moving"
    status = 409


@dataclass(frozen=True, slots=True)
class Move:
    """One move of the clock: from when to when."""

    start: datetime
    end: datetime


class Clock:
    """A clock that runs as fast as the real one and can be moved forward, never back."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._mark: tuple[int, int] | None = None
        self._lead = timedelta(0)

    def now(self) -> datetime:
        """Return what time it is in the sandbox."""
        return datetime.now(UTC) + self.lead()

    def lead(self) -> timedelta:
        """Return how far the sandbox is ahead of the real time."""
        try:
            found = os.stat(self._file)
        except FileNotFoundError:
            return timedelta(0)
        mark = (found.st_ino, found.st_mtime_ns)
        if mark != self._mark:
            self._lead = timedelta(microseconds=self._read()["lead"])
            self._mark = mark
        return self._lead

    @contextmanager
    def moving(self) -> Iterator[None]:
        """Be the only one, over all processes, who moves the clock; `ClockIsMoving` where somebody does."""
        with self._file.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ClockIsMoving("The clock is being moved; try again in a moment.") from None
            yield

    def move_to(self, moment: datetime) -> None:
        """Let it be `moment` from here on, in every process; a moment that has passed changes nothing."""
        kept = self._read()
        lead = max(moment - datetime.now(UTC), timedelta(microseconds=kept["lead"]))
        self._write(kept | {"lead": lead // timedelta(microseconds=1)})

    def note(self, move: Move) -> None:
        """Remember a move that has been made."""
        kept = self._read()
        moves = [[move.start.isoformat(), move.end.isoformat()], *kept["moves"]]
        self._write(kept | {"moves": moves[:KEPT_MOVES]})

    def moves(self) -> list[Move]:
        """Return the moves that have been made, the newest first."""
        return [Move(*map(datetime.fromisoformat, move)) for move in self._read()["moves"]]

    def begin(self, *, database: str) -> None:
        """Remember which database this clock belongs to."""
        self._write(self._read() | {"database": database})

    def database(self) -> str:
        """Return which database this clock belongs to; '' before the first start."""
        return str(self._read()["database"])

    def _read(self) -> dict[str, Any]:
        try:
            kept: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"lead": 0, "moves": [], "database": ""}
        return kept

    def _write(self, kept: dict[str, Any]) -> None:
        """Replace the file as a whole: whoever reads meanwhile reads the old one or the new one."""
        unfinished = self._file.with_suffix(f".{os.getpid()}.part")
        unfinished.write_text(json.dumps(kept), encoding="utf-8")
        unfinished.replace(self._file)


def install(clock: Clock) -> Clock:
    """Let `django.utils.timezone.now` tell this clock's time in this process; before any model is loaded."""

    def now() -> datetime:
        return clock.now()

    # Migrations name the function by where it is found; under its own name they would see a change.
    now.__module__, now.__qualname__ = timezone.now.__module__, timezone.now.__qualname__
    timezone.now = now
    return clock
