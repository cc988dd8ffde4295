"""Coupons and choices over the API."""

import pytest

from rewards.models import ChoiceGroup, ChoiceOption, Coupon
from tests.rewards.fulfilment.conftest import GiftShop, make_pool
from tests.rewards.goods import give, make_item, person, redeem
from tests.shop import day

pytestmark = pytest.mark.django_db


@pytest.fixture
def given(api):
    """Ann has the coupon AAA-1."""
    make_pool(codes=["AAA-1", "BBB-2"])
    shop = GiftShop("coupon: THANKS10")
    reward = shop.earn()
    shop.release()
    return reward


def test_validate_coupon_says_what_it_is_good_for_and_uses_nothing(api, given):
    answer = api.post("coupons/aaa 1/validate", {})

    assert answer.status_code == 200
    assert answer.json() == {
        "code": "AAA-1",
        "valid": True,
        "reason": None,
        "pool": "THANKS10",
        "gives": "10 % off",
        "program": "refer-a-friend",
        "reward": given.public_id,
        "redemption": None,
        "customer": "ann",
        "order_id": None,
        "expires_at": None,
    }
    assert Coupon.objects.get(code="AAA-1").state == "given"


def test_redeem_coupon_is_idempotent_per_order(api, given):
    first = api.post("coupons/AAA-1/redeem", {"order_id": "9"})
    again = api.post("coupons/AAA-1/redeem", {"order_id": "9"})
    other = api.post("coupons/AAA-1/redeem", {"order_id": "10"})
    free = api.post("coupons/BBB-2/redeem", {"order_id": "10"})
    nobody = api.post("coupons/NOBODY/redeem", {"order_id": "10"})

    assert [one.status_code for one in (first, again, other, free, nobody)] == [200, 200, 409, 409, 404]
    assert first.json() == again.json()
    assert (first.json()["valid"], first.json()["reason"], first.json()["order_id"]) == (False, "used", "9")
    assert [one.json()["code"] for one in (other, free)] == ["coupon_used", "coupon_not_given"]
    assert Coupon.objects.get(code="BBB-2").state == "free"


def test_release_coupon_makes_it_good_again(api, given):
    api.post("coupons/AAA-1/redeem", {"order_id": "9"})

    wrong = api.post("coupons/AAA-1/release", {"order_id": "10"})
    right = api.post("coupons/AAA-1/release", {"order_id": "9"})

    assert (wrong.status_code, wrong.json()["code"]) == (409, "coupon_used")
    assert (right.status_code, right.json()["valid"]) == (200, True)


def test_get_rewards_shows_the_coupon_to_who_may_read(api, given):
    [reward] = api.get("rewards?to=ann").json()["results"]

    assert (reward["kind"], reward["coupon"], reward["state"]) == ("coupon", "AAA-1", "fulfilled")


@pytest.fixture
def choice(api):
    group = ChoiceGroup.objects.create(name="thank-you", title="Choose")
    ChoiceOption.objects.create(group=group, name="300 points", kind="points", points=300)
    ChoiceOption.objects.create(group=group, name="Gone", kind="perk", what="gone", offered=False)
    shop = GiftShop("choice: thank-you")
    reward = shop.earn()
    shop.release()
    return shop, reward


def test_choose_reward_by_api_once(api, choice):
    shop, reward = choice

    options = api.get(f"rewards/{reward.public_id}/options")
    wrong = api.post(f"rewards/{reward.public_id}/choose", {"option": "A car"})
    hidden = api.post(f"rewards/{reward.public_id}/choose", {"option": "Gone"})
    kept = shop.points("ann")
    chosen = api.post(f"rewards/{reward.public_id}/choose", {"option": "300 points"})
    again = api.post(f"rewards/{reward.public_id}/choose", {"option": "300 points"})

    assert [option["name"] for option in options.json()] == ["300 points"]
    assert [(one.status_code, one.json()["errors"][0]["pointer"]) for one in (wrong, hidden)] == [(422, "/option")] * 2
    assert kept == (0, 0, 0)
    assert (chosen.status_code, chosen.json()["state"], chosen.json()["detail"]["chosen"]) == (
        200,
        "fulfilled",
        "300 points",
    )
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_choose")
    assert shop.points("ann") == (300, 0, 0)


def test_choose_reward_that_is_no_choice_is_refused(api, given):
    answer = api.post(f"rewards/{given.public_id}/choose", {"option": "300 points"})

    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_choose")
    assert api.get(f"rewards/{given.public_id}/options").json() == []
    given.refresh_from_db()
    assert given.state == "fulfilled"


def test_post_events_answers_with_a_coupon_that_is_due_at_once(api):
    make_pool(codes=["AAA-1"])
    shop = GiftShop("coupon: THANKS10")
    fact = shop.purchase("bob", day(-20), "1", "59.90", code=shop.code)

    answer = api.post("events", fact)

    assert answer.status_code == 201
    assert [(one["kind"], one["coupon"], one["state"]) for one in answer.json()["rewards"]] == [
        ("coupon", "AAA-1", "fulfilled")
    ]


def test_validate_coupon_bought_for_points_names_its_redemption_and_owner(api):
    make_pool(codes=["AAA-1"])
    ann = person()
    give(ann, 100)
    redemption = redeem(ann, make_item(kind="coupon", what="THANKS10"))

    answer = api.post("coupons/aaa1/validate", {}).json()

    assert (answer["valid"], answer["redemption"], answer["reward"], answer["customer"]) == (
        True,
        redemption.public_id,
        None,
        "ann",
    )
