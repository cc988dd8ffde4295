"""Points are spent once, the last one goes to one, lots expire once, whoever comes at the same time."""

import json
import os
import subprocess
import sys
from collections import Counter
from functools import partial

import pytest
from django.conf import settings
from django.db import IntegrityError, connection

from accounts.services import create_api_key
from messaging.models import Message
from rewards.models import Account, CatalogueItem, Lot, Redemption, Transfer
from rewards.services import redeeming
from rewards.services.book import Book, InsufficientPoints
from rewards.services.expiry import expire_due, warn_due
from rewards.services.lots import Lots
from rewards.services.redeeming import LimitReached, OutOfStock, RedemptionStands, cancel_redemption
from rewards.services.sealing import seal_due
from tests.races.product import ROOT, url_of_test_database
from tests.races.threads import at_once
from tests.rewards.goods import available, give, make_item, person, redeem
from tests.shop import assert_books_balance, day

pytestmark = pytest.mark.django_db(transaction=True)
ON_POSTGRESQL = "postgres" in settings.DATABASE_URL
PROCESSES, SPENDS, PURSE = (8, 150, 6_000) if ON_POSTGRESQL else (3, 30, 600)
PRICE = 10


def test_redemptions_of_many_processes_never_overdraw(tmp_path):
    ann = person()
    give(ann, PURSE)
    make_item("pen", points=PRICE)
    key = create_api_key(name="shop", scopes=["write"])[1]
    environment = {
        **os.environ,
        **{"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url_of_test_database(), "REDIS_URL": ""},
        **{"SECRET_KEY": settings.SECRET_KEY, "VAR_DIR": str(tmp_path), "ALLOWED_HOSTS": "testserver"},
    }
    command = [sys.executable, "-m", "tests.races.spender", key, "ann", "pen", str(SPENDS)]
    children = [subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) for _ in range(PROCESSES)]
    statuses: Counter[str] = Counter()
    for child in children:
        out, _ = child.communicate(timeout=300)
        statuses.update(json.loads(out.splitlines()[-1]))

    legal = PURSE // PRICE
    assert dict(statuses) == {"201": legal, "409": PROCESSES * SPENDS - legal}
    assert available(ann) == 0
    assert Redemption.objects.count() == legal
    assert_books_balance()


@pytest.fixture
def crowd():
    people = [person(f"c-{number}") for number in range(12)]
    for one in people:
        give(one, 100)
    return people


def test_place_redemption_of_the_last_ones_at_once_oversells_nothing(crowd):
    mug = make_item(points=10, stock=5)

    results = at_once([partial(redeem, one, mug) for one in crowd])

    assert sum(isinstance(result, Redemption) for result in results) == 5
    assert sum(isinstance(result, OutOfStock) for result in results) == 7
    assert CatalogueItem.objects.get().stock == 0
    assert sum(available(one) == 90 for one in crowd) == 5
    assert_books_balance()


def test_place_redemption_that_looks_before_it_takes_oversells(crowd, monkeypatch):
    """Were the stock read and then written, several would take the same last one."""
    if not ON_POSTGRESQL:
        return  # SQLite: one transaction writes at a time, and its first read is already inside

    def look_and_take(item, quantity):
        if item.stock < quantity:
            raise OutOfStock("")
        CatalogueItem.objects.filter(pk=item.pk).update(stock=item.stock - quantity)

    monkeypatch.setattr(redeeming, "_take_stock", look_and_take)
    mug = make_item(points=10, stock=5)

    results = at_once([partial(redeem, one, mug) for one in crowd])

    assert sum(isinstance(result, Redemption) for result in results) > 5


def test_place_redemption_at_once_keeps_to_one_customers_limit():
    ann = person()
    give(ann, 1000)
    mug = make_item(points=10, per_customer=3)

    results = at_once([partial(redeem, ann, mug)] * 10)

    assert sum(isinstance(result, Redemption) for result in results) == 3
    assert sum(isinstance(result, LimitReached) for result in results) == 7
    assert available(ann) == 970


def test_place_redemption_from_one_form_at_once_is_one():
    ann = person()
    give(ann, 1000)
    wish = redeeming.Wish(item=make_item(points=10), key="form-1")
    place = partial(redeeming.place_redemption, customer=ann, wish=wish, actor="t", at=day(1))

    results = at_once([place] * 8)

    assert {result.pk for result in results} == {Redemption.objects.get().pk}
    assert available(ann) == 990


def test_place_redemption_without_the_lock_is_caught_by_the_numbered_entries(monkeypatch):
    if not ON_POSTGRESQL:
        return  # SQLite has no row lock to switch off: one transaction writes at a time

    def unlocked(customers):
        accounts = Account.objects.filter(customer__in=customers)
        return {(account.customer_id or 0, account.kind): account for account in accounts}

    ann = person()
    give(ann, 100)
    pen = make_item(points=10)
    monkeypatch.setattr(Book, "_lock", staticmethod(unlocked))

    results = at_once([partial(redeem, ann, pen)] * 16)

    assert any(isinstance(result, IntegrityError) for result in results)
    assert Redemption.objects.count() == sum(isinstance(result, Redemption) for result in results)


def test_cancel_redemption_at_once_gives_back_once():
    ann = person()
    give(ann, 100)
    mug = make_item(points=60, stock=1)
    redemption = redeem(ann, mug)
    copies = [Redemption.objects.get(pk=redemption.pk) for _ in range(8)]

    results = at_once(
        [partial(cancel_redemption, redemption=copy, reason="x", actor="t", at=day(2)) for copy in copies]
    )

    assert sum(isinstance(result, Redemption) for result in results) == 1
    assert sum(isinstance(result, RedemptionStands) for result in results) == 7
    assert (available(ann), CatalogueItem.objects.get().stock) == (100, 1)
    assert_books_balance()


def test_expire_due_three_times_at_once_expires_each_lot_once(crowd):
    for one in crowd:
        give(one, 50, expires_days=10)
        give(one, 30, expires_days=20)

    results = at_once([partial(expire_due, at=day(30))] * 3)

    assert sum(results) == 24
    assert [available(one) for one in crowd] == [100] * 12
    assert Transfer.objects.filter(kind="expire").count() == 24
    assert_books_balance()


def test_expire_due_without_locks_is_caught_by_the_key_of_each_lots_end(monkeypatch):
    """Two workers that both saw the same lot: without any lock the second cannot write what the first has."""
    ann = person()
    give(ann, 50, expires_days=10)
    give(ann, 50)
    stale = list(Lot.objects.filter(expires_at__isnull=False))
    expire_due(at=day(30))
    monkeypatch.setattr(Lots, "overdue", lambda *_: stale)

    Lot.objects.filter(expires_at__isnull=False).update(remaining=50)  # as the second worker still sees it
    with pytest.raises(IntegrityError):
        expire_due(at=day(30))

    assert available(ann) == 50


def test_expire_due_beside_spending_ends_as_one_after_the_other():
    ann = person()
    give(ann, 100, expires_days=10)
    pen = make_item(points=10)

    results = at_once([partial(expire_due, at=day(11))] * 2 + [partial(redeem, ann, pen, at=day(9)) for _ in range(6)])

    spent = sum(isinstance(result, Redemption) for result in results)
    refused = sum(isinstance(result, InsufficientPoints) for result in results)
    assert (spent + refused, available(ann)) == (6, 0)
    expired = sum(Transfer.objects.filter(kind="expire").values_list("amount", flat=True))
    assert spent * 10 + expired == 100
    assert_books_balance()


def test_warn_due_at_once_tells_once():
    ann = person(email="ann@shop.example")
    give(ann, 50, expires_days=40)

    results = at_once([partial(warn_due, at=day(11))] * 3)

    assert sum(results) == 1
    assert Message.objects.filter(kind="points_expiring").count() == 1


def test_seal_due_at_once_seals_once_and_beside_writers_misses_nothing(crowd):
    writers = [partial(give, one, 5) for one in crowd]

    results = at_once([partial(seal_due, at=day(1))] * 2 + writers)
    assert [result for result in results if isinstance(result, Exception)] == []
    seal_due(at=day(2))

    sealed = Transfer.objects.latest("pk").pk
    assert_books_balance()
    from rewards.models import Seal

    assert Seal.objects.latest("pk").to_id == sealed
    assert connection.vendor == ("postgresql" if ON_POSTGRESQL else "sqlite")
