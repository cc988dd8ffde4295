"""Tiers and milestones as customers come to them: kept, told once, lost by time, shown by the API."""

import pytest
import time_machine

from messaging.models import Message
from referrals.models import Customer
from referrals.services.lifecycle import void_referral
from rewards.models import Reward, TierChange, TierStanding
from rewards.queries.standing import tiers_by_program
from rewards.services import standing as service
from rewards.services.standing import refresh_standings_due
from tests.shop import Shop, apply_text, assert_books_balance, day

pytestmark = pytest.mark.django_db

PROGRAM = """
program: refer-a-friend
name: Refer a friend
status: active
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {on: purchase, min_amount: "20.00"}
hold_days: 0
rewards:
  - {id: advocate-fixed, to: advocate, on: qualified, points: 100}
tiers:
  window_days: 100
  grace_days: 10
  levels:
    - {name: Bronze, from: 0}
    - {name: Silver, from: 2, multiplier: "1.5", perks: [early-access]}
    - {name: Gold, from: 4, multiplier: "2", vip: true}
milestones:
  - {referrals: 2, badge: first-two, points: 50}
  - {referrals: 4, points: 500}
"""


@pytest.fixture
def shop():
    shop = Shop(PROGRAM)
    shop.now = day(0)
    shop.code = shop.code_of("ann", email="ann@shop.example", name="Ann Archer")
    return shop


def bring(shop, who, at, **more):
    shop.report(shop.purchase(who, at, f"order-{who}", "59.90", code=shop.code, **more), at=at)


def ann() -> TierStanding:
    return TierStanding.objects.get(customer__external_id="ann")


def changes() -> list:
    return [(c.before, c.after, c.up, c.why, c.at) for c in TierChange.objects.order_by("pk")]


def mails(kind="") -> list:
    rows = Message.objects.filter(recipient_key=f"customer:{Customer.objects.get(external_id='ann').pk}")
    rows = rows.exclude(kind__in=["friend_joined", "reward_available", "purchase_thanks"]).order_by("pk")
    return [(m.kind, m.state) for m in rows if not kind or m.kind == kind]


def test_refresh_standing_follows_referrals_up(shop):
    bring(shop, "bob", day(1))
    bring(shop, "cem", day(2))

    assert (ann().level, ann().level_now, ann().count, ann().perks, ann().vip) == (
        "Silver",
        "Silver",
        2,
        ["early-access"],
        False,
    )
    assert changes() == [("Bronze", "Silver", True, "referrals", day(2))]
    assert_books_balance()


def test_refresh_standing_agrees_with_the_multiplier_of_the_next_reward(shop):
    for number, who in enumerate(("bob", "cem", "dan")):
        bring(shop, who, day(number))

    decided = Reward.objects.filter(rule="advocate-fixed").order_by("pk").values_list("points", flat=True)
    assert list(decided) == [100, 100, 150]


def test_refresh_standings_due_keeps_a_lost_tier_through_its_grace_and_dates_each_change(shop, settle):
    bring(shop, "bob", day(1))
    bring(shop, "cem", day(2))

    settle(at=day(101.5))
    in_grace = (ann().level, ann().level_now, ann().count)
    settle(at=day(300))

    assert in_grace == ("Silver", "Bronze", 1)
    assert (ann().level, ann().level_now, ann().count, ann().next_change_at) == ("Bronze", "Bronze", 0, None)
    lost = changes()[-1]
    assert lost[:4] == ("Silver", "Bronze", False, "time")
    assert (lost[4] - day(111)).total_seconds() == pytest.approx(0, abs=0.001)


def test_refresh_standings_due_does_nothing_twice(shop, settle):
    bring(shop, "bob", day(1))
    bring(shop, "cem", day(2))
    settle(at=day(300))

    assert refresh_standings_due(at=day(300)) == 0
    assert len(changes()) == 2


def test_refresh_standings_due_warns_once_and_before_the_end(shop, settle):
    bring(shop, "bob", day(1))
    bring(shop, "cem", day(2))

    settle(at=day(80))
    before = mails("tier_at_risk")
    settle(at=day(87))
    settle(at=day(90))

    assert before == []
    assert mails("tier_at_risk") == [("tier_at_risk", "sent")]
    context = Message.objects.get(kind="tier_at_risk").context
    assert (context["tier"], context["needed"], context["date"]) == ("Silver", 2, day(111).date().isoformat())


def test_refresh_standings_due_warns_of_nothing_that_is_already_lost(shop, settle):
    bring(shop, "bob", day(1))
    bring(shop, "cem", day(2))

    settle(at=day(300))

    assert mails("tier_at_risk") == []


def test_refresh_standings_due_follows_a_new_offer_without_mail(shop, settle):
    bring(shop, "bob", day(1))
    before = mails("tier_up")

    apply_text(PROGRAM.replace("name: Silver, from: 2", "name: Silver, from: 1"), at=day(3))
    settle(at=day(3))

    assert ann().level == "Silver"
    assert changes() == [("Bronze", "Silver", True, "offer", day(3))]
    assert (before, mails("tier_up")) == ([], [])


def test_refresh_standing_takes_a_tier_back_with_its_referral(shop):
    bring(shop, "bob", day(1))
    bring(shop, "cem", day(2))

    with time_machine.travel(day(3), tick=False):
        void_referral(referral=shop.referral("cem"), reason="fraud", note="", actor="staff", at=day(3))

    assert (ann().level, ann().total) == ("Bronze", 1)
    assert changes()[-1] == ("Silver", "Bronze", False, "referrals", day(3))
    assert_books_balance()


def test_tell_of_tier_milestone_badge_and_one_away_once_each(shop, settle):
    bring(shop, "bob", day(1))
    after_one = mails()
    bring(shop, "cem", day(2))
    bring(shop, "dan", day(3))
    settle(at=day(4))
    settle(at=day(5))

    assert after_one == [("milestone_near", "queued")]
    assert sorted(mails()) == [
        ("badge_earned", "sent"),
        ("milestone_near", "not_sent"),
        ("milestone_near", "sent"),
        ("milestone_reached", "sent"),
        ("tier_up", "sent"),
    ]
    told = Message.objects.get(kind="milestone_reached").context
    assert (told["referrals"], told["gets"]) == (2, "50 points and the badge “First two”")
    assert Message.objects.get(kind="tier_up").context["multiplier"] == "1.5"
    assert Message.objects.get(kind="milestone_near", state="sent").context["gets"] == "500 points"


def test_tell_nothing_of_history_that_is_loaded_later(shop, settle):
    late = day(200)
    for number, who in enumerate(("bob", "cem", "dan")):
        at = day(110 + number)
        shop.report(shop.purchase(who, at, f"order-{who}", "59.90", code=shop.code), at=late)

    assert ann().level == "Silver"
    assert mails() == []


def test_tell_milestone_reached_is_taken_back_with_the_milestone(shop):
    bring(shop, "bob", day(1))
    bring(shop, "cem", day(2))
    before = mails("milestone_reached")

    with time_machine.travel(day(3), tick=False):
        void_referral(referral=shop.referral("cem"), reason="fraud", note="", actor="staff", at=day(3))

    assert before == [("milestone_reached", "queued")]
    assert mails("milestone_reached") == [("milestone_reached", "not_sent")]


def test_tell_milestone_reached_sabotaged_would_congratulate_on_nothing(shop, monkeypatch):
    """Were lost milestones not told, the mail would still go out."""
    monkeypatch.setattr(service, "_milestone_news", lambda *_: [])
    bring(shop, "bob", day(1))
    bring(shop, "cem", day(2))

    with time_machine.travel(day(3), tick=False):
        void_referral(referral=shop.referral("cem"), reason="fraud", note="", actor="staff", at=day(3))

    assert mails("milestone_reached") == [("milestone_reached", "queued")]


def test_tiers_by_program_tells_the_shown_tier_and_where_everybody_begins(shop, django_assert_num_queries):
    bring(shop, "bob", day(1))
    bring(shop, "cem", day(2))
    ann, bob = (Customer.objects.get(external_id=name).pk for name in ("ann", "bob"))

    with django_assert_num_queries(3):
        found = tiers_by_program([ann, bob], ["refer-a-friend", "nowhere"])

    assert found == {
        ann: {"refer-a-friend": "Silver", "nowhere": None},
        bob: {"refer-a-friend": "Bronze", "nowhere": None},
    }
