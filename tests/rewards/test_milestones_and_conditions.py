"""Rule 9, conditions, first matches, assists and other kinds than points, as stories."""

import pytest

from referrals.models import Assist
from referrals.services.blocks import add_block_entry
from referrals.services.customers import CustomerData, put_customer
from rewards.models import Lot, Reward
from tests.rewards.programs import FIXED, FRIEND, program
from tests.rewards.test_tiers_and_limits import bring, open_shop, points_for  # noqa: F401
from tests.shop import apply_text, day

pytestmark = pytest.mark.django_db

MILESTONES = "milestones: [{referrals: 1, badge: first}, {referrals: 2, points: 500, badge: connector}]\n"


def milestones():
    rows = Reward.objects.filter(moment="milestone").order_by("pk")
    return [(row.rule, row.points, str(row.state)) for row in rows]


def test_decide_milestone_grants_points_and_badge_when_reached(open_shop):  # noqa: F811
    shop = open_shop(more=MILESTONES)

    bring(shop, "a", day(0))
    bring(shop, "b", day(1))

    assert milestones() == [
        ("milestone-1-badge", 0, "pending"),
        ("milestone-2", 500, "pending"),
        ("milestone-2-badge", 0, "pending"),
    ]
    badge = Reward.objects.get(rule="milestone-2-badge")
    assert (badge.kind, badge.detail, badge.recipient.external_id) == ("badge", {"what": "connector"}, "ann")
    assert badge.available_at == day(15)


def test_decide_milestone_falls_and_is_granted_again(open_shop):  # noqa: F811
    shop = open_shop(more=MILESTONES)
    bring(shop, "a", day(0))
    bring(shop, "b", day(1))

    shop.report(shop.refund("a", day(2), "a", "100.00"), at=day(2))
    assert [state for _, _, state in milestones()] == ["pending", "cancelled", "cancelled"]
    assert shop.points("ann") == (0, 0, 0)

    bring(shop, "c", day(3))
    assert milestones()[3:] == [("milestone-2", 500, "pending"), ("milestone-2-badge", 0, "pending")]


def test_decide_milestone_stays_when_a_judged_anew_referral_still_qualifies(open_shop):  # noqa: F811
    shop = open_shop(more=MILESTONES)
    bring(shop, "a", day(0))
    shop.report(shop.purchase("a", day(5), "a2", "100.00"), at=day(5))

    shop.report(shop.refund("a", day(6), "a", "100.00"), at=day(6))

    assert milestones() == [("milestone-1-badge", 0, "pending")]


def test_decide_milestone_added_later_is_not_granted_backwards(open_shop):  # noqa: F811
    shop = open_shop(FIXED)
    bring(shop, "a", day(0))
    bring(shop, "b", day(1))
    apply_text(program(FIXED, more=MILESTONES), at=day(2))

    bring(shop, "c", day(3))

    assert milestones() == []


def test_decide_milestone_condition_names_what_it_saw(open_shop):  # noqa: F811
    shop = open_shop(more="milestones: [{referrals: 1, points: 5, when: {order.amount: {gte: '200'}}}]\n")

    bring(shop, "a", day(0))

    refused = Reward.objects.get(moment="milestone")
    assert (refused.state, refused.reason) == ("refused", "condition")
    assert refused.inputs == {"condition": "order.amount gte 200", "saw": "100.00"}


def test_decide_milestone_counts_against_the_budget_after_the_rules(open_shop):  # noqa: F811
    shop = open_shop(FIXED, more="limits: {budget_points: 120}\nmilestones: [{referrals: 1, points: 50, badge: x}]\n")

    bring(shop, "a", day(0))

    assert milestones() == [("milestone-1-badge", 0, "pending"), ("milestone-1", 0, "refused")]


def test_decide_condition_refuses_with_the_value_it_saw(open_shop):  # noqa: F811
    when = '{all: [{order.amount: {gte: "150"}}, {channel: email}]}'
    shop = open_shop(f"{{id: big, to: advocate, on: qualified, points: 5, when: {when}}}")

    bring(shop, "a", day(0))

    refused = Reward.objects.get()
    assert (refused.state, refused.reason) == ("refused", "condition")
    assert refused.inputs == {"condition": "order.amount gte 150", "saw": "100.00"}


@pytest.mark.parametrize(
    ("when", "facts", "holds"),
    [
        ("{channel: whatsapp}", {"channel": "whatsapp"}, True),
        ("{method: code}", {}, True),
        ("{event.type: purchase}", {}, True),
        ("{event.attributes.plan: {in: [gold, pro]}}", {"attributes": {"plan": "pro"}}, True),
        ("{order.currency: EUR}", {}, True),
        ("{order.discount: {lte: '5'}}", {}, False),
        ("{customer.email_domain: uni.example}", {"email": "a@uni.example"}, True),
        ("{advocate.attributes.staff: true}", {}, True),
    ],
)
def test_decide_condition_reads_every_field(open_shop, when, facts, holds):  # noqa: F811
    shop = open_shop(f"{{id: r, to: friend, on: qualified, points: 5, when: {when}}}")
    shop.code_of("ann", attributes={"staff": True})

    shop.report(shop.purchase("a", day(0), "1", "100.00", code=shop.code, **facts), at=day(0))

    assert points_for("r", "a")[1] == ("pending" if holds else "refused")


def test_decide_condition_stays_as_decided_when_the_customer_changes(open_shop):  # noqa: F811
    shop = open_shop("{id: r, to: advocate, on: qualified, points: 5, when: {advocate.attributes.plan: pro}}")
    bring(shop, "a", day(0))
    shop.code_of("ann", attributes={"plan": "pro"})

    shop.report(shop.purchase("a", day(1), "2", "100.00"), at=day(1))

    assert [str(row.state) for row in Reward.objects.all()] == ["refused"]


def test_decide_first_match_gives_the_first_that_holds(open_shop):  # noqa: F811
    shop = open_shop(
        "{id: big, to: advocate, on: qualified, points: 300, first_match: size, when: {order.amount: {gte: '500'}}}",
        "{id: middle, to: advocate, on: qualified, points: 200, first_match: size, when: {order.amount: {gte: '100'}}}",
        "{id: small, to: advocate, on: qualified, points: 100, first_match: size}",
    )

    bring(shop, "a", day(0), "120.00")

    assert shop.rewards("ann") == [("middle", 200, "pending"), ("big", 0, "refused"), ("small", 0, "refused")]
    assert Reward.objects.get(rule="small").inputs == {"condition": "first_match size", "saw": "middle came first"}


def test_bind_friend_second_advocate_is_an_assist_paid_by_its_rule(open_shop):  # noqa: F811
    shop = open_shop(FIXED, "{id: helped, to: advocate, on: assist, points: 7}")
    other = shop.code_of("cat")
    shop.report(shop.signup("bob", day(0), code=shop.code), at=day(0))
    shop.report(shop.signup("bob", day(1), code=other), at=day(1))

    shop.report(shop.purchase("bob", day(2), "1", "100.00", code=other), at=day(2))

    assert Assist.objects.get().advocate.external_id == "cat"
    assert shop.rewards("cat") == [("helped", 7, "pending")]
    assert shop.rewards("ann") == [("fixed", 100, "pending")]


def test_bind_friend_second_advocate_without_a_rule_is_only_recorded(open_shop):  # noqa: F811
    shop = open_shop(FIXED)
    shop.report(shop.signup("bob", day(0), code=shop.code), at=day(0))

    shop.report(shop.purchase("bob", day(1), "1", "100.00", code=shop.code_of("cat")), at=day(1))
    shop.report(shop.purchase("bob", day(2), "2", "100.00", code=shop.code_of("bob")), at=day(2))

    assert [one.advocate.external_id for one in Assist.objects.all()] == ["cat"]
    assert shop.rewards("cat") == []


def test_bind_friend_pays_no_assist_for_what_could_not_have_bound(open_shop):  # noqa: F811
    shop = open_shop(FIXED, "{id: helped, to: advocate, on: assist, points: 7}")
    twin, blocked, late = shop.code_of("ann2", email="ann@x.example"), shop.code_of("eve"), shop.code_of("cat")
    put_customer(external_id="ann", data=CustomerData(email="Ann@x.example"), at=day(0))
    add_block_entry(kind="customer", pattern="eve", reason="resells", added_by="staff", at=day(0))
    shop.report(shop.signup("bob", day(0), code=shop.code), at=day(0))

    shop.report(shop.signup("bob", day(1), code=twin), shop.signup("bob", day(1), code=blocked), at=day(1))
    shop.report(shop.purchase("bob", day(2), "1", "100.00"), at=day(2))
    shop.report(shop.purchase("bob", day(3), "2", "100.00", code=late), at=day(3))

    assert not Assist.objects.exists()
    assert [shop.points(who) for who in ("ann", "ann2", "eve", "cat")] == [(0, 100, 0), *[(0, 0, 0)] * 3]


def test_decide_other_kinds_wait_for_their_hold_and_post_no_points(open_shop):  # noqa: F811
    shop = open_shop(
        "{id: credit, to: advocate, on: qualified, credit: '10.00'}",
        "{id: coupon, to: friend, on: signup, coupon: WELCOME, hold_days: 0}",
    )

    bring(shop, "a", day(0))
    before = {row.rule: (row.kind, row.detail, str(row.state)) for row in Reward.objects.all()}
    shop.pass_time(day(14))

    assert before == {
        "credit": ("credit", {"amount_minor": 1000, "currency": "EUR"}, "pending"),
        "coupon": ("coupon", {"what": "WELCOME"}, "waiting_stock"),
    }
    assert Reward.objects.get(rule="credit").state == "available"
    assert shop.points("ann") == (0, 0, 0)


def test_release_gives_the_lot_the_expiry_of_its_offer(open_shop):  # noqa: F811
    shop = open_shop(FIXED, FRIEND, more="expires_days: 100\n")
    bring(shop, "a", day(0))
    apply_text(program(FIXED, more="expires_days: 1\n"), at=day(1))

    shop.pass_time(day(14))

    assert set(Lot.objects.values_list("expires_at", flat=True)) == {day(114)}
