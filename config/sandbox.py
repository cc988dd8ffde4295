"""What makes an installation a sandbox: an environment of its own, and the settings that differ."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environ import Env

from core.sandbox import Clock, install

# What belongs to the live installation alone: its secrets, servers, addresses and whoever it calls.
NOT_TAKEN_OVER = (
    *("SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_OWNER_URL", "REDIS_URL", "EMAIL_URL", "MAIL_PAGE"),
    *("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "SECURE_HSTS_SECONDS", "VETO_URL", "VETO_SECRET"),
)
DEFAULT_PORT = 8000
USUAL_PORT = 5432  # of PostgreSQL
TEN_YEARS = 10 * 366 * 24 * 3600
_THIS_MACHINE = ("", "localhost", "127.0.0.1", "::1")


class SameDatabase(ImproperlyConfigured):
    """The sandbox was given the live installation's database."""


def environment(live: Mapping[str, str], base: Path, port: int, database: str, base_url: str) -> dict[str, str]:
    """Return the sandbox's environment beside the live one; raises `SameDatabase`.

    `port`, `database` and `base_url` are what was chosen for the sandbox; empty: the port after the live one,
    SQLite in `sandbox/` of the live folder, and this machine's address.
    """
    folder = Path(live.get("VAR_DIR") or base / "var").resolve()
    port = port or int(live.get("PORT") or DEFAULT_PORT) + 1
    ours = {
        "VAR_DIR": str(folder / "sandbox"),
        "PORT": str(port),
        "PUBLIC_BASE_URL": base_url or f"http://127.0.0.1:{port}",
        "DATABASE_URL": database or f"sqlite:///{folder / 'sandbox' / 'goodword.sqlite3'}",
    }
    theirs = live.get("DATABASE_URL") or f"sqlite:///{folder / 'goodword.sqlite3'}"
    if identity_of(ours["DATABASE_URL"]) in {
        identity_of(theirs),
        identity_of(live.get("DATABASE_OWNER_URL") or theirs),
    }:
        raise SameDatabase(
            "SANDBOX_DATABASE_URL names the live installation's database. Choose another one, or leave it empty: "
            "then the sandbox keeps its own in var/sandbox/. Nothing was started."
        )
    return {name: value for name, value in live.items() if name not in NOT_TAKEN_OVER} | ours


def identity_of(database_url: str) -> str:
    """Return a text that is the same for two addresses of one database, whoever signs in there."""
    parts: dict[str, Any] = Env.db_url_config(database_url)
    if parts["ENGINE"].endswith("sqlite3"):
        return f"sqlite:{os.path.realpath(parts['NAME'])}"
    host = parts.get("HOST") or str(parts.get("OPTIONS", {}).get("host", ""))
    place = "this machine" if host.lower() in _THIS_MACHINE else host.lower()
    return f"{parts['ENGINE']}:{place}:{parts.get('PORT') or USUAL_PORT}:{parts['NAME']}"


def install_clock(folder: Path) -> Clock:
    """Let this process live by the clock that is kept in the folder."""
    return install(Clock(folder / "clock.json"))


def overrides(middleware: list[str]) -> dict[str, Any]:
    """Return the settings that differ in a sandbox.

    Cookies have names of their own, since browsers send them to every port of a host; a session outlasts
    every move of the clock.
    """
    return {
        "ROOT_URLCONF": "config.urls_sandbox",
        "SESSION_COOKIE_NAME": "sandbox_sessionid",
        "CSRF_COOKIE_NAME": "sandbox_csrftoken",
        "MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage",
        "SESSION_COOKIE_AGE": TEN_YEARS,
        "MIDDLEWARE": ["core.middleware.SandboxBanner", *middleware],
    }
