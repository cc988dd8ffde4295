"""`up`: everything on one machine: database, web server, worker and beat under one supervisor."""

import errno
import io
import socket
import sys
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.management.sandbox import begin_sandbox, ensure_test_keys
from core.management.supervisor import Supervisor

DEMO_CUSTOMERS = 300  # enough for full charts, few enough for a first start within a minute
WEB = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
WORKER = [sys.executable, "-m", "celery", "-A", "config", "worker", "--beat", "--loglevel", "INFO"]


def ensure_port_is_free(host: str, port: int) -> None:
    """Raise CommandError, saying what to do, if somebody listens on the port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = "is already in use" if error.errno == errno.EADDRINUSE else f"cannot be opened ({error.strerror})"
            other = f"SANDBOX_PORT={port + 1} make sandbox" if settings.SANDBOX else f"PORT={port + 1} make run"
            raise CommandError(f"Port {port} on {host} {reason}. Choose another: {other}") from None


def answers(host: str, port: int) -> bool:
    """Return whether the web server answers a request."""
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            connection.sendall(f"GET /healthz HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            return connection.recv(5) == b"HTTP/"
    except OSError:
        return False


class Command(BaseCommand):
    """Prepares the database and serves until Ctrl-C or TERM."""

    help = (
        "Migrate, seed an empty database, then run web server, worker and beat until Ctrl-C. "
        "With --sandbox: a second installation beside the live one, for trying out (docs/sandbox.md)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Allow starting with an empty company, and beginning a sandbox anew."""
        parser.add_argument("--no-seed", action="store_true", help="leave an empty database empty")
        parser.add_argument("--fresh", action="store_true", help="with --sandbox: forget everything in it first")

    def handle(self, *args: Any, no_seed: bool = False, fresh: bool = False, **options: Any) -> None:
        """Run everything; fail if a part ends by itself."""
        if fresh and not settings.SANDBOX:
            raise CommandError("--fresh is for a sandbox: up --sandbox --fresh. Nothing was changed.")
        ensure_port_is_free(settings.HOST, settings.PORT)
        if settings.SANDBOX:
            begin_sandbox(fresh=fresh)
        call_command("migrate", interactive=False, verbosity=0)
        call_command("ensure_roles", stdout=io.StringIO())
        if not no_seed:
            self._seed_when_empty()
        if settings.SANDBOX:
            ensure_test_keys()
        supervisor = Supervisor({"web server": WEB, "worker": WORKER}, folder=settings.BASE_DIR)
        ended = supervisor.run(when_ready=self._announce)
        if ended:
            raise CommandError(f"The {ended} has ended; its last lines above say why. Everything else was stopped.")
        self.stdout.write("stopped")

    def _seed_when_empty(self) -> None:
        """Nobody who could sign in means that nobody has begun to use this database."""
        if "seed_demo" in get_commands() and not get_user_model().objects.exists():
            self.stdout.write("The database is empty: making a demo company ...")
            said = io.StringIO()
            try:
                call_command("seed_demo", customers=DEMO_CUSTOMERS, stdout=said)
            except CommandError as refusal:
                self.stdout.write(f"No demo company: {refusal}")
            # The sign-ins below its first line are told once all is ready.
            self.stdout.write(said.getvalue().partition("\n")[0])

    def _announce(self) -> bool:
        if not answers(settings.HOST, settings.PORT):
            return False
        base = settings.PUBLIC_BASE_URL
        places = {"dashboard": "/dashboard/", "admin": "/admin/", "API": "/api/docs/"}
        if settings.SANDBOX:
            places |= {"clock": "/sandbox/", "mails": "/mails/"}
        self.stdout.write(
            f"\nready: http://{settings.HOST}:{settings.PORT}/" + (" (sandbox)" if settings.SANDBOX else "")
        )
        for name, address in places.items():
            self.stdout.write(f"  {name:<10} {base}{address}")
        if settings.SANDBOX:
            self.stdout.write(ensure_test_keys())
        sign_ins = settings.VAR_DIR / "demo_sign_ins.txt"
        if sign_ins.exists():
            self.stdout.write(sign_ins.read_text(encoding="utf-8"))
        self.stdout.write("Ctrl-C ends everything; the data stays.\n")
        self.stdout.flush()
        return True
