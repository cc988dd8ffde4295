"""Reading with the database's own word that nothing is written."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def read_only() -> Iterator[None]:
    """Let the database refuse every write inside; what is read on PostgreSQL is rolled back with its transaction.

    On SQLite no transaction is begun, since one would keep the others from writing meanwhile.
    """
    if connection.vendor == "sqlite":
        yield from _query_only()
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        try:
            yield
        finally:
            transaction.set_rollback(True)


def _query_only() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = OFF")
