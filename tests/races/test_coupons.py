"""The last coupon, claimed and used by many at once."""

from functools import partial

import pytest

from referrals.models import Claim, Click, Link
from referrals.services.claims import Claimant
from rewards.fulfilment import coupon as coupon_kind
from rewards.models import Coupon, Fulfilment, PayoutBatch, Reward
from rewards.services.claiming import OutOfStock, claim_gift
from rewards.services.coupons import CouponUsed, redeem_coupon
from rewards.services.fulfilling import fulfil_due
from rewards.services.payouts import BatchInWrongState, approve_payout, create_payout
from rewards.services.pools import add_codes
from tests.factories import UserFactory
from tests.races.threads import at_once
from tests.rewards.fulfilment.conftest import GiftShop, make_pool
from tests.rewards.fulfilment.test_claims import TEXT
from tests.shop import Shop, day

pytestmark = pytest.mark.django_db(transaction=True)


def waiting_rewards(count: int) -> None:
    """Have so many rewards wait for a coupon, all due."""
    shop = GiftShop("coupon: THANKS10")
    facts = [shop.purchase(f"bob-{n}", day(0), str(n), "59.90", code=shop.code) for n in range(count)]
    shop.report(*facts, at=day(0))
    shop.release()
    assert Reward.objects.filter(state="waiting_stock").count() == count


def test_fulfil_due_in_many_workers_gives_each_code_once():
    pool = make_pool()
    waiting_rewards(12)
    add_codes(pool=pool, codes=[f"CODE-{n}" for n in range(5)], at=day(15))

    at_once([partial(fulfil_due, at=day(15))] * 6)

    given = Reward.objects.filter(state="fulfilled")
    codes = [reward.detail["coupon"] for reward in given]
    assert (len(codes), len(set(codes))) == (5, 5)
    assert Reward.objects.filter(state="waiting_stock").count() == 7
    assert Coupon.objects.filter(state="given").count() == 5
    assert Fulfilment.objects.filter(state="done").count() == 5


def claimants(count: int) -> list[Claimant]:
    shop = Shop(TEXT)
    code = shop.code_of("ann")
    link = Link.objects.select_related("program", "customer").get(code=code)
    clicks = [
        Click.objects.create(link=link, program=link.program, at=day(0), visitor=f"{n:022}", verdict="person")
        for n in range(count)
    ]
    return [Claimant(link=link, click=click) for click in clicks]


def test_claim_gift_the_last_coupon_goes_to_one():
    make_pool("WELCOME10", codes=["LAST-1"])

    results = at_once([partial(claim_gift, claimant=one, at=day(0)) for one in claimants(8)])

    assert sum(isinstance(result, Claim) for result in results) == 1
    assert sum(isinstance(result, OutOfStock) for result in results) == 7
    assert Claim.objects.count() == 1


def test_claim_gift_by_many_at_once_gives_as_many_as_there_are():
    make_pool("WELCOME10", codes=[f"CODE-{n}" for n in range(8)])

    results = at_once([partial(claim_gift, claimant=one, at=day(0)) for one in claimants(8)])

    assert len({result.coupon for result in results}) == 8


@pytest.mark.parametrize("stock", [1, 10])
def test_claim_gift_by_one_visitor_many_times_at_once_takes_one_coupon(stock):
    make_pool("WELCOME10", codes=[f"CODE-{n}" for n in range(stock)])
    [visitor] = claimants(1)

    results = at_once([partial(claim_gift, claimant=visitor, at=day(0))] * 8)

    assert {result.coupon for result in results} == {Claim.objects.get().coupon}
    assert Coupon.objects.filter(state="given").count() == 1


def test_claim_gift_without_the_conditional_update_gives_one_code_to_many(monkeypatch):
    """Without asking whether the code is still free, two visitors would hold the same; the unique key refuses it."""
    make_pool("WELCOME10", codes=["LAST-1"])
    monkeypatch.setattr(coupon_kind, "free_coupons", lambda pool: list(pool.coupons.values_list("pk", flat=True)))

    def careless(pk, **_given):
        return Coupon.objects.filter(pk=pk).update(state="given") == 1

    monkeypatch.setattr(coupon_kind, "give", careless)

    results = at_once([partial(claim_gift, claimant=one, at=day(0)) for one in claimants(4)])

    assert sum(isinstance(result, OutOfStock) for result in results) == 0
    assert Claim.objects.count() == 1


def test_redeem_coupon_many_orders_at_once_uses_it_once():
    pool = make_pool(codes=["AAA-1"])
    Coupon.objects.filter(pool=pool).update(state="given", given_at=day(0))

    results = at_once([partial(redeem_coupon, code="AAA-1", order_id=str(n), at=day(1)) for n in range(10)])

    assert sum(isinstance(result, Coupon) for result in results) == 1
    assert sum(isinstance(result, CouponUsed) for result in results) == 9


def test_approve_payout_by_many_at_once_is_approved_once():
    shop = GiftShop('cash: "10.00"')
    shop.earn()
    shop.release()
    batch = create_payout(currency="EUR", minimum_minor=0, by=UserFactory(), at=day(15))
    people = [UserFactory() for _ in range(6)]

    results = at_once([partial(approve_payout, batch=PayoutBatch.objects.get(), by=one, at=day(15)) for one in people])

    assert sum(isinstance(result, PayoutBatch) for result in results) == 1
    assert sum(isinstance(result, BatchInWrongState) for result in results) == 5
    batch.refresh_from_db()
    assert batch.state == "approved"


def test_create_payout_at_once_puts_a_reward_in_one_batch():
    shop = GiftShop('cash: "10.00"')
    shop.earn()
    shop.release()
    people = [UserFactory() for _ in range(4)]

    at_once([partial(create_payout, currency="EUR", minimum_minor=0, by=one, at=day(15)) for one in people])

    assert PayoutBatch.objects.count() == 1
