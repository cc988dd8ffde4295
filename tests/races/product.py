"""The product as real processes beside the test: web server and worker, on the test's database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from tests.servers import end, free_port

ROOT = Path(__file__).resolve().parent.parent.parent


def url_of_test_database() -> str:
    """Return the DATABASE_URL of the database that this test's connection is on."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{connection.settings_dict['NAME']}"
    return urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def eventually(
    holds: Callable[[], bool], *, within: float, every: float = 0.05, otherwise: Callable[[], str] = str
) -> None:
    """Return as soon as it holds; fail after `within` seconds, saying what `otherwise` says."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"not so within {within} s: {otherwise()}"
        time.sleep(every)


class Product:
    """Starts, kills and stops the processes; `log` is what they wrote."""

    def __init__(self, folder: Path, *, redis_url: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / "log"
        self.mails = folder / "mails"
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": url_of_test_database(),
            "REDIS_URL": redis_url,
            "SECRET_KEY": settings.SECRET_KEY,
            "EMAIL_URL": f"file://{self.mails}",
            "VAR_DIR": str(folder),
            "PORT": str(self.port),
        }
        self._children: list[subprocess.Popen[bytes]] = []

    def start_web(self) -> None:
        """Start the web server and wait until it answers."""
        from core.management.commands.up import answers

        self._start("gunicorn", "-c", "config/gunicorn.py", "config.wsgi")
        eventually(lambda: answers("127.0.0.1", self.port), within=30)

    def start_worker(self) -> subprocess.Popen[bytes]:
        """Start a worker with its beat, as `make work` does."""
        return self._start("celery", "-A", "config", "worker", "--beat", "--loglevel", "INFO")

    def kill(self, child: subprocess.Popen[bytes]) -> None:
        """`kill -9` the process and all it has started, as an out-of-memory killer or a power cut would."""
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def stop(self) -> None:
        """End whatever still runs."""
        for child in self._children:
            end(child, signal.SIGTERM)
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as out:
            child = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self._children.append(child)
        return child
