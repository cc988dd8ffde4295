"""Coupons: one code a reward, stock that runs out and comes back, use once, taken back."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core.clocks import clock_at
from messaging.models import Message
from rewards.fulfilment import coupon as coupon_kind
from rewards.models import Coupon, Fulfilment, RewardStep
from rewards.services.coupons import (
    CouponBlocked,
    CouponExpired,
    CouponNotGiven,
    CouponUsed,
    UnknownCoupon,
    coupon_problem,
    find_coupon,
    redeem_coupon,
    release_coupon,
)
from rewards.services.pools import PoolMakesItsCodes, add_codes, watch_stock
from tests.factories import UserFactory
from tests.rewards.fulfilment.conftest import make_pool, states, work
from tests.shop import assert_books_balance, day

pytestmark = pytest.mark.django_db


def test_fulfil_coupon_gives_one_code_when_the_hold_has_passed(gift_shop):
    make_pool(codes=["AAA-1", "BBB-2"], valid_days=30)
    shop = gift_shop("coupon: THANKS10")
    reward = shop.earn()

    before = states(reward)
    shop.release()

    assert before == ("pending", "")
    assert states(reward) == ("fulfilled", "done")
    assert reward.detail == {
        "what": "THANKS10",
        "title": "10 % off",
        "coupon": "AAA-1",
        "expires_at": day(44).isoformat(),
    }
    assert list(Coupon.objects.order_by("pk").values_list("code", "state", "reward")) == [
        ("AAA-1", "given", reward.pk),
        ("BBB-2", "free", None),
    ]
    assert [step.what for step in reward.steps.order_by("pk")] == ["granted", "released", "fulfilled"]
    mail = Message.objects.get(kind="gift_ready")
    assert (mail.context["gift"], mail.context["code"]) == ("10 % off", "AAA-1")
    assert_books_balance()


def test_fulfil_coupon_again_changes_nothing(gift_shop):
    make_pool(codes=["AAA-1", "BBB-2"])
    shop = gift_shop("coupon: THANKS10")
    reward = shop.earn()
    shop.release()
    Fulfilment.objects.update(state="due", attempts=0)  # as if the worker had died before it noted that it was done

    given = work(15)["given"]

    assert given == 1
    assert states(reward) == ("fulfilled", "stopped")
    assert Coupon.objects.filter(state="given").count() == 1


def test_fulfil_coupon_without_stock_waits_and_is_given_when_codes_arrive(gift_shop):
    pool = make_pool()
    shop = gift_shop("coupon: THANKS10")
    first, second = shop.earn("bob", "1"), shop.earn("cleo", "2")
    shop.release()

    waiting = (states(first), states(second))
    add_codes(pool=pool, codes=["AAA-1"], at=day(15))
    given = work(15)["given"]

    assert waiting == (("waiting_stock", "due"), ("waiting_stock", "due"))
    assert given == 1
    assert sorted([states(first), states(second)]) == [("fulfilled", "done"), ("waiting_stock", "due")]
    waits = next(reward for reward in (first, second) if reward.state == "waiting_stock")
    assert [step.what for step in RewardStep.objects.filter(reward=waits).order_by("pk")] == [
        "granted",
        "released",
        "waiting_stock",
    ]


def test_fulfil_coupon_of_a_pool_that_does_not_exist_waits_for_it(gift_shop):
    shop = gift_shop("coupon: THANKS10")
    reward = shop.earn()
    shop.release()
    waiting = states(reward)
    error = reward.fulfilment.last_error

    make_pool(codes=["AAA-1"])
    work(15)

    assert (waiting, error) == (("waiting_stock", "due"), "there is no coupon pool 'THANKS10' yet")
    assert states(reward) == ("fulfilled", "done")


def test_fulfil_coupon_of_a_pattern_makes_codes_that_can_be_checked(gift_shop):
    make_pool(source="pattern", pattern="TY-########")
    shop = gift_shop("coupon: THANKS10")
    reward = shop.earn()

    shop.release()

    reward.refresh_from_db()
    assert reward.detail["coupon"].startswith("TY-")
    assert len(reward.detail["coupon"]) == 11
    assert find_coupon(reward.detail["coupon"].lower().replace("-", " ")).reward == reward


def test_fulfil_coupon_sabotaged_gives_one_code_twice(gift_shop, monkeypatch):
    """Were a code given without asking whether it is still free, two rewards would share it."""
    make_pool(codes=["AAA-1"])
    shop = gift_shop("coupon: THANKS10")
    first, second = shop.earn("bob", "1"), shop.earn("cleo", "2")
    monkeypatch.setattr(coupon_kind, "free_coupons", lambda pool: list(pool.coupons.values_list("pk", flat=True)))

    def careless(pk, *, at, expires_at, cause):
        Coupon.objects.filter(pk=pk).update(state="given", reward=cause, given_at=at)
        return True

    monkeypatch.setattr(coupon_kind, "give", careless)
    shop.release()

    states(first), states(second)
    assert [first.detail.get("coupon"), second.detail.get("coupon")] == ["AAA-1", "AAA-1"]


def test_take_back_coupon_blocks_an_unused_one(gift_shop):
    make_pool(codes=["AAA-1"])
    shop = gift_shop("coupon: THANKS10")
    reward = shop.earn()
    shop.release()

    shop.refund_all(at=20)

    assert states(reward) == ("revoked", "stopped")
    assert Coupon.objects.get().state == "blocked"
    with pytest.raises(CouponBlocked):
        redeem_coupon(code="AAA-1", order_id="9", at=day(21))
    assert Coupon.objects.get().state == "blocked"


def test_take_back_coupon_notes_one_that_was_used(gift_shop):
    make_pool(codes=["AAA-1"])
    shop = gift_shop("coupon: THANKS10")
    reward = shop.earn()
    shop.release()
    redeem_coupon(code="AAA-1", order_id="9", at=day(15))

    shop.refund_all(at=20)

    assert states(reward) == ("revoked", "stopped")
    assert Coupon.objects.get().state == "used"
    assert reward.steps.order_by("pk").last().why == "the coupon was used already and stands"


def test_take_back_waiting_coupon_is_not_given_later(gift_shop):
    pool = make_pool()
    shop = gift_shop("coupon: THANKS10")
    reward = shop.earn()
    shop.release()

    shop.refund_all(at=20)
    add_codes(pool=pool, codes=["AAA-1"], at=day(21))
    work(21)

    assert states(reward) == ("revoked", "stopped")
    assert Coupon.objects.get().state == "free"


def given(code="AAA-1", **fields):
    pool = make_pool(codes=[code, "FREE-1"], **fields)
    coupon_kind.take_coupon(pool, at=day(0))


def test_redeem_coupon_works_once_in_any_spelling():
    given()

    first = redeem_coupon(code=" aaa1 ", order_id="9", at=day(1))
    again = redeem_coupon(code="AAA-1", order_id="9", at=day(2))

    assert (first.state, first.order_id, first.used_at) == ("used", "9", day(1))
    assert (again.order_id, again.used_at) == ("9", day(1))
    with pytest.raises(CouponUsed):
        redeem_coupon(code="AAA-1", order_id="10", at=day(2))
    assert Coupon.objects.get(code="AAA-1").order_id == "9"


def test_redeem_coupon_that_expired_was_not_given_or_is_unknown_is_refused():
    given(valid_days=2)

    with pytest.raises(CouponExpired):
        redeem_coupon(code="AAA-1", order_id="9", at=day(2))
    with pytest.raises(CouponNotGiven):
        redeem_coupon(code="FREE-1", order_id="9", at=day(1))
    with pytest.raises(UnknownCoupon):
        redeem_coupon(code="NOBODY", order_id="9", at=day(1))
    assert set(Coupon.objects.values_list("state", "order_id")) == {("given", ""), ("free", "")}
    assert coupon_problem(find_coupon("AAA-1"), at=day(2) - timedelta(microseconds=1)) == ""


def test_release_coupon_undoes_its_use_for_that_order_alone():
    given()
    redeem_coupon(code="AAA-1", order_id="9", at=day(1))

    with pytest.raises(CouponUsed):
        release_coupon(code="AAA-1", order_id="10")
    kept = Coupon.objects.get(code="AAA-1").state
    released = release_coupon(code="AAA-1", order_id="9")
    again = release_coupon(code="AAA-1", order_id="9")

    assert kept == "used"
    assert (released.state, released.order_id, released.used_at) == ("given", "", None)
    assert again.state == "given"


def test_release_coupon_whose_reward_was_taken_back_blocks_it(gift_shop):
    make_pool(codes=["AAA-1"])
    shop = gift_shop("coupon: THANKS10")
    shop.earn()
    shop.release()
    redeem_coupon(code="AAA-1", order_id="9", at=day(15))
    shop.refund_all(at=20)

    released = release_coupon(code="AAA-1")

    assert released.state == "blocked"


def test_record_event_with_a_coupon_marks_it_used_and_warns_no_more(gift_shop):
    make_pool(codes=["AAA-1"])
    shop = gift_shop("coupon: THANKS10")
    shop.earn()
    shop.release()

    [known] = shop.report(shop.purchase("ann", day(20), "9", "30.00", referral={"coupon": "aaa-1"}), at=day(20))
    [strange] = shop.report(shop.purchase("ann", day(21), "10", "30.00", referral={"coupon": "XYZ"}), at=day(21))

    assert (known.event.warnings, strange.event.warnings) == ([], ["unknown_coupon"])
    assert Coupon.objects.values_list("state", "order_id").get() == ("used", "9")


def test_add_codes_reports_what_some_pool_has_already():
    make_pool("OTHER", codes=["AAA-1"])
    pool = make_pool(codes=["BBB-2"])

    added = add_codes(pool=pool, codes=["aaa1", "BBB-2", "CCC-3"], at=day(1))

    assert (added.count, added.known) == (1, ("aaa1", "BBB-2"))
    assert list(Coupon.objects.order_by("pk").values_list("code", flat=True)) == ["AAA-1", "BBB-2", "CCC-3"]


def test_add_codes_to_a_pattern_is_refused():
    pool = make_pool(source="pattern", pattern="TY-######")

    with pytest.raises(PoolMakesItsCodes):
        add_codes(pool=pool, codes=["AAA-1"], at=day(1))
    assert not Coupon.objects.exists()


def test_watch_stock_warns_once_until_new_codes_arrive():
    UserFactory(email="boss@shop.example", is_staff=True, is_superuser=True)
    UserFactory(email="bare@shop.example", is_staff=True)
    pool = make_pool(codes=[f"CODE-{n}" for n in range(30)], alert_days=21)
    for _ in range(20):
        coupon_kind.take_coupon(pool, at=day(9))

    told = []
    for number in (10, 11, 12):
        with clock_at(day(number)):
            told.append(watch_stock(at=day(number)))
    add_codes(pool=pool, codes=[f"MORE-{n}" for n in range(90)], at=day(12))
    after = watch_stock(at=day(12))

    assert (told, after) == ([1, 0, 0], 0)
    mail = Message.objects.get(kind="stock_low")
    assert mail.email == "boss@shop.example"
    # 20 codes in the ten days since the first: 2 a day, 10 left last 5 days.
    assert (mail.context["free"], mail.context["days_left"], mail.context["waiting"]) == (10, 5, 0)
    pool.refresh_from_db()
    assert pool.alerted_at is None


def test_watch_stock_sabotaged_warns_every_hour(monkeypatch):
    """Were the mark of the last warning not asked for, staff would get a mail at every look."""
    pool = make_pool(codes=["A-1"])
    coupon_kind.take_coupon(pool, at=day(0))

    def forgetful(at):
        type(pool).objects.update(alerted_at=None)
        return watch_stock(at=at)

    assert [forgetful(day(number)) for number in (1, 2, 3)] == [1, 1, 1]


def test_forecast_of_a_young_stock_measures_since_it_began():
    from rewards.coupon_codes import forecast_stock

    forecast = forecast_stock(free=10, used=3, age=timedelta(days=2))

    assert (forecast.per_day, forecast.days_left) == (Decimal("1.5"), 6)
