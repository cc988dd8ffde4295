"""What staff decided on one reward survives what happens to its referral afterwards."""

import pytest

from core.clocks import clock_at
from referrals.services.lifecycle import reopen_referral, void_referral
from referrals.services.review import approve_referral, hold_referral
from rewards.models import Reward
from rewards.services import grants, planning
from rewards.services.reviewing import approve_reward, cancel_reward, hold_reward
from tests.rewards.programs import FIXED, FRIEND
from tests.rewards.test_reviewing import decide
from tests.rewards.test_tiers_and_limits import bring, open_shop  # noqa: F401
from tests.shop import day

pytestmark = pytest.mark.django_db


def review(shop, service, at, **more):
    """Have staff decide on the referral of Bob."""
    with clock_at(at):
        service(referral=shop.referral("bob"), note="seen", actor="staff", at=at, **more)


def test_hold_reward_outlasts_an_earlier_purchase_that_is_worth_more(open_shop):  # noqa: F811
    shop = open_shop("{id: part, to: advocate, on: qualified, percent: 10}")
    bring(shop, "bob", day(1))
    decide(hold_reward, "part", day(1))

    shop.report(shop.purchase("bob", day(0), "earlier", "500.00", code=shop.code), at=day(2))
    shop.pass_time(day(30))

    assert shop.points("ann") == (0, 50, 0)
    assert Reward.objects.get(rule="part", state="pending").held


def test_hold_reward_outlasts_a_void_and_its_reopening(open_shop):  # noqa: F811
    shop = open_shop(FIXED)
    bring(shop, "bob", day(0))
    decide(hold_reward, "fixed", day(1))

    review(shop, void_referral, day(2), reason="manual")
    review(shop, reopen_referral, day(20))

    assert shop.points("ann") == (0, 100, 0)


def test_hold_reward_that_is_not_carried_over_would_not_outlast_a_void(open_shop, monkeypatch):  # noqa: F811
    monkeypatch.setattr(planning, "_held", lambda rewards: set())
    shop = open_shop(FIXED)
    bring(shop, "bob", day(0))
    decide(hold_reward, "fixed", day(1))

    review(shop, void_referral, day(2), reason="manual")
    review(shop, reopen_referral, day(20))

    assert shop.points("ann") == (100, 0, 0)


def test_approve_reward_of_a_held_one_does_not_answer_a_later_review(open_shop):  # noqa: F811
    shop = open_shop(FIXED)
    bring(shop, "bob", day(0))
    decide(hold_reward, "fixed", day(1))
    decide(approve_reward, "fixed", day(2))

    review(shop, hold_referral, day(3))
    shop.pass_time(day(20))

    assert shop.points("ann") == (0, 100, 0)


def test_approve_reward_counts_for_one_review_alone(open_shop):  # noqa: F811
    shop = open_shop(FIXED, FRIEND)
    bring(shop, "bob", day(0))
    review(shop, hold_referral, day(1))
    decide(approve_reward, "fixed", day(2))
    review(shop, approve_referral, day(3))

    review(shop, hold_referral, day(4))
    shop.pass_time(day(20))

    assert (shop.points("ann"), shop.points("bob")) == ((0, 100, 0), (0, 10, 0))


def test_approve_reward_whose_clearance_never_ends_would_answer_every_later_review(open_shop, monkeypatch):  # noqa: F811
    monkeypatch.setattr(grants, "_end_clearance", lambda referral, own: None)
    shop = open_shop(FIXED, FRIEND)
    bring(shop, "bob", day(0))
    review(shop, hold_referral, day(1))
    decide(approve_reward, "fixed", day(2))
    review(shop, approve_referral, day(3))

    review(shop, hold_referral, day(4))
    shop.pass_time(day(20))

    assert (shop.points("ann"), shop.points("bob")) == ((100, 0, 0), (0, 10, 0))


def test_cancelled_reward_takes_nothing_of_the_budget_when_its_referral_is_decided_again(open_shop):  # noqa: F811
    small, large = (
        "{id: small, to: advocate, on: qualified, points: 50}",
        "{id: large, to: friend, on: qualified, points: 90}",
    )
    shop = open_shop(small, large, more="limits: {budget_points: 150}\n")
    bring(shop, "bob", day(1))
    decide(cancel_reward, "small", day(1))
    bring(shop, "carl", day(2))
    assert (shop.points("bob"), shop.points("ann"), shop.rewards("carl")) == (
        (0, 90, 0),
        (0, 50, 0),
        [("large", 0, "refused")],
    )

    shop.report(shop.purchase("bob", day(0), "earlier", "100.00", code=shop.code), at=day(3))

    assert (shop.points("bob"), shop.points("ann")) == ((0, 90, 0), (0, 50, 0))
