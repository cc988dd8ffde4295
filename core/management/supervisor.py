"""Running processes side by side: when one ends, all end."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

GRACE_SECONDS = 30.0


class Supervisor:
    """Starts commands in `folder`, each in a session of its own, and ends them together."""

    def __init__(self, commands: Mapping[str, Sequence[str]], *, folder: Path) -> None:
        self._folder = folder
        self._commands = commands
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._asked_to_end = False

    def run(self, *, when_ready: Callable[[], bool]) -> str | None:
        """Run until a signal or until a child ends; return the name of the child that ended unasked.

        `when_ready` is called every fifth of a second until it returns True.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)
        ready = False
        try:
            for name, command in self._commands.items():
                self._children[name] = subprocess.Popen(  # noqa: S603 - our own commands
                    command, cwd=self._folder, start_new_session=True
                )
            while not self._asked_to_end:
                for name, child in self._children.items():
                    if child.poll() is not None:
                        return name
                ready = ready or when_ready()
                time.sleep(0.2)
        finally:
            self._stop_all()
        return None

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_end = True

    def _stop_all(self) -> None:
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self._children.values():
            try:
                child.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            self._kill_what_is_left(child.pid)

    def _kill_what_is_left(self, session: int) -> None:
        """A child that was killed leaves its own children behind; they share its session."""
        try:
            os.killpg(session, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return
