"""Two ids of one person become one while everything else goes on."""

from functools import partial

import pytest
from django.utils import timezone

from referrals.models import Customer, Event, Merge
from referrals.services.batches import record_events
from referrals.services.merging import merge_customers
from rewards.services.adjustments import adjust_points
from tests.races.test_money import settle_deliveries
from tests.races.threads import at_once
from tests.shop import Shop, assert_books_balance, day

pytestmark = pytest.mark.django_db(transaction=True)


def who(external_id):
    return Customer.objects.get(external_id=external_id)


def test_merge_customers_many_at_once_is_one_merge():
    shop = Shop()
    for name in ("ann", "anna"):
        shop.code_of(name)
        adjust_points(customer=who(name), points=50, reason="t", actor="t", at=day(0))
    call = partial(merge_customers, source=who("anna"), into=who("ann"), reason="", by="t", at=timezone.now())

    results = at_once([call] * 8)

    assert {result.pk for result in results} == {Merge.objects.get().pk}
    assert shop.points("ann") == (100, 0, 0)
    assert_books_balance()


def test_merge_customers_while_both_buy_and_earn_loses_nothing():
    shop = Shop()
    one, two = shop.code_of("ann"), shop.code_of("anna")
    facts = [
        shop.purchase(f"friend-{number}", day(number), f"o-{number}", "100.00", code=(one, two)[number % 2])
        for number in range(6)
    ]
    own = [shop.purchase("anna", day(number), f"own-{number}", "9.00") for number in range(4)]
    calls = [partial(record_events, facts=[fact], at=shop.now) for fact in [*facts, *own]]
    merge = partial(merge_customers, source=who("anna"), into=who("ann"), reason="", by="t", at=shop.now)

    results = at_once([*calls[:5], merge, *calls[5:]])
    settle_deliveries()

    assert [result for result in results if isinstance(result, Exception)] == []
    assert shop.points("ann") == (6 * 505, 0, 0)
    assert Event.objects.filter(customer=who("ann")).count() == 4
    assert not Event.objects.filter(customer=who("anna")).exists()
    assert_books_balance()
