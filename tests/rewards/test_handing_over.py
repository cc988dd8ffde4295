"""What points bought reaches its owner: coupons at once, credits by the shop, perks as marks, the rest by people."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from werkzeug import Response

from messaging.models import Message
from rewards.fulfilment import redeemed
from rewards.models import Coupon, EventInvitation, FulfilmentEndpoint, OutboundCall, Perk, PerkEvent
from rewards.queries.perk_events import audience_of
from rewards.queries.segment_fields import perks
from rewards.queries.standing import perk_slugs_of
from rewards.queries.stock import stocks_of
from rewards.services import handing_over
from rewards.services.calling import send_calls_due
from rewards.services.coupons import CouponBlocked, redeem_coupon, release_coupon
from rewards.services.handing_over import hand_over_due, hand_over_redemption
from rewards.services.pools import add_codes
from rewards.services.redeeming import cancel_redemption, confirm_redemption, fail_redemption, fulfil_redemption
from tests.factories import UserFactory
from tests.rewards.fulfilment.conftest import make_pool
from tests.rewards.fulfilment.test_calls import Shopkeeper
from tests.rewards.goods import available, give, make_item, person, redeem
from tests.shop import assert_books_balance, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    ann = person(email="ann@shop.example", name="Ann Archer")
    give(ann, 500)
    return ann


@pytest.fixture
def shopkeeper(httpserver, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE_IPS = True
    return Shopkeeper(httpserver)


def voucher(**more):
    return make_item("voucher", points=100, kind="coupon", what="THANKS10", **more)


def card(**more):
    return make_item("card", points=100, kind="gift_card", amount_minor=1000, currency="EUR", **more)


def coupons():
    return list(Coupon.objects.order_by("pk").values_list("code", "state", "redemption__public_id"))


def open_for(perk):
    now = timezone.now()
    return PerkEvent.objects.create(
        title="Tasting",
        state=PerkEvent.State.PUBLISHED,
        starts_at=now + timedelta(days=10),
        ends_at=now + timedelta(days=11),
        opens_at=now - timedelta(days=1),
        closes_at=now + timedelta(days=8),
        invited_at=now,
        perk=perk,
    )


def steps(redemption):
    return list(redemption.steps.order_by("pk").values_list("what", "why"))


def test_place_redemption_gives_the_coupon_in_the_same_moment(ann):
    make_pool(codes=["AAA-1", "AAA-2"], valid_days=30)

    redemption = redeem(ann, voucher())

    assert (redemption.state, redemption.outcome, redemption.waits_for) == ("fulfilled", "AAA-1", "people")
    assert coupons() == [("AAA-1", "given", redemption.public_id), ("AAA-2", "free", None)]
    assert redemption.good_until == Coupon.objects.get(code="AAA-1").expires_at
    assert steps(redemption) == [("placed", ""), ("fulfilled", "AAA-1")]
    mail = Message.objects.get(kind="redemption_settled")
    assert (mail.context["note"], mail.context["done"]) == ("AAA-1", 1)


def test_place_redemption_of_three_gives_three_coupons(ann):
    make_pool(codes=["AAA-1", "AAA-2", "AAA-3"])

    redemption = redeem(ann, voucher(), 3)

    assert (redemption.outcome, redemption.good_until) == ("AAA-1, AAA-2, AAA-3", None)


def test_place_redemption_takes_none_of_too_few_coupons_and_waits(ann):
    pool = make_pool(codes=["AAA-1"])

    redemption = redeem(ann, voucher(), 2)

    assert (redemption.state, redemption.waits_for, redemption.outcome) == ("placed", "stock", "")
    assert coupons() == [("AAA-1", "free", None)]
    assert steps(redemption) == [("placed", ""), ("waiting", "not enough codes are left")]
    assert stocks_of([pool], at=day(1))[pool.pk].waiting == 2
    assert not Message.objects.filter(kind="redemption_settled").exists()


def test_place_redemption_without_the_rollback_would_swallow_codes(ann, monkeypatch):
    make_pool(codes=["AAA-1"])
    monkeypatch.setattr(handing_over, "take_coupons", lambda one, at: redeemed.take_coupons(one, at=at) or [])
    monkeypatch.setattr(handing_over, "_keep_what_was_given", lambda one, coupons: None)

    redeem(ann, voucher(), 2)

    assert [state for _, state, _ in coupons()] == ["given"]


def test_add_codes_serves_the_redemptions_that_wait_in_their_order(ann):
    pool = make_pool()
    first, second = redeem(ann, voucher()), redeem(ann, make_item("other", kind="coupon", what="THANKS10"))
    assert hand_over_due(at=timezone.now()) == 0

    add_codes(pool=pool, codes=["NEW-1"], at=day(2))
    given = hand_over_due(at=day(2))

    first.refresh_from_db()
    second.refresh_from_db()
    assert (given, first.outcome, second.state) == (1, "NEW-1", "placed")
    assert steps(second) == [("placed", ""), ("waiting", "not enough codes are left")]


def test_hand_over_redemption_a_second_time_gives_nothing(ann):
    make_pool(codes=["AAA-1", "AAA-2"])
    redemption = redeem(ann, voucher())

    again = hand_over_redemption(redemption=redemption, at=day(1))

    assert (again, [state for _, state, _ in coupons()]) == (False, ["given", "free"])


def test_reserved_redemption_gets_its_coupon_when_confirmed(ann):
    make_pool(codes=["AAA-1"])
    redemption = redeem(ann, voucher(), reserve=True)
    before = redemption.outcome

    confirm_redemption(redemption=redemption, actor="t", at=day(1))

    assert (before, redemption.state, redemption.outcome) == ("", "fulfilled", "AAA-1")


def test_cancel_redemption_blocks_the_unused_coupon(ann):
    make_pool(codes=["AAA-1"])
    redemption = redeem(ann, voucher())

    cancel_redemption(redemption=redemption, reason="mistake", actor="t", at=day(2), even_fulfilled=True)

    assert (coupons()[0][1], available(ann)) == ("blocked", 500)
    assert steps(redemption)[-1] == ("taken_back", "the coupon is blocked")
    with pytest.raises(CouponBlocked):
        redeem_coupon(code="AAA-1", order_id="9", at=day(3))
    assert_books_balance()


def test_cancel_redemption_of_a_used_coupon_says_so_and_blocks_it_when_its_use_is_undone(ann):
    make_pool(codes=["AAA-1"])
    redemption = redeem(ann, voucher())
    redeem_coupon(code="aaa1", order_id="9", at=day(2))

    cancel_redemption(redemption=redemption, reason="goodwill", actor="t", at=day(3), even_fulfilled=True)
    told = steps(redemption)[-1]
    release_coupon(code="AAA-1")

    assert told == ("taken_back", "the coupon was used already and stands")
    assert coupons()[0][1] == "blocked"


def test_cancel_redemption_that_waits_for_codes_gets_none_later(ann):
    pool = make_pool()
    redemption = redeem(ann, voucher())
    cancel_redemption(redemption=redemption, reason="", actor=f"customer:{ann.pk}", at=day(2))

    add_codes(pool=pool, codes=["NEW-1"], at=day(3))
    given = hand_over_due(at=day(3))

    redemption.refresh_from_db()
    assert (given, redemption.state, redemption.due_at, coupons()[0][1]) == (0, "cancelled", None, "free")
    assert stocks_of([pool], at=day(3))[pool.pk].waiting == 0


def test_place_redemption_of_a_gift_card_asks_the_shop_and_shows_its_answer(ann, shopkeeper):
    FulfilmentEndpoint.objects.create(kind="gift_card", url=shopkeeper.url)
    shopkeeper.answers = [Response(json.dumps({"code": "CARD-7", "url": "https://shop.example/c/7"}))]
    redemption = redeem(ann, card(), 2)
    waited = (redemption.state, redemption.waits_for)

    done = send_calls_due(at=timezone.now())

    redemption.refresh_from_db()
    assert (waited, done) == (("placed", "shop"), 1)
    assert (redemption.state, redemption.outcome) == ("fulfilled", "CARD-7 https://shop.example/c/7")
    [body] = shopkeeper.bodies()
    assert (shopkeeper.got[0].headers["webhook-id"], body["type"]) == (f"ful_{redemption.public_id}", "reward.fulfil")
    assert body["data"] == {
        "redemption": redemption.public_id,
        "kind": "gift_card",
        "amount": "20.00",
        "currency": "EUR",
        "quantity": 2,
        "customer": "ann",
        "item": "card",
    }


def test_place_redemption_of_a_gift_card_without_an_endpoint_is_for_people(ann):
    redemption = redeem(ann, card())

    assert (redemption.state, redemption.waits_for, OutboundCall.objects.count()) == ("placed", "people", 0)


def test_cancel_redemption_before_the_call_drops_it(ann, shopkeeper):
    FulfilmentEndpoint.objects.create(kind="gift_card", url=shopkeeper.url)
    redemption = redeem(ann, card())

    cancel_redemption(redemption=redemption, reason="", actor=f"customer:{ann.pk}", at=day(1))
    send_calls_due(at=timezone.now())

    assert (shopkeeper.got, OutboundCall.objects.get().state) == ([], "dropped")


def test_cancel_redemption_after_the_call_asks_for_it_back(ann, shopkeeper):
    FulfilmentEndpoint.objects.create(kind="gift_card", url=shopkeeper.url)
    redemption = redeem(ann, card())
    send_calls_due(at=timezone.now())
    redemption.refresh_from_db()

    cancel_redemption(redemption=redemption, reason="mistake", actor="t", at=day(2), even_fulfilled=True)
    send_calls_due(at=timezone.now())

    assert [body["type"] for body in shopkeeper.bodies()] == ["reward.fulfil", "reward.reverse"]
    assert [what for what, _ in steps(redemption)][-2:] == ["taken_back", "taken_back"]


def test_fulfil_redemption_by_hand_meanwhile_is_not_asked_of_the_shop_too(ann, shopkeeper):
    FulfilmentEndpoint.objects.create(kind="gift_card", url=shopkeeper.url)
    redemption = redeem(ann, card())

    fulfil_redemption(redemption=redemption, outcome="MINE", actor="staff", at=day(1))
    send_calls_due(at=timezone.now())

    assert (shopkeeper.got, OutboundCall.objects.get().state, redemption.outcome) == ([], "dropped", "MINE")


def test_shop_that_is_gone_leaves_the_redemption_to_people(ann, shopkeeper):
    FulfilmentEndpoint.objects.create(kind="gift_card", url=shopkeeper.url)
    shopkeeper.answers = [Response("", 410)]
    redemption = redeem(ann, card())

    send_calls_due(at=timezone.now())

    redemption.refresh_from_db()
    assert (redemption.state, redemption.waits_for) == ("placed", "people")
    assert steps(redemption)[-1] == ("unanswered", "the shop could not be asked: answered 410")


def test_place_redemption_of_a_perk_gives_it_and_invites_to_its_events(ann):
    lounge = Perk.objects.create(slug="lounge", title="Lounge")
    event = open_for(lounge)

    redemption = redeem(ann, make_item("lounge-pass", kind="perk", what="lounge"))

    assert (redemption.state, redemption.outcome) == ("fulfilled", "")
    assert perk_slugs_of(ann) == ["lounge"]
    assert audience_of(event).get() == ann
    assert EventInvitation.objects.get().customer == ann
    assert perks([ann.pk], ["lounge", "other"]) == {ann.pk: {"lounge": True, "other": False}}


def test_cancel_redemption_of_a_perk_takes_it_back(ann):
    redemption = redeem(ann, make_item("lounge-pass", kind="perk", what="lounge"))
    had = perk_slugs_of(ann)

    cancel_redemption(redemption=redemption, reason="mistake", actor="t", at=day(2), even_fulfilled=True)

    assert (redemption.state, had, perk_slugs_of(ann)) == ("cancelled", ["lounge"], [])


def test_fail_redemption_that_waits_for_codes_gives_points_back(ann):
    make_pool()
    redemption = redeem(ann, voucher())

    fail_redemption(redemption=redemption, reason="discontinued", actor="t", at=day(2))

    assert (redemption.state, redemption.due_at, available(ann)) == ("failed", None, 500)


def test_redemptions_page_shows_the_code_at_once_and_says_that_one_waits(client, ann):
    client.force_login(UserFactory(email="ann@shop.example"))
    make_pool(codes=["AAA-1"], gives="10 % off", valid_days=3650)
    redeem(ann, voucher())
    redeem(ann, make_item("other", kind="coupon", what="EMPTY"))

    page = client.get("/redemptions/").content.decode()

    assert "<code>AAA-1</code>" in page
    assert "10 % off · Good until" in page
    assert "New ones are being made." in page
