"""A company small enough to follow by hand: every metric, with the sum that gives it written beside it.

March 2026. Ann, Bob, Cay and Dan buy; Ann refers Bob and Cay. Bob's order is partly, Dan's wholly refunded.
"""

import pytest

from tests.analytics import facts
from tests.analytics.ask import ask, grouped, values

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def company():
    facts.purchase("ann", "2026-02-10", 5000)  # before the range
    facts.click("ann", "2026-03-01", "whatsapp")
    facts.click("ann", "2026-03-01", "email")
    facts.click("ann", "2026-03-02", "whatsapp")
    facts.click("ann", "2026-03-02", "whatsapp", verdict="bot")
    facts.click("ann", "2026-03-02", "whatsapp", verdict="preview")
    bob = facts.referral("ann", "bob", "2026-03-03", channel="whatsapp")
    cay = facts.referral("ann", "cay", "2026-03-05", channel="email")
    facts.referral("ann", "eve", "2026-03-06", state="voided", reason="self_referral")
    first = facts.purchase("bob", "2026-03-04", 4000, "b-1", channel="web")
    facts.qualify(bob, first, "approved")
    facts.purchase("bob", "2026-03-20", 1000, "b-2", channel="web")
    facts.refund("bob", "2026-03-25", 1500, "b-1")
    facts.qualify(cay, facts.purchase("cay", "2026-03-10", 3000, "c-1", channel="shop"))
    facts.purchase("dan", "2026-03-11", 0, "d-0")
    facts.purchase("dan", "2026-03-12", 2000, "d-1", channel="shop")
    facts.refund("dan", "2026-04-02", 2000, "d-1")  # after the range
    facts.transfer("grant", "ann", "2026-03-04", 500)
    facts.transfer("grant", "ann", "2026-03-10", 250)
    facts.transfer("revoke", "ann", "2026-03-25", 250)


def test_customers_are_those_with_a_purchase_so_far():
    assert values("customers") == [4]  # ann, bob, cay, dan
    assert values("customers", "2026-02-01", "2026-03-11", by="month") == [1, 3]  # ann; then bob and cay


def test_new_customers_have_their_first_order_in_the_range():
    assert values("new_customers") == [3]  # bob, cay, dan by his order of 0.00
    assert grouped("new_customers", group="channel") == {"shop": 1, "unknown": 1, "web": 1}


def test_orders_count_every_purchase():
    assert values("orders") == [5]  # b-1, b-2, c-1, d-0, d-1
    assert values("orders", "2026-03-02", "2026-03-16", by="week") == [1, 3]  # b-1; c-1, d-0, d-1


def test_revenue_gross_is_what_was_paid():
    assert values("revenue_gross") == ["100.00"]  # 40 + 10 + 30 + 0 + 20


def test_refunds_count_on_their_own_day():
    assert values("refunds", "2026-03-01", "2026-05-01", by="month") == ["15.00", "20.00"]
    assert grouped("refunds", group="channel") == {"web": "15.00"}


def test_revenue_net_is_gross_minus_refunds():
    assert values("revenue_net", "2026-03-01", "2026-05-01", by="month") == ["85.00", "-20.00"]
    assert grouped("revenue_net", group="channel") == {"shop": "50.00", "unknown": "0.00", "web": "35.00"}


def test_clicks_are_those_of_people():
    assert values("clicks") == [3]
    assert grouped("clicks", group="channel") == {"email": 1, "whatsapp": 2}
    assert grouped("clicks", group="program") == {"refer-a-friend": 3}


def test_signups_referred_leave_out_the_voided():
    assert values("signups_referred") == [2]
    assert grouped("signups_referred", group="channel") == {"email": 1, "whatsapp": 1}


def test_referrals_qualified_count_on_the_day_of_the_purchase():
    assert values("referrals_qualified", "2026-03-04", "2026-03-11", by="day") == [1, 0, 0, 0, 0, 0, 1]


def test_referral_share_is_referred_orders_over_all_orders():
    (point,) = ask("referral_share").points
    assert (point.numerator, point.denominator, point.value) == (3, 5, 0.6)  # b-1, b-2, c-1 of five
    assert point.enough is False
    assert grouped("referral_share", group="program") == {"refer-a-friend": 0.6}
    assert grouped("referral_share", group="channel") == {"shop": 0.5, "unknown": 0.0, "web": 1.0}
    assert values("referral_share", program="refer-a-friend") == [0.6]


def test_referrer_participation_is_advocates_over_buyers():
    (point,) = ask("referrer_participation").points
    assert (point.numerator, point.denominator) == (1, 3)  # ann alone; bob, cay and dan bought
    assert ask("referrer_participation", by="month").points == ask("referrer_participation").points
    assert values("referrer_participation", program="refer-a-friend") == [1 / 3]
    assert grouped("referrer_participation", group="program", by="month") == {"refer-a-friend": 1 / 3}


def test_points_granted_count_before_anything_is_taken_back():
    assert values("points_granted") == [750]  # 500 + 250


def test_totals_over_channels_are_the_total():
    for name in ("orders", "new_customers", "customers", "clicks", "signups_referred", "referrals_qualified"):
        assert sum(grouped(name, group="channel").values()) == values(name)[0], name
