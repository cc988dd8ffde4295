"""What staff decide on one reward, each side apart."""

import pytest

from rewards.models import Reward
from rewards.services import grants
from rewards.services.reviewing import (
    RewardInWrongState,
    approve_reward,
    cancel_reward,
    hold_reward,
    reopen_reward,
    revoke_reward,
)
from tests.rewards.programs import FIXED, FRIEND
from tests.rewards.test_tiers_and_limits import bring, open_shop, points_for  # noqa: F401
from tests.shop import day

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(open_shop):  # noqa: F811
    shop = open_shop(FIXED, FRIEND)
    bring(shop, "a", day(0))
    return shop


def decide(service, rule, at):
    return service(reward=Reward.objects.filter(rule=rule).latest("pk"), note="seen", actor="staff", at=at)


def test_hold_reward_keeps_one_side_and_lets_the_other_go(shop):
    decide(hold_reward, "fixed", day(1))

    shop.pass_time(day(20))

    assert (shop.points("ann"), shop.points("a")) == ((0, 100, 0), (10, 0, 0))


def test_hold_reward_that_release_ignored_would_pay(shop, monkeypatch):
    decide(hold_reward, "fixed", day(1))
    monkeypatch.setattr(grants, "ripe_rewards", lambda at: Reward.objects.filter(state="pending", available_at__lte=at))

    shop.pass_time(day(20))

    assert shop.points("ann") == (100, 0, 0)


def test_approve_reward_releases_a_held_one_at_once_when_its_hold_has_passed(shop):
    decide(hold_reward, "fixed", day(1))
    shop.pass_time(day(20))

    decide(approve_reward, "fixed", day(21))

    assert shop.points("ann") == (100, 0, 0)
    steps = Reward.objects.get(rule="fixed").steps.order_by("pk").values_list("what", "actor", "why")
    assert list(steps)[-2:] == [("approved", "staff", "seen"), ("released", "staff", "its hold has passed")]


def test_approve_reward_never_shortens_the_hold(shop):
    decide(hold_reward, "fixed", day(1))

    decide(approve_reward, "fixed", day(2))

    assert shop.points("ann") == (0, 100, 0)
    shop.pass_time(day(14))
    assert shop.points("ann") == (100, 0, 0)


def test_approve_reward_that_nothing_holds_is_refused(shop):
    with pytest.raises(RewardInWrongState, match="is pending"):
        decide(approve_reward, "fixed", day(1))

    assert points_for("fixed", "a") == (100, "pending", "")


def test_cancel_reward_takes_it_back_for_good(shop):
    decide(cancel_reward, "fixed", day(1))

    shop.report(shop.purchase("a", day(2), "2", "50.00"), at=day(2))
    shop.pass_time(day(20))

    assert points_for("fixed", "a") == (0, "cancelled", "by_staff")
    assert shop.points("ann") == (0, 0, 0)
    with pytest.raises(RewardInWrongState, match="is cancelled"):
        decide(cancel_reward, "fixed", day(21))


def test_cancel_reward_stays_when_another_event_qualifies(shop):
    decide(cancel_reward, "fixed", day(1))
    shop.report(shop.purchase("a", day(2), "2", "50.00"), at=day(2))

    shop.report(shop.refund("a", day(3), "a", "100.00"), at=day(3))

    assert shop.points("ann") == (0, 0, 0)


def test_revoke_reward_is_for_after_and_cancel_for_before(shop):
    with pytest.raises(RewardInWrongState, match="is pending; it cannot be revoked"):
        decide(revoke_reward, "fixed", day(1))
    shop.pass_time(day(14))
    with pytest.raises(RewardInWrongState, match="is available; it cannot be cancelled"):
        decide(cancel_reward, "fixed", day(15))

    decide(revoke_reward, "fixed", day(15))

    assert (shop.points("ann"), points_for("fixed", "a")) == ((0, 0, 0), (0, "revoked", "by_staff"))


def test_reopen_reward_grants_what_staff_took_back(shop):
    decide(cancel_reward, "fixed", day(1))

    fresh = decide(reopen_reward, "fixed", day(2))

    assert (fresh.points, fresh.state) == (100, "pending")
    assert Reward.objects.filter(rule="fixed").count() == 2
    shop.pass_time(day(14))
    assert shop.points("ann") == (100, 0, 0)


def test_reopen_reward_refused_by_the_limit_is_decided_by_the_limit_as_it_is_now(open_shop):  # noqa: F811
    shop = open_shop(FIXED, more="limits: {per_advocate: {referrals: 1}}\n")
    bring(shop, "a", day(0))
    bring(shop, "b", day(1))
    decide(reopen_reward, "fixed", day(2))
    assert points_for("fixed", "b") == (0, "refused", "limit_reached")
    shop.report(shop.refund("a", day(3), "a", "100.00"), at=day(3))

    decide(reopen_reward, "fixed", day(4))

    assert points_for("fixed", "b") == (100, "pending", "")


def test_reopen_reward_that_stands_is_refused(shop):
    with pytest.raises(RewardInWrongState, match="cannot be reopened"):
        decide(reopen_reward, "fixed", day(1))

    assert Reward.objects.filter(rule="fixed").count() == 1
