"""`manage.py up` as a process of its own, on the embedded default."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from core.management.commands.up import answers
from tests.races.product import eventually
from tests.servers import end, free_port

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent.parent


class Installation:
    """A clone on one machine: its folder, its port, and `up` as it runs there."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.output = folder / "output"
        self.running: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        ours = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"}
        given = {name: value for name, value in os.environ.items() if name not in ours}
        given |= {
            "VAR_DIR": str(self.folder / "var"),
            "PORT": str(self.port),
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        with self.output.open("wb") as out:
            self.running = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--no-seed"], cwd=ROOT, env=given, stdout=out, stderr=out
            )

    def said(self) -> str:
        return self.output.read_text()

    def query(self, statement: str) -> list[tuple]:
        with sqlite3.connect(self.folder / "var" / "goodword.sqlite3") as database:
            return database.execute(statement).fetchall()


@pytest.fixture
def installation(tmp_path):
    one = Installation(tmp_path)
    yield one
    end(one.running, signal.SIGTERM)


def test_up_serves_with_its_worker_until_term_and_keeps_the_data(installation):
    installation.up()
    eventually(lambda: f"ready: http://127.0.0.1:{installation.port}/" in installation.said(), within=60)
    assert answers("127.0.0.1", installation.port)
    eventually(
        lambda: installation.query("SELECT outcome FROM core_jobrun WHERE job = 'sweep' AND outcome <> ''") != [],
        within=60,
    )
    key = (installation.folder / "var" / "secret_key").read_text()

    installation.running.send_signal(signal.SIGTERM)

    assert installation.running.wait(30) == 0
    assert not answers("127.0.0.1", installation.port)
    runs = installation.query("SELECT count(*) FROM core_jobrun")[0][0]
    installation.up()
    eventually(lambda: "ready:" in installation.said(), within=60)
    assert installation.query("SELECT count(*) FROM core_jobrun")[0][0] >= runs
    assert (installation.folder / "var" / "secret_key").read_text() == key


def test_up_says_what_to_do_when_the_port_is_taken(installation):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", installation.port))
        taken.listen()
        installation.up()
        code = installation.running.wait(60)

    words = f"Port {installation.port} on 127.0.0.1 is already in use. Choose another: PORT={installation.port + 1}"
    assert (code, words in installation.said()) == (1, True)
    assert not (installation.folder / "var" / "goodword.sqlite3").exists()
