"""What an endpoint is told while people refer, buy, answer and choose: the samples of the docs, in the flesh."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.subscriptions import SUBSCRIPTIONS
from messaging.models import WebhookEndpoint, WebhookEvent, WebhookVersion
from messaging.services import create_endpoint, set_preference
from messaging.webhook_types import WEBHOOK_TYPES
from referrals.models import Customer
from referrals.services.erasing import erase_customer
from referrals.services.lifecycle import void_referral
from rewards.services.expiry import warn_due
from rewards.services.fulfilling import fulfil_due
from rewards.services.redeeming import cancel_redemption
from surveys.services.answers import confirm_answer
from surveys.services.invitations import invite_customer
from surveys.services.settling import settle_answers
from surveys.services.surveys import ensure_default_survey
from tests.rewards.goods import give, make_item, person, redeem
from tests.shop import Shop, assert_books_balance, day

pytestmark = pytest.mark.django_db
MILESTONES = """
program: refer-a-friend
name: Refer a friend
status: active
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {on: purchase, min_amount: "20.00"}
hold_days: 14
rewards:
  - {id: advocate-fixed, to: advocate, on: qualified, points: 500}
  - {id: advocate-share, to: advocate, on: qualified, percent: 5}
milestones:
  - {referrals: 1, points: 50}
limits:
  per_advocate: {referrals: 1, period: total}
"""

PERKS = (
    MILESTONES[: MILESTONES.index("rewards:")]
    + """rewards:
  - {id: early, to: friend, on: qualified, perk: early-access, hold_days: 0}
"""
)


@pytest.fixture(autouse=True)
def _endpoint():
    create_endpoint(url="https://hooks.shop.example/", types=["*"])


def told(*fields, start=0):
    rows = WebhookEvent.objects.order_by("pk")[start:]
    return [(row.type, row.version, *(row.data[name] for name in fields)) for row in rows]


def test_record_event_tells_of_the_referral_and_its_rewards_in_order():
    shop = Shop()
    code = shop.code_of("ann")

    shop.report(shop.signup("bob", day(0), code=code), at=day(0))
    shop.report(shop.purchase("bob", day(1), "1001", "59.90"), at=day(1))

    assert sorted(told("state")[:3]) == [
        ("referral.signed_up", 1, "signed_up"),
        ("reward.available", 2, "available"),  # the friend's, without a hold: granted and released at once
        ("reward.pending", 1, "pending"),
    ]
    assert sorted(told("state")[3:]) == [
        ("referral.qualified", 2, "qualified"),
        ("reward.pending", 1, "pending"),
        ("reward.pending", 1, "pending"),
    ]
    referral = WebhookEvent.objects.get(type="referral.qualified").data
    assert (referral["advocate"], referral["friend"]) == ("ann", "bob")
    assert_books_balance()


def test_release_approve_and_refund_tell_what_became_of_it():
    shop = Shop()
    code = shop.code_of("ann")
    shop.report(shop.purchase("bob", day(0), "1001", "100.00", code=code), at=day(0))
    start = WebhookEvent.objects.count()

    shop.pass_time(day(14))
    shop.report(shop.refund("bob", day(15), "1001", "40.00"), at=day(15))
    shop.report(shop.refund("bob", day(16), "1001", "60.00"), at=day(16))

    seen = [row[0] for row in told(start=start)]
    assert seen.count("reward.available") == 2
    assert seen.count("referral.approved") == seen.count("referral.reversed") == seen.count("reward.reduced") == 1
    assert seen.count("reward.revoked") == 2
    assert_books_balance()


def test_limits_milestones_and_voids_are_told():
    shop = Shop(MILESTONES)
    code = shop.code_of("ann")
    shop.report(shop.purchase("bob", day(0), "1", "59.90", code=code), at=day(0))
    shop.report(shop.purchase("cem", day(1), "2", "59.90", code=code), at=day(1))
    void_referral(referral=shop.referral("bob"), reason="fraud", note="", actor="staff", at=day(2))

    milestone = WebhookEvent.objects.get(type="milestone.reached").data
    assert (milestone["customer"], milestone["referrals"]) == ("ann", 1)
    seen = [row[0] for row in told()]
    assert seen.count("reward.refused") == 2
    assert seen.count("referral.voided") == 1
    assert "reward.cancelled" in seen


def test_answers_and_choices_are_told_without_what_was_written():
    now = timezone.now()
    ann = Customer.objects.create(external_id="ann", email="ann@shop.example", email_normalized="ann@shop.example")
    invitation = invite_customer(survey=ensure_default_survey(), customer=ann, at=now)

    confirm_answer(invitation=invitation, score=3, comment="call me: 030 123456", at=now)
    settle_answers(at=now + timedelta(minutes=15))
    confirm_answer(invitation=invitation, score=9, comment="", at=now + timedelta(minutes=20))
    settle_answers(at=now + timedelta(minutes=35))
    set_preference(recipient_key=f"customer:{ann.pk}", purpose="news", allowed=False, source="page")

    assert told("customer") == [
        ("survey.response.confirmed", 1, "ann"),
        ("survey.detractor", 2, "ann"),
        ("survey.response.confirmed", 3, "ann"),
        ("preferences.changed", 1, "ann"),
    ]
    assert WebhookEvent.objects.latest("pk").data["changed"] == {"news": False}
    assert "030" not in str(list(WebhookEvent.objects.values_list("data", flat=True)))


def test_gifts_are_told():
    shop = Shop(PERKS)
    shop.report(shop.purchase("bob", day(0), "1", "59.90", code=shop.code_of("ann")), at=day(0))

    with time_machine.travel(day(1), tick=False):
        fulfil_due(at=day(1))

    assert [row[0] for row in told() if row[0].startswith("reward.")] == [
        "reward.pending",
        "reward.available",
        "reward.fulfilled",
    ]


def test_redemptions_and_points_that_expire_are_told():
    ann = person()
    give(ann, 500, expires_days=60)
    redemption = redeem(ann, make_item(points=120, stock=5), 2)
    with time_machine.travel(day(2), tick=False):
        cancel_redemption(redemption=redemption, reason="changed my mind", actor="t", at=day(2))
    with time_machine.travel(day(31), tick=False):
        warn_due(at=day(31))

    rows = [row for row in told() if not row[0].startswith("reward.")]
    assert rows == [("redemption.created", 1), ("redemption.cancelled", 2), ("points.expiring", 1)]
    assert WebhookEvent.objects.get(type="points.expiring").data["points"] == 500
    assert WebhookEvent.objects.get(type="redemption.created").data["points"] == 240


def test_tiers_are_told():
    shop = Shop(MILESTONES + "tiers: {window_days: 365, levels: [{name: Bronze, from: 0}, {name: Silver, from: 1}]}\n")
    shop.report(shop.purchase("bob", day(0), "1", "59.90", code=shop.code_of("ann")), at=day(0))

    data = WebhookEvent.objects.filter(type="customer.tier_changed").latest("pk").data
    assert (data["customer"], data["after"], data["up"]) == ("ann", "Silver", True)


def test_erase_customer_forgets_the_webhooks_that_name_an_address():
    shop = Shop()
    code = shop.code_of("ann@shop.example", email="ann@shop.example")
    shop.report(shop.purchase("bob", day(0), "1", "59.90", code=code), at=day(0))
    kept = WebhookEvent.objects.filter(data__to="bob").count()

    erase_customer(customer=Customer.objects.get(external_id="ann@shop.example"), by="staff", at=day(1))

    rows = WebhookEvent.objects.exclude(at__gte=day(1))
    assert "ann@shop.example" not in str(list(WebhookEvent.objects.values()))
    assert "ann@shop.example" not in str(list(WebhookVersion.objects.values()))
    assert rows.filter(data__to="bob").count() == kept > 0


def test_every_told_type_looks_like_its_sample():
    """Types, keys and kinds of values; the keys are also checked whenever anything is queued."""
    test_release_approve_and_refund_tell_what_became_of_it()

    for row in WebhookEvent.objects.all():
        sample = WEBHOOK_TYPES[row.type].sample
        assert set(row.data) == set(sample), row.type
        for name, value in row.data.items():
            if value is not None and sample[name] is not None:
                assert type(value) is type(sample[name]), (row.type, name)


def test_record_event_is_kept_and_decided_though_telling_fails(monkeypatch):
    """A broken webhook never costs a fact or a reward; it is tried again."""
    monkeypatch.setattr("rewards.handlers.queue_reward_steps", lambda **_: 1 / 0)
    shop = Shop()
    shop.report(shop.purchase("bob", day(0), "1", "59.90", code=shop.code_of("ann")), at=day(0))

    assert shop.points("ann") == (0, 502, 0)


def statements_of(shop, order):
    fact = shop.purchase(f"friend-{order}", day(0), order, "59.90", code=shop.code_of("ann"))
    with CaptureQueriesContext(connection) as seen:
        shop.report(fact, at=day(0))
    return len(seen)


def test_record_event_without_any_endpoint_costs_few_statements_more(monkeypatch):
    WebhookEndpoint.objects.all().delete()
    shop = Shop()
    statements_of(shop, "1")

    with_webhooks = statements_of(shop, "2")
    quiet = {
        event: [one for one in handlers if "tell_endpoint" not in one.__name__]
        for event, handlers in SUBSCRIPTIONS.items()
    }
    monkeypatch.setattr("core.dispatch._subscriptions", lambda: quiet)

    assert 0 < with_webhooks - statements_of(shop, "3") <= 12
    assert WebhookEvent.objects.count() == 0
