"""Ways to have a gift twice that must not work."""

import pytest

from referrals.program_file import parse_program
from referrals.services.programs import apply_program
from rewards.models import ChoiceGroup, ChoiceOption, Coupon, Reward
from rewards.queries.budgets import granted_points
from rewards.services.choosing import choose_reward
from rewards.services.coupons import redeem_coupon
from tests.rewards.fulfilment.conftest import PROGRAM, make_pool
from tests.shop import assert_books_balance, day

pytestmark = pytest.mark.django_db


def test_coupon_that_was_used_is_not_given_again_for_the_same_referral(gift_shop):
    make_pool(codes=["A-1", "A-2"])
    shop = gift_shop("coupon: THANKS10")
    shop.earn()
    shop.release()
    redeem_coupon(code="A-1", order_id="ann-1", at=day(15))
    shop.refund_all(at=16)

    shop.report(shop.purchase("bob", day(17), "2", "59.90"), at=day(17))
    shop.release(at=31)

    standing = Reward.objects.get(rule="gift", state__in=Reward.STANDING)
    assert (standing.state, standing.detail["coupon"]) == ("fulfilled", "A-1")
    assert list(Coupon.objects.order_by("pk").values_list("code", "state")) == [("A-1", "used"), ("A-2", "free")]


CHOICE = PROGRAM + "limits: {budget_points: 700}\n"


@pytest.fixture
def points_to_choose(db):
    group = ChoiceGroup.objects.create(name="thanks", title="Choose")
    ChoiceOption.objects.create(group=group, name="A badge", kind="badge", what="friend", place=2)
    return ChoiceOption.objects.create(group=group, name="500 points", kind="points", points=500, place=1)


def test_choose_reward_points_count_against_the_budget(points_to_choose, gift_shop):
    shop = gift_shop("choice: thanks", CHOICE)
    reward = shop.earn()
    shop.release()

    choose_reward(reward=reward, option=points_to_choose, at=day(15))

    assert granted_points(shop.program) == 500
    shop.refund_all(at=16)
    assert granted_points(shop.program) == 0
    assert_books_balance()


def test_choose_reward_points_beyond_the_budget_are_refused_and_something_else_can_be_chosen(
    points_to_choose, gift_shop
):
    from rewards.services.choosing import BudgetExhausted

    shop = gift_shop("choice: thanks", CHOICE)
    first, second = shop.earn(), shop.earn("carl", "2")
    shop.release()
    choose_reward(reward=first, option=points_to_choose, at=day(15))

    with pytest.raises(BudgetExhausted):
        choose_reward(reward=second, option=points_to_choose, at=day(15))

    second.refresh_from_db()
    assert (second.state, shop.points("ann")) == ("available", (500, 0, 0))
    other = ChoiceOption.objects.get(kind="badge")
    assert choose_reward(reward=second, option=other, at=day(15)).state == "fulfilled"


def test_rebound_referral_is_given_what_the_offer_of_its_earlier_touch_promises(gift_shop):
    make_pool("OLD", codes=["OLD-1"])
    make_pool("NEW", codes=["NEW-1"])
    shop = gift_shop("coupon: OLD")
    new = PROGRAM.replace("GIFT", "coupon: NEW")
    apply_program(document=parse_program(new), at=day(5))
    shop.report(shop.signup("bob", day(6), code=shop.code), at=day(6))
    shop.report(shop.purchase("bob", day(7), "1", "59.90"), at=day(7))

    shop.report(shop.fact("custom", "bob", day(4), name="visit", code=shop.code), at=day(8))
    shop.release(at=30)

    reward = Reward.objects.get(rule="gift", state__in=Reward.STANDING)
    assert (reward.detail["coupon"], reward.offer.number) == ("OLD-1", 1)


def test_rebound_referral_of_an_offer_without_assists_takes_them_back(gift_shop):
    shop = gift_shop("points: 100")
    new = PROGRAM.replace("GIFT", "points: 100") + "  - {id: thanks, to: advocate, on: assist, points: 20}\n"
    apply_program(document=parse_program(new), at=day(5))
    other = shop.code_of("zoe")
    shop.report(shop.signup("bob", day(6), code=shop.code), at=day(6))
    shop.report(shop.purchase("bob", day(7), "1", "59.90", code=other), at=day(7))
    assert shop.points("zoe") == (0, 20, 0)

    shop.report(shop.fact("custom", "bob", day(4), name="visit", code=shop.code), at=day(8))

    assert shop.points("zoe") == (0, 0, 0)
    assert_books_balance()
