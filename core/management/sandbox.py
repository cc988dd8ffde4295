"""Beginning a sandbox: a database that is its own, beginning anew, and the test keys."""

import io
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from core.sandbox import Clock

KEYS = "keys.txt"
_KINDS: tuple[tuple[str, list[str]], ...] = (
    ("key for a server (read, write)", []),
    ("publishable key for pages", ["--publishable"]),
)
_GONE_WHEN_FRESH = ("clock.json", KEYS, "demo_sign_ins.txt", "beat-schedule")


def begin_sandbox(*, fresh: bool) -> None:
    """Make sure that the database was begun as a sandbox; with `fresh`, empty it first. Raises CommandError."""
    clock = settings.SANDBOX_CLOCK
    if clock is None:
        raise CommandError("This installation is no sandbox.")
    name = f"{connection.vendor}:{connection.settings_dict['HOST']}:{connection.settings_dict['NAME']}"
    if not _is_ours(name, clock):
        raise CommandError(
            "The database that SANDBOX_DATABASE_URL names holds something that was not begun as a sandbox. "
            "Name an empty one; nothing was changed."
        )
    if fresh:
        _empty()
    clock.begin(database=name)


def _is_ours(name: str, clock: Clock) -> bool:
    """Whether a sandbox was begun there, or nothing at all."""
    if name == clock.database() or _file().is_relative_to(settings.VAR_DIR):
        return True
    tables = connection.introspection.table_names()
    connection.close()
    return not tables


def _file() -> Path:
    """The file of a SQLite database."""
    sqlite = connection.vendor == "sqlite"
    return Path(connection.settings_dict["NAME"]).resolve() if sqlite else Path("/nowhere")


def _empty() -> None:
    if connection.vendor != "sqlite":
        raise CommandError(
            "--fresh begins anew in a SQLite file only. Drop and create the database that SANDBOX_DATABASE_URL names, "
            f"delete {settings.VAR_DIR}, and start again."
        )
    connection.close()
    file = _file()
    for one in (file, *(file.with_name(file.name + rest) for rest in ("-wal", "-shm", "-journal"))):
        one.unlink(missing_ok=True)
    for name in _GONE_WHEN_FRESH:
        (settings.VAR_DIR / name).unlink(missing_ok=True)
    for mail in Path(settings.EMAIL_FILE_PATH).glob("*.eml"):
        mail.unlink()


def ensure_test_keys() -> str:
    """Return the test keys, made at the first start and kept in a file beside the database."""
    file = settings.VAR_DIR / KEYS
    if not file.exists():
        lines = [f"  {title:<31} {_new_key(options)}\n" for title, options in _KINDS]
        file.touch(mode=0o600)
        file.write_text("".join(lines), encoding="utf-8")
    return f"test keys (kept in {file}):\n{file.read_text(encoding='utf-8')}"


def _new_key(options: list[str]) -> str:
    said = io.StringIO()
    call_command("create_api_key", "sandbox", *options, stdout=said)
    return said.getvalue().split()[-1]
