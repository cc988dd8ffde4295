"""The rules that decide money, each told as a small story with numbers anyone can recompute."""

import pytest

from referrals.models import Customer
from referrals.services.lifecycle import void_referral
from rewards.models import Reward, Transfer
from rewards.services.adjustments import adjust_points
from tests.shop import Shop, assert_books_balance, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    shop = Shop()
    yield shop
    assert_books_balance()


def test_judge_event_whole_loop_rewards_both_sides(shop):
    code = shop.code_of("ann")

    shop.report(shop.signup("bob", day(0), code=code), at=day(0))
    shop.report(shop.purchase("bob", day(1), "1", "59.90"), at=day(1))

    assert shop.referral("bob").state == "qualified"
    assert shop.rewards("bob") == [("friend-welcome", 100, "available")]
    assert shop.rewards("ann") == [("advocate-fixed", 500, "pending"), ("advocate-share", 2, "pending")]
    assert shop.points("ann") == (0, 502, 0)
    assert shop.points("bob") == (100, 0, 0)


def test_release_due_waits_for_the_hold_to_the_instant(shop):
    code = shop.code_of("ann")
    shop.report(shop.purchase("bob", day(0), "1", "59.90", code=code), at=day(0))

    shop.pass_time(day(13.999))
    before = (shop.points("ann"), shop.referral("bob").state)
    shop.pass_time(day(14))

    assert before == ((0, 502, 0), "qualified")
    assert (shop.points("ann"), shop.referral("bob").state) == ((502, 0, 0), "approved")


def test_release_due_twice_releases_once(shop):
    code = shop.code_of("ann")
    shop.report(shop.purchase("bob", day(0), "1", "59.90", code=code), at=day(0))

    shop.pass_time(day(20))
    shop.pass_time(day(30))

    assert shop.points("ann") == (502, 0, 0)
    assert Transfer.objects.filter(kind="release", reward__rule="advocate-fixed").count() == 1


def test_points_of_floors_once_at_the_end(shop):
    code = shop.code_of("ann")

    shop.report(
        shop.purchase("bob", day(0), "1", "20.00", code=code), shop.purchase("bob", day(1), "2", "19.99"), at=day(2)
    )

    assert shop.rewards("ann") == [
        ("advocate-fixed", 500, "pending"),
        ("advocate-share", 1, "pending"),
        ("advocate-share", 0, "pending"),
    ]


def test_points_of_caps_a_percent_reward(shop):
    code = shop.code_of("ann")

    shop.report(shop.purchase("bob", day(0), "1", "9000.00", code=code), at=day(0))

    assert ("advocate-share", 200, "pending") in shop.rewards("ann")


def test_judge_event_full_refund_reverses_and_takes_back(shop):
    code = shop.code_of("ann")
    shop.report(shop.signup("bob", day(0), code=code), shop.purchase("bob", day(1), "1", "59.90"), at=day(1))

    shop.report(shop.refund("bob", day(3), "1", "59.90"), at=day(3))

    assert shop.referral("bob").state == "reversed"
    assert shop.points("ann") == (0, 0, 0)
    assert shop.points("bob") == (100, 0, 0)


def test_judge_event_partial_refund_reduces_percent_only(shop):
    code = shop.code_of("ann")
    shop.report(shop.purchase("bob", day(0), "1", "100.00", code=code), at=day(0))

    shop.report(shop.refund("bob", day(1), "1", "50.00"), at=day(1))

    assert shop.rewards("ann") == [("advocate-fixed", 500, "pending"), ("advocate-share", 2, "pending")]
    assert shop.points("ann") == (0, 502, 0)


def test_judge_event_partial_refund_recomputes_with_the_cap(shop):
    code = shop.code_of("ann")
    shop.report(shop.purchase("bob", day(0), "1", "9000.00", code=code), at=day(0))

    shop.report(shop.refund("bob", day(1), "1", "4000.00"), at=day(1))

    assert ("advocate-share", 200, "pending") in shop.rewards("ann")


def test_judge_event_refund_below_minimum_reverses(shop):
    code = shop.code_of("ann")
    shop.report(shop.purchase("bob", day(0), "1", "25.00", code=code), at=day(0))

    shop.report(shop.refund("bob", day(1), "1", "10.00"), at=day(1))

    assert shop.referral("bob").state == "reversed"
    assert shop.points("ann") == (0, 0, 0)


def test_judge_event_refund_of_first_lets_the_second_qualify(shop):
    code = shop.code_of("ann")
    shop.report(
        shop.purchase("bob", day(0), "1", "100.00", code=code), shop.purchase("bob", day(5), "2", "200.00"), at=day(5)
    )

    shop.report(shop.refund("bob", day(6), "1", "100.00"), at=day(6))

    referral = shop.referral("bob")
    assert (referral.state, referral.qualified_at) == ("qualified", day(5))
    assert shop.rewards("ann") == [("advocate-fixed", 500, "pending"), ("advocate-share", 10, "pending")]
    assert Reward.objects.get(rule="advocate-fixed").available_at == day(19)
    assert Transfer.objects.filter(reward__rule="advocate-fixed").count() == 1


def test_judge_event_later_qualifying_event_takes_released_points_back_until_ripe(shop):
    code = shop.code_of("ann")
    shop.report(shop.purchase("bob", day(0), "1", "100.00", code=code), at=day(0))
    shop.report(shop.purchase("bob", day(10), "2", "100.00"), at=day(10))
    shop.pass_time(day(15))

    shop.report(shop.refund("bob", day(16), "1", "100.00"), at=day(16))

    assert shop.referral("bob").state == "qualified"
    assert shop.points("ann") == (0, 505, 0)
    shop.pass_time(day(24))
    assert shop.points("ann") == (505, 0, 0)


def test_take_back_beyond_available_becomes_debt_paid_by_later_releases(shop):
    code = shop.code_of("ann")
    shop.report(shop.purchase("bob", day(0), "1", "100.00", code=code), at=day(0))
    shop.pass_time(day(14))
    ann = Customer.objects.get(external_id="ann")
    adjust_points(customer=ann, points=-400, reason="spent", actor="test", at=day(15))

    shop.report(shop.refund("bob", day(16), "1", "100.00"), at=day(16))
    assert shop.points("ann") == (0, 0, 400)

    shop.report(shop.purchase("cat", day(20), "2", "100.00", code=code), at=day(20))
    shop.pass_time(day(34))
    assert shop.points("ann") == (105, 0, 0)


def test_void_referral_takes_back_everything(shop):
    code = shop.code_of("ann")
    shop.report(shop.signup("bob", day(0), code=code), shop.purchase("bob", day(1), "1", "100.00"), at=day(1))

    void_referral(referral=shop.referral("bob"), reason="fraud", note="two accounts", actor="staff", at=day(2))

    assert (shop.referral("bob").state, shop.referral("bob").reason) == ("voided", "fraud")
    assert (shop.points("ann"), shop.points("bob")) == ((0, 0, 0), (0, 0, 0))
