"""The same balances imported by several people at the same moment are given once."""

from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from referrals.models import Customer
from rewards.models import Transfer
from rewards.services.importing.running import run_import
from tests.races.threads import at_once
from tests.rewards.test_importing import POINTS, ready
from tests.shop import Shop, assert_books_balance

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one write at a time anyway")
def test_run_import_of_the_same_file_at_once_gives_once():
    shop = Shop()
    for who in ("ann", "bob"):
        shop.code_of(who, email=f"{who}@shop.example")
    imports = [ready("points", POINTS, skip=True) for _ in range(4)]

    results = at_once([partial(run_import, history=one, at=timezone.now()) for one in imports])

    assert not [one for one in results if isinstance(one, Exception)]
    assert sorted(one.result.get("new", 0) for one in results)[-1] <= 2
    assert sum(one.result.get("new", 0) for one in results) == 2
    assert sorted(Transfer.objects.values_list("amount", flat=True)) == [70, 500]
    assert Customer.objects.count() == 2
    assert_books_balance()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one write at a time anyway")
def test_run_imports_by_two_workers_at_once_do_each_row_once():
    shop = Shop()
    for who in ("ann", "bob"):
        shop.code_of(who, email=f"{who}@shop.example")
    history = ready("points", POINTS)

    at_once([partial(run_import, history=history, at=timezone.now())] * 4)

    assert sorted(Transfer.objects.values_list("amount", flat=True)) == [70, 500]
    assert_books_balance()
