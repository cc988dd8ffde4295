"""What every test may use."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import caches
from django.core.management.commands import flush
from django.db import connection
from django.utils import timezone, translation
from pytest_django import DjangoDbBlocker

from core import doorbell
from core.services.jobs import run_due_work
from referrals.services import clicks
from rewards.immutability import drop_triggers, install_triggers
from tests import services

# The synchronous Playwright runs an event loop in the thread of the test, which Django would refuse.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Keep SQLite's test database in a file, as the product does, so that threads and processes share it."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        database.setdefault("TEST", {})["NAME"] = str(Path(settings.VAR_DIR) / f"test-{worker}.sqlite3")


@pytest.fixture(autouse=True)
def _nothing_remembered(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Start each test with empty caches and a doorbell that rings; a rolled back test leaves none behind."""
    doorbell._silent_until = 0.0
    clicks._keys.clear()
    translation.deactivate()
    caches["throttle"].clear()
    yield
    marker = request.node.get_closest_marker("django_db")
    committed = marker is not None and marker.kwargs.get("transaction", False)
    if committed or {"transactional_db", "live_server"} & set(request.fixturenames):
        with django_db_blocker.unblock():
            caches["default"].clear()


@pytest.fixture
def settle(db: None) -> Callable[..., dict[str, int]]:
    """Return a function that does all due work, by now or by `at`, and returns how many items of each kind."""

    def do(*, at: datetime | None = None) -> dict[str, int]:
        results = run_due_work(at=at or timezone.now())
        assert [f"{result.name}: {result.error}" for result in results if result.error] == []
        return {result.name: result.count for result in results if result.count}

    return do


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the Chromium that browser tests drive."""
    found = services.chromium()
    assert found, "no Chromium"
    return found


KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission", "cache"}
"""What the migrations and the types of the models have put there, the same for every test."""


def empty_tables(self: flush.Command, **options: object) -> None:
    """Empty, after a transactional test, the tables that hold something; the append-only books would refuse it.

    Django's own way truncates every table and makes the permissions anew: half a second a test.
    """
    names = sorted(set(connection.introspection.table_names()) - KEPT_TABLES)
    quoted = [connection.ops.quote_name(name) for name in names]
    asked = [f"SELECT {place} WHERE EXISTS (SELECT 1 FROM {one})" for place, one in enumerate(quoted)]
    drop_triggers(connection)
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        full = [quoted[place] for (place,) in cursor.fetchall()]
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")  # no foreign key is looked at
        for one in full:
            cursor.execute(f"DELETE FROM {one}")
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = origin")
    install_triggers(connection)


@pytest.fixture(scope="session", autouse=True)
def _books_can_be_emptied_between_tests() -> Iterator[None]:
    """Empty tables in the quick way after each transactional test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush.Command, "handle", empty_tables)
        yield
