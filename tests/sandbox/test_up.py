"""`up --sandbox` as processes of its own, beside a live installation whose every server would be missed."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.races.product import eventually
from tests.sandbox.conftest import PROGRAM
from tests.servers import end, free_port

pytestmark = [pytest.mark.once, pytest.mark.long]

ROOT = Path(__file__).resolve().parent.parent.parent
NOT_BEGUN = "holds something that was not begun as a sandbox"


class Installation:
    """A live installation's folder and settings, and what runs in the sandbox beside it."""

    def __init__(self, folder):
        self.port = free_port()
        self.folder = folder
        self.var = folder / "var"
        self.var.mkdir()
        self.live = self.var / "live.sqlite3"
        with sqlite3.connect(self.live) as database:
            database.execute("CREATE TABLE accounts_user (email text)")
        database.close()
        self.running = None
        self.output = folder / "output"
        ours = {"SECRET_KEY", "DJANGO_SETTINGS_MODULE"}
        self.environ = {name: value for name, value in os.environ.items() if name not in ours} | {
            "VAR_DIR": str(self.var),
            "SANDBOX_PORT": str(self.port),
            "DATABASE_URL": f"sqlite:///{self.live}",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "EMAIL_URL": "smtp://127.0.0.1:1",
        }

    def manage(self, *command, **more):
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environ | more,
            capture_output=True,
            text=True,
            check=False,
        )

    def up(self, *options):
        with self.output.open("wb") as out:
            self.running = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--sandbox", "--no-seed", *options],
                cwd=ROOT,
                env=self.environ,
                stdout=out,
                stderr=out,
            )
        eventually(lambda: f"ready: http://127.0.0.1:{self.port}/ (sandbox)" in self.said(), within=60)

    def said(self):
        return self.output.read_text(errors="replace")

    def down(self):
        self.running.send_signal(signal.SIGTERM)
        assert self.running.wait(30) == 0

    def keys(self):
        return re.findall(r"test_\S+", (self.var / "sandbox" / "keys.txt").read_text())

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.keys()[0]}", "Content-Type": "application/json"}
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/v1{path}", data, headers, method=method)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer)

    def leave_an_old_sandbox(self):
        """Leave what an earlier sandbox has left: data, a mail, keys, a clock that is far ahead."""
        old = self.var / "sandbox"
        (old / "mails").mkdir(parents=True)
        (old / "mails" / "old.eml").write_text("old")
        (old / "keys.txt").write_text("test_old.old")
        (old / "clock.json").write_text('{"lead": 8640000000000, "moves": [], "database": ""}')  # 100 days
        with sqlite3.connect(old / "goodword.sqlite3") as database:
            database.execute("CREATE TABLE old (email text)")
        database.close()

    def query(self, statement):
        with sqlite3.connect(self.var / "sandbox" / "goodword.sqlite3") as database:
            return database.execute(statement).fetchall()


@pytest.fixture
def installation(tmp_path):
    one = Installation(tmp_path)
    yield one
    end(one.running, signal.SIGTERM)


def test_up_sandbox_is_a_whole_installation_that_touches_nothing_live(installation):
    before = installation.live.read_bytes()
    program = installation.folder / "program.yaml"
    program.write_text(PROGRAM)
    installation.leave_an_old_sandbox()
    installation.up("--fresh")
    secret, publishable = keys = installation.keys()
    assert "test_old.old" not in keys
    assert installation.query("SELECT name FROM sqlite_master WHERE name = 'old'") == []
    for told in (secret, publishable, "/sandbox/", "/mails/"):
        assert told in installation.said()
    assert installation.manage("apply_program", str(program), "--sandbox").returncode == 0

    ann = installation.call("PUT", "/customers/ann", {"email": "ann@shop.example"})
    now = installation.call("GET", "/sandbox/clock")["now"]
    assert datetime.fromisoformat(now) < datetime.now(UTC)
    fact = {
        "event_id": "order-1",
        "type": "purchase",
        "occurred_at": now,
        "customer": {"external_id": "bob"},
        "referral": {"code": ann["programs"][0]["code"]},
        "order": {"id": "order-1", "amount": "59.90", "currency": "EUR"},
    }
    installation.call("POST", "/events", fact)
    moved = installation.call("POST", "/sandbox/clock", {"advance_days": 14})

    assert moved["failed"] == {}
    assert {"released", "approved"} <= {one["what"] for one in moved["happened"]}
    assert installation.call("GET", "/customers/ann")["points"]["available"] == 500
    mails = [file.name for file in (installation.var / "sandbox" / "mails").iterdir()]
    assert sum("reward_available-ann" in name for name in mails) == 1
    assert "old.eml" not in mails
    installation.down()
    installation.up()
    assert installation.keys() == [secret, publishable]
    assert secret in installation.said()
    ahead = datetime.now(UTC) + timedelta(days=13)
    assert datetime.fromisoformat(installation.call("GET", "/sandbox/clock")["now"]) > ahead
    # The worker, another process, lives at the new moment, too.
    runs = f"SELECT count(*) FROM core_jobrun WHERE job = 'sweep' AND started_at > '{ahead:%Y-%m-%d}'"
    eventually(lambda: installation.query(runs) != [(0,)], within=60)
    installation.down()

    assert installation.live.read_bytes() == before
    assert sorted(file.name for file in installation.var.iterdir()) == ["live.sqlite3", "sandbox"]


def test_up_sandbox_refuses_the_live_database(installation):
    before = installation.live.read_bytes()

    refused = installation.manage("up", "--sandbox", SANDBOX_DATABASE_URL=f"sqlite:///{installation.live}")

    assert refused.returncode == 1
    assert "SANDBOX_DATABASE_URL names the live installation's database" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert installation.live.read_bytes() == before
    assert not (installation.var / "sandbox" / "clock.json").exists()


@pytest.mark.parametrize("options", [[], ["--fresh"]])
def test_up_sandbox_refuses_a_database_that_holds_something_else(installation, options):
    other = installation.folder / "other.sqlite3"
    other.write_bytes(installation.live.read_bytes())
    before = other.read_bytes()

    refused = installation.manage("up", "--sandbox", *options, SANDBOX_DATABASE_URL=f"sqlite:///{other}")

    assert (refused.returncode, NOT_BEGUN in refused.stderr) == (1, True)
    with sqlite3.connect(other) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("accounts_user",)]
    assert len(before) == other.stat().st_size


def test_up_fresh_is_for_a_sandbox_alone(installation):
    before = installation.live.read_bytes()

    refused = installation.manage("up", "--fresh", REDIS_URL="", EMAIL_URL="")

    assert (refused.returncode, "--fresh is for a sandbox" in refused.stderr) == (1, True)
    assert installation.live.read_bytes() == before
