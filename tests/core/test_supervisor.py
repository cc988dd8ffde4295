import os
import signal
import sys
import threading
import time

import pytest

from core.management.supervisor import Supervisor

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
ENDS = [sys.executable, "-c", "raise SystemExit(3)"]
# Starts a grandchild, writes its pid and is deaf to nothing.
PARENT = "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "


@pytest.fixture(autouse=True)
def _own_signal_handlers():
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().split()[2] != "Z"


def test_supervisor_names_the_child_that_ended_and_stops_the_others(tmp_path):
    supervisor = Supervisor({"web": SLEEPER, "worker": ENDS}, folder=tmp_path)

    assert supervisor.run(when_ready=lambda: True) == "worker"
    assert supervisor._children["web"].poll() == -signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_supervisor_ends_all_on_a_signal(tmp_path, number):
    supervisor = Supervisor({"web": SLEEPER, "worker": SLEEPER}, folder=tmp_path)
    threading.Timer(0.5, os.kill, (os.getpid(), number)).start()

    assert supervisor.run(when_ready=lambda: True) is None
    assert {child.poll() for child in supervisor._children.values()} == {-signal.SIGTERM}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_supervisor_leaves_no_grandchild_when_a_child_was_killed(tmp_path):
    file = tmp_path / "pid"
    script = PARENT + f"open({str(file)!r}, 'w').write(str(p.pid)); time.sleep(60)"
    supervisor = Supervisor({"worker": [sys.executable, "-c", script]}, folder=tmp_path)

    def kill_when_started() -> bool:
        if file.exists() and file.read_text():
            supervisor._children["worker"].kill()
            return True
        return False

    assert supervisor.run(when_ready=kill_when_started) == "worker"
    deadline = time.monotonic() + 5
    while is_running(int(file.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.05)
