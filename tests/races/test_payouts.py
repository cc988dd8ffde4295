"""Two of the staff collect the same cash rewards at the same moment: one batch, and the other is told."""

from functools import partial

import pytest

from rewards.models import PayoutBatch, PayoutItem
from rewards.services import payouts
from rewards.services.payouts import NothingToPay, create_payout
from tests.factories import UserFactory
from tests.races.threads import at_once
from tests.shop import PROGRAM, Shop, day

pytestmark = pytest.mark.django_db(transaction=True)

CASH = PROGRAM.replace("points: 500", 'cash: "10.00"')


@pytest.fixture
def collect():
    shop = Shop(CASH)
    for number, who in enumerate(("bob", "cleo"), start=1):
        shop.report(shop.purchase(who, day(0), str(number), "59.90", code=shop.code_of("ann")), at=day(0))
    shop.pass_time(day(15))
    people = [UserFactory(email=f"staff-{number}@shop.example") for number in range(8)]
    return lambda: at_once(
        [partial(create_payout, currency="EUR", minimum_minor=0, by=one, at=day(15)) for one in people]
    )


def test_create_payout_at_once_makes_one_batch_and_tells_the_others(collect):
    results = collect()

    assert sorted(type(result).__name__ for result in results) == ["NothingToPay"] * 7 + ["PayoutBatch"]
    assert (PayoutBatch.objects.count(), PayoutItem.objects.count()) == (1, 2)


@pytest.mark.services
def test_create_payout_that_does_not_look_again_fails_the_others(collect, monkeypatch):
    monkeypatch.setattr(payouts, "_not_taken", lambda locked: locked)

    results = collect()

    assert PayoutBatch.objects.count() == 1
    assert not all(isinstance(result, (PayoutBatch, NothingToPay)) for result in results)
