"""What must hold when everything happens at once: one order pays once, points are spent once, no circle closes."""

from functools import partial

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from core.dispatch import deliver_due
from core.models import Delivery
from referrals.models import Customer, Event, Referral
from referrals.services.batches import record_events
from rewards.models import Account, Entry, Reward, Transfer
from rewards.services import grants
from rewards.services.adjustments import adjust_points
from rewards.services.book import Book, InsufficientPoints
from tests.races.threads import at_once
from tests.shop import Shop, assert_books_balance, day

pytestmark = pytest.mark.django_db(transaction=True)


def settle_deliveries():
    """Retry what gave way to another transaction, as the worker does."""
    Delivery.objects.filter(state="due").update(due_at=timezone.now())
    while deliver_due(at=timezone.now()):
        pass


def test_record_event_twenty_times_at_once_is_one_event():
    shop = Shop()
    fact = shop.purchase("bob", day(0), "1", "59.90", code=shop.code_of("ann"))

    results = at_once([partial(record_events, facts=[fact], at=shop.now)] * 20)

    assert [type(one[0].refusal) for one in results] == [type(None)] * 20
    assert sum(not one[0].duplicate for one in results) == 1
    assert (Event.objects.count(), Referral.objects.count()) == (1, 1)
    assert shop.points("ann") == (502, 0, 0)
    assert_books_balance()


def test_record_event_many_purchases_of_one_friend_at_once_qualify_once():
    shop = Shop()
    code = shop.code_of("ann")
    facts = [shop.purchase("bob", day(number), str(number), "100.00", code=code) for number in range(8)]

    at_once([partial(record_events, facts=[fact], at=shop.now) for fact in facts])
    settle_deliveries()

    assert Referral.objects.count() == 1
    assert shop.points("ann") == (500 + 8 * 5, 0, 0)
    assert_books_balance()


def test_record_event_two_advocates_at_once_bind_one():
    shop = Shop()
    codes = [shop.code_of(f"advocate-{number}") for number in range(6)]
    facts = [shop.signup("bob", shop.now, code=code) for code in codes]

    at_once([partial(record_events, facts=[fact], at=shop.now) for fact in facts])
    settle_deliveries()

    assert Referral.objects.filter(state__in=Referral.LIVE).count() == 1
    assert_books_balance()


def test_record_event_each_others_code_at_once_closes_no_circle():
    for number in range(4):
        shop = Shop()
        ann, bob = f"ann-{number}", f"bob-{number}"
        codes = {who: shop.code_of(who) for who in (ann, bob)}
        facts = [
            shop.signup(bob, shop.now, code=codes[ann], event_id=f"b{number}"),
            shop.signup(ann, shop.now, code=codes[bob], event_id=f"a{number}"),
        ]

        at_once([partial(record_events, facts=[fact], at=shop.now) for fact in facts])
        settle_deliveries()

        pair = Referral.objects.filter(friend__external_id__in=[ann, bob])
        assert sorted(pair.values_list("state", "reason")) == [("signed_up", ""), ("voided", "cycle")]


def test_release_due_in_two_workers_at_once_releases_once():
    shop = Shop()
    code = shop.code_of("ann")
    shop.report(*(shop.purchase(f"bob-{n}", day(0), str(n), "59.90", code=code) for n in range(10)), at=day(0))

    results = at_once([partial(grants.release_due, at=day(14))] * 4)

    assert sum(results) == 20
    assert shop.points("ann") == (5020, 0, 0)
    assert_books_balance()


def test_release_due_beside_a_refund_ends_as_either_alone():
    shop = Shop()
    code = shop.code_of("ann")
    shop.report(*(shop.purchase(f"bob-{n}", day(0), str(n), "59.90", code=code) for n in range(10)), at=day(0))
    refunds = [shop.refund(f"bob-{n}", day(1), str(n), "59.90") for n in range(5)]

    at_once(
        [partial(grants.release_due, at=day(14))] * 2
        + [partial(record_events, facts=[refund], at=shop.now) for refund in refunds]
    )
    settle_deliveries()
    grants.release_due(at=day(14))

    assert shop.points("ann") == (5 * 502, 0, 0)
    assert_books_balance()


def spend(customer, points):
    return adjust_points(customer=customer, points=-points, reason="spent", actor="test", at=day(20))


@pytest.fixture
def purse():
    Shop().code_of("ann")
    ann = Customer.objects.get(external_id="ann")
    adjust_points(customer=ann, points=100, reason="start", actor="test", at=day(0))
    return ann


def test_adjust_points_spent_at_once_never_overdraws(purse):
    results = at_once([partial(spend, purse, 10)] * 16)

    assert sum(result is None for result in results) == 10
    assert sum(isinstance(result, InsufficientPoints) for result in results) == 6
    assert Account.objects.get(customer=purse, kind="available").balance == 0
    assert_books_balance()


def test_adjust_points_without_the_lock_is_caught_by_the_numbered_entries(purse, monkeypatch):
    """Without the row lock several spends read the same balance; the second guard refuses all but one of them."""
    if connection.vendor != "postgresql":
        return  # SQLite has no row lock to switch off: one transaction writes at a time

    def unlocked(customers):
        accounts = Account.objects.filter(customer__in=customers)
        return {(account.customer_id or 0, account.kind): account for account in accounts}

    monkeypatch.setattr(Book, "_lock", staticmethod(unlocked))

    results = at_once([partial(spend, purse, 10)] * 16)

    assert any(isinstance(result, IntegrityError) for result in results)
    spent = sum(result is None for result in results)
    entries = Entry.objects.filter(account__customer=purse, account__kind="available", delta=-10)
    assert entries.count() == spent


def test_one_cause_pays_once_in_the_database_itself():
    shop = Shop()
    shop.report(shop.purchase("bob", day(0), "1", "59.90", code=shop.code_of("ann")), at=day(0))
    reward = Reward.objects.get(rule="advocate-fixed")
    reward.pk, reward.public_id = None, "rwd_again"

    with pytest.raises(IntegrityError):
        reward.save(force_insert=True)

    assert Transfer.objects.filter(kind="grant", reward__rule="advocate-fixed").count() == 1


def test_a_friend_has_one_live_referral_in_the_database_itself():
    shop = Shop()
    shop.report(shop.signup("bob", day(0), code=shop.code_of("ann")), at=day(0))
    referral = shop.referral("bob")
    referral.pk, referral.public_id = None, "ref_again"

    with pytest.raises(IntegrityError):
        referral.save(force_insert=True)

    assert Referral.objects.count() == 1
