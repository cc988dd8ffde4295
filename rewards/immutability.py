"""The books cannot be rewritten: triggers that refuse UPDATE, DELETE and TRUNCATE, on both engines."""

from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

BOOKS = ("rewards_transfer", "rewards_entry", "rewards_lotuse")
SEALS = ("rewards_seal",)
TABLES = (*BOOKS, *SEALS)
_SAYS = "the ledger is append-only"


def install_triggers(connection: BaseDatabaseWrapper, tables: Sequence[str] = TABLES) -> None:
    """Make the tables append-only: those of the book and its seals."""
    with connection.cursor() as cursor:
        for statement in _statements(connection.vendor, tables):
            cursor.execute(statement)


def drop_triggers(connection: BaseDatabaseWrapper, tables: Sequence[str] = TABLES) -> None:
    """Lift the protection, as undoing the migration does."""
    with connection.cursor() as cursor:
        for table in tables:
            for verb in ("update", "delete", "truncate"):
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}{on}")


def _statements(vendor: str, tables: Sequence[str]) -> list[str]:
    if vendor == "sqlite":
        return [
            f"CREATE TRIGGER IF NOT EXISTS {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{_SAYS}'); END"
            for table in tables
            for verb in ("update", "delete")
        ]
    refuse = (
        "CREATE OR REPLACE FUNCTION goodword_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_SAYS}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    return [refuse] + [
        f"CREATE OR REPLACE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
        f"FOR EACH {'STATEMENT' if verb == 'truncate' else 'ROW'} EXECUTE FUNCTION goodword_refuse_change()"
        for table in tables
        for verb in ("update", "delete", "truncate")
    ]
