"""The books cannot be rewritten, by nobody who reaches the database as the application does."""

import pytest
from django.db import DatabaseError, connection, transaction

from rewards.immutability import TABLES, drop_triggers
from rewards.models import Transfer
from rewards.services.sealing import seal_due
from tests.shop import Shop, day

WRITES = ["UPDATE {} SET id = id", "DELETE FROM {}"]


@pytest.fixture
def books(db):
    shop = Shop()
    shop.report(shop.purchase("bob", day(0), "1", "59.90", code=shop.code_of("ann")), at=day(0))
    shop.pass_time(day(14))
    shop.report(shop.refund("bob", day(15), "1", "59.90"), at=day(15))
    seal_due(at=day(16))


def attempt(statement):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("write", WRITES)
def test_install_triggers_refuses_every_write_to_what_is_written(books, table, write):
    with pytest.raises(DatabaseError, match="append-only"):
        attempt(write.format(table))


@pytest.mark.parametrize("table", TABLES)
def test_install_triggers_refuses_to_empty_a_table(books, table):
    verb = "TRUNCATE {} CASCADE" if connection.vendor == "postgresql" else "DELETE FROM {} WHERE 1"

    connection.check_constraints()
    with pytest.raises(DatabaseError, match="append-only"):
        attempt(verb.format(table))


def test_install_triggers_switched_off_lets_history_change(books):
    drop_triggers(connection)

    attempt("UPDATE rewards_transfer SET amount = amount + 1")

    assert Transfer.objects.filter(reward__rule="advocate-fixed", kind="grant").get().amount == 501
