"""Pytest plugin, loaded before the settings: which database and broker the tests run against.

DATABASE_URL and REDIS_URL where they are given; else a real PostgreSQL and a real Redis brought along from
wheels. With `--services=embedded` the default of a clone: SQLite and the filesystem transport.
What has to be left out is said at the end in capitals; REQUIRE_SERVICES=1 turns it into a failure.
"""

import gc
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.servers import Postgres, Redis, Unavailable

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
EMBEDDED_ONLY_REASON = "needs a real PostgreSQL and a real Redis: runs in the other lane"
ONCE_REASON = "the same whatever the database: runs in the other lane (--services=embedded)"
OBJECTS_BETWEEN_COLLECTIONS = 100_000

_cleanups: list[Callable[[], None]] = []
_left_out: list[str] = []


def required() -> bool:
    """Return whether leaving something out is a failure (REQUIRE_SERVICES=1)."""
    return os.environ.get("REQUIRE_SERVICES", "") not in ("", "0")


def chromium() -> str | None:
    """Return the Chromium to drive: CHROMIUM, or the first one found on the PATH; None if there is none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the caller choose the lane."""
    parser.addoption(
        "--services",
        choices=["real", "embedded"],
        default="real",
        help="real: PostgreSQL and Redis (default); embedded: SQLite and the filesystem transport",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Set the environment before anything reads the settings; xdist's workers inherit it."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        _take_own_redis_database(os.environ["PYTEST_XDIST_WORKER"])
    else:
        _prepare_environment(embedded=early_config.known_args_namespace.services == "embedded")
    yield


def _prepare_environment(*, embedded: bool) -> None:
    given = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    for name in re.findall(r"^#? ?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE):
        os.environ.pop(name, None)
    folder = tempfile.mkdtemp(prefix="goodword-tests-")
    _cleanups.append(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ.update(ENV_FILE=os.devnull, VAR_DIR=folder, SECRET_KEY="only-for-tests-" * 4)
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", folder)  # and not beside the sources
    if embedded:
        return
    for name, server in (("DATABASE_URL", Postgres), ("REDIS_URL", Redis)):
        if given[name]:
            os.environ[name] = given[name]
            continue
        try:
            _bring_along(name, server())
        except Unavailable as reason:
            _leave_out(f"{server.__name__}: {reason}")


def _bring_along(name: str, server: Postgres | Redis) -> None:
    _cleanups.append(server.stop)
    os.environ[name] = server.start()


def _leave_out(what: str) -> None:
    if required():
        _clean_up()
        raise pytest.UsageError(f"REQUIRE_SERVICES is set, but this would be left out: {what}")
    _left_out.append(what)


def _take_own_redis_database(worker: str) -> None:
    """Give each xdist worker a database of its own, counting up from the one given."""
    url = os.environ.get("REDIS_URL", "")
    if url:
        base, _, number = url.rpartition("/")
        os.environ["REDIS_URL"] = f"{base}/{int(number or 0) + int(worker.removeprefix('gw'))}"


def real_services() -> bool:
    """Return whether the tests run against a real PostgreSQL and a real Redis."""
    return os.environ.get("DATABASE_URL", "").startswith("postgres") and bool(os.environ.get("REDIS_URL"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in tests/browser, leave out what this machine or lane does not run, and begin with the longest."""
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker("browser")
        if item.get_closest_marker("services") and not real_services():
            item.add_marker(pytest.mark.skip(reason=EMBEDDED_ONLY_REASON))
        if item.get_closest_marker("once") and real_services():
            item.add_marker(pytest.mark.skip(reason=ONCE_REASON))
        if item.get_closest_marker("browser") and not chromium() and not required():
            item.add_marker(pytest.mark.skip(reason="needs a Chromium, and none is on the PATH (or in CHROMIUM)"))
        if item.get_closest_marker("curl") and not shutil.which("curl") and not required():
            item.add_marker(pytest.mark.skip(reason="needs curl, and none is on the PATH"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail where a Chromium or curl is required and missing."""
    if item.get_closest_marker("curl") and not shutil.which("curl"):
        pytest.fail("REQUIRE_SERVICES is set, but there is no curl on the PATH")
    if item.get_closest_marker("browser") and not chromium():
        pytest.fail("REQUIRE_SERVICES is set, but there is no Chromium on the PATH (or in CHROMIUM)")


def pytest_report_header() -> str:
    """Say what the tests run against."""
    database = "PostgreSQL" if os.environ.get("DATABASE_URL", "").startswith("postgres") else "SQLite"
    broker = "Redis" if os.environ.get("REDIS_URL") else "filesystem transport"
    return f"services: {database}, {broker}, Chromium {chromium() or 'none'}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was left out."""
    skipped = [str(report.longrepr[2]) for report in terminalreporter.getreports("skipped")]
    reasons = {f"{skipped.count(reason)} tests: {reason}": None for reason in skipped}
    for what in [*_left_out, *reasons]:
        terminalreporter.write_line(f"LEFT OUT: {what}", yellow=True, bold=True)


def _clean_up() -> None:
    while _cleanups:
        _cleanups.pop()()


def pytest_unconfigure() -> None:
    """Stop what was started."""
    _clean_up()
