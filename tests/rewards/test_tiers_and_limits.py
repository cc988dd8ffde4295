"""Rules 3, 10 and 11: tiers, limits and the budget, as stories with numbers anyone can recompute."""

from decimal import Decimal

import pytest

from core.clocks import clock_at
from referrals.models import Referral
from referrals.services.lifecycle import reopen_referral, void_referral
from rewards.models import Reward
from rewards.services import world
from tests.rewards.programs import FIXED, FRIEND, SHARE, TIERS, program
from tests.shop import Shop, apply_text, assert_books_balance, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def open_shop():
    def make(*rewards, more="", **words):
        shop = Shop(program(*rewards, more=more, **words))
        shop.code = shop.code_of("ann")
        return shop

    yield make
    assert_books_balance()


def bring(shop, name, at, amount="100.00", *, reported=None):
    """Have a friend buy through Ann's code; the order is named after the friend."""
    shop.report(shop.purchase(name, at, name, amount, code=shop.code), at=reported or at)


def points_for(rule, friend):
    """Return (points, state, reason) of the newest reward of a rule for a friend's referral."""
    reward = Reward.objects.filter(rule=rule, referral__friend__external_id=friend).latest("pk")
    return reward.points, str(reward.state), reward.reason


def test_decide_multiplies_by_the_tier_of_the_other_referrals(open_shop):
    shop = open_shop(FIXED, FRIEND, more=TIERS)

    for number, name in enumerate(["a", "b", "c", "d"]):
        bring(shop, name, day(number))

    given = [points_for("fixed", name)[0] for name in ("a", "b", "c", "d")]
    assert given == [100, 125, 125, 200]
    assert [points_for("friend", name)[0] for name in ("a", "d")] == [10, 10]
    inputs = Reward.objects.get(rule="fixed", referral__friend__external_id="d").inputs
    assert (inputs["tier"], inputs["referrals"], inputs["multiplier"]) == ("Gold", 3, "2")


def test_decide_window_of_a_tier_ends_with_the_instant(open_shop):
    shop = open_shop(FIXED, more=TIERS)

    bring(shop, "a", day(0))
    bring(shop, "b", day(30))
    bring(shop, "c", day(60.0001))

    assert [points_for("fixed", name)[0] for name in ("b", "c")] == [125, 100]


def test_decide_never_counts_the_referral_itself_for_its_later_purchases(open_shop):
    shop = open_shop(SHARE, more=TIERS)
    bring(shop, "a", day(0))

    shop.report(shop.purchase("a", day(1), "a2", "100.00"), at=day(1))

    assert [r.points for r in Reward.objects.filter(rule="share").order_by("pk")] == [10, 10]


def test_decide_keeps_the_multiplier_for_what_a_refund_leaves(open_shop):
    shop = open_shop(SHARE, more=TIERS)
    bring(shop, "a", day(0))
    bring(shop, "b", day(1))
    for number, name in enumerate(["c", "d"]):
        bring(shop, name, day(2 + number))

    shop.report(shop.refund("b", day(5), "b", "50.00"), at=day(5))

    assert points_for("share", "b") == (6, "pending", "")  # floor(50 x 10 % x 1.25)


def test_decide_tier_anew_when_another_event_qualifies(open_shop):
    shop = open_shop(FIXED, SHARE, more=TIERS)
    bring(shop, "a", day(0))
    shop.report(shop.purchase("a", day(10), "a2", "100.00"), at=day(10))
    bring(shop, "b", day(5))

    shop.report(shop.refund("a", day(11), "a", "100.00"), at=day(11))

    assert points_for("fixed", "a") == (125, "pending", "")
    assert points_for("share", "a") == (12, "pending", "")


def test_decide_level_condition_asks_the_advocate(open_shop):
    level = '{name: Fan, from: 0, multiplier: "3", when: {customer.attributes.plan: pro}}'
    shop = open_shop(FIXED, more=f"tiers: {{window_days: 30, levels: [{level}]}}")
    bring(shop, "a", day(0))
    shop.code_of("ann", attributes={"plan": "pro"})

    bring(shop, "b", day(1))

    assert [points_for("fixed", name)[0] for name in ("a", "b")] == [100, 300]


def test_decide_pays_by_the_tiers_of_the_offer_at_the_touch(open_shop):
    shop = open_shop(FIXED, more=TIERS)
    bring(shop, "a", day(0))
    apply_text(program(FIXED, more=TIERS.replace('"1.25"', '"5"')), at=day(2))

    bring(shop, "b", day(1), reported=day(3))
    bring(shop, "c", day(3))

    assert [points_for("fixed", name)[0] for name in ("b", "c")] == [125, 500]


LIMIT = "limits: {per_advocate: {referrals: 2, period: month}}\n"


def test_decide_limit_refuses_the_advocates_side_only(open_shop):
    shop = open_shop(FIXED, SHARE, FRIEND, more=LIMIT)
    for name in ("a", "b", "c"):
        bring(shop, name, day(1))

    assert points_for("fixed", "b") == (100, "pending", "")
    assert points_for("fixed", "c") == (0, "refused", "limit_reached")
    assert points_for("share", "c") == (0, "refused", "limit_reached")
    assert points_for("friend", "c") == (10, "pending", "")
    assert shop.referral("c").state == "qualified"
    assert Reward.objects.get(rule="fixed", reason="limit_reached").inputs == {"limit": 2, "period": "month"}


def test_decide_limit_counts_by_the_calendar_month_of_the_qualifying_event(open_shop):
    shop = open_shop(FIXED, more=LIMIT)
    for name, at in (("a", day(29)), ("b", day(30)), ("c", day(30.4)), ("d", day(31))):
        bring(shop, name, at)

    assert [points_for("fixed", name)[1] for name in ("a", "b", "c", "d")] == [
        "pending",
        "pending",
        "refused",
        "pending",
    ]


def test_decide_limit_refuses_later_purchases_of_a_refused_referral_too(open_shop):
    shop = open_shop(SHARE, more=LIMIT)
    for name in ("a", "b", "c"):
        bring(shop, name, day(1))
    shop.report(shop.refund("a", day(2), "a", "100.00"), at=day(2))

    shop.report(shop.purchase("c", day(3), "c2", "100.00"), at=day(3))

    assert points_for("share", "c") == (0, "refused", "limit_reached")
    assert Reward.objects.filter(rule="share", referral__friend__external_id="c", state="refused").count() == 2


def test_decide_limit_slot_freed_goes_to_the_next_referral(open_shop):
    shop = open_shop(FIXED, more=LIMIT)
    for name in ("a", "b", "c"):
        bring(shop, name, day(1))
    shop.report(shop.refund("a", day(2), "a", "100.00"), at=day(2))

    bring(shop, "d", day(3))

    assert points_for("fixed", "c")[1] == "refused"
    assert points_for("fixed", "d") == (100, "pending", "")


def test_decide_limit_is_judged_anew_when_another_event_qualifies(open_shop):
    shop = open_shop(FIXED, more=LIMIT)
    for name in ("a", "b", "c"):
        bring(shop, name, day(1))
    shop.report(shop.purchase("c", day(40), "c2", "100.00"), at=day(40))

    shop.report(shop.refund("c", day(41), "c", "100.00"), at=day(41))

    assert points_for("fixed", "c") == (100, "pending", "")


def test_decide_limit_does_not_bound_signups_and_milestones(open_shop):
    signup = "{id: hello, to: advocate, on: signup, points: 5}"
    more = "limits: {per_advocate: {referrals: 1}}\nmilestones: [{referrals: 2, points: 50}]\n"
    shop = open_shop(signup, FIXED, more=more)
    bring(shop, "a", day(0))
    bring(shop, "b", day(1))

    assert points_for("hello", "b") == (5, "pending", "")
    assert points_for("fixed", "b") == (0, "refused", "limit_reached")
    assert points_for("milestone-2", "b") == (50, "pending", "")


def test_decide_limit_switched_off_would_pay_everybody(open_shop, monkeypatch):
    monkeypatch.setattr(world.LiveWorld, "referrals_rewarded", lambda self, at, period: 0)
    shop = open_shop(FIXED, more=LIMIT)

    for name in ("a", "b", "c"):
        bring(shop, name, day(1))

    assert points_for("fixed", "c")[1] == "pending"


BUDGET = "limits: {budget_points: 250}\n"


def test_decide_budget_refuses_what_does_not_fit_whole(open_shop):
    shop = open_shop(FIXED, FRIEND, more=BUDGET)
    for name in ("a", "b", "c"):
        bring(shop, name, day(1))

    assert points_for("fixed", "c") == (0, "refused", "budget_exhausted")
    assert points_for("friend", "c") == (10, "pending", "")
    refused = Reward.objects.get(reason="budget_exhausted")
    assert refused.inputs == {"needs": 100, "left": 30}
    assert sum(Reward.objects.values_list("points", flat=True)) == 230


def test_decide_budget_gets_back_what_is_taken_back(open_shop):
    shop = open_shop(FIXED, more=BUDGET)
    for name in ("a", "b", "c"):
        bring(shop, name, day(1))
    shop.report(shop.refund("a", day(2), "a", "100.00"), at=day(2))

    bring(shop, "d", day(3))

    assert points_for("fixed", "c") == (0, "refused", "budget_exhausted")
    assert points_for("fixed", "d") == (100, "pending", "")


def test_decide_budget_is_the_programs_current_one(open_shop):
    shop = open_shop(FIXED, more=BUDGET)
    bring(shop, "a", day(1))
    apply_text(program(FIXED, more="limits: {budget_points: 120}\n"), at=day(2))

    bring(shop, "b", day(1.5), reported=day(3))

    assert points_for("fixed", "b") == (0, "refused", "budget_exhausted")


def test_decide_budget_when_judged_anew_starts_from_what_it_gives_back(open_shop):
    shop = open_shop(FIXED, SHARE, more="limits: {budget_points: 115}\n")
    bring(shop, "a", day(1))
    shop.report(shop.purchase("a", day(2), "a2", "100.00"), at=day(2))
    assert points_for("share", "a") == (0, "refused", "budget_exhausted")

    shop.report(shop.refund("a", day(3), "a", "100.00"), at=day(3))

    assert points_for("fixed", "a") == (100, "pending", "")
    assert points_for("share", "a") == (10, "pending", "")


def test_decide_budget_switched_off_would_overspend(open_shop, monkeypatch):
    monkeypatch.setattr(world.LiveWorld, "budget_left", lambda self: None)
    shop = open_shop(FIXED, more=BUDGET)

    for name in ("a", "b", "c"):
        bring(shop, name, day(1))

    assert sum(Reward.objects.values_list("points", flat=True)) == 300


def test_settle_referral_after_reopening_decides_everything_again(open_shop):
    shop = open_shop(FIXED, more=TIERS)
    bring(shop, "a", day(0))
    with clock_at(day(1)):
        void_referral(referral=shop.referral("a"), reason="manual", note="by phone", actor="staff", at=day(1))
    bring(shop, "b", day(2))

    with clock_at(day(3)):
        reopen_referral(referral=shop.referral("a"), note="a mistake", actor="staff", at=day(3))

    assert points_for("fixed", "a") == (100, "pending", "")  # b qualified after a's event: it is not in a's window
    assert Referral.objects.filter(state="qualified").count() == 2
    assert Decimal(Reward.objects.filter(rule="fixed").latest("pk").inputs["multiplier"]) == 1
