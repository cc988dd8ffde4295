"""What people do: the work list, choices, payouts."""

import json

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from core.errors import Invalid
from messaging.models import Message
from rewards.models import (
    ChoiceGroup,
    ChoiceOption,
    Fulfilment,
    FulfilmentEndpoint,
    OutboundCall,
    PayoutBatch,
    PayoutItem,
)
from rewards.services import payouts
from rewards.services.choosing import NothingToChoose, choose_reward
from rewards.services.fulfilling import FulfilmentInWrongState, retry_fulfilment
from rewards.services.handiwork import decline_handiwork, finish_handiwork
from rewards.services.payouts import (
    BatchInWrongState,
    NoEndpoint,
    NothingToPay,
    SamePerson,
    approve_payout,
    call_payout,
    create_payout,
    discard_payout,
    hand_over_payout,
    settle_item,
)
from tests.factories import UserFactory
from tests.rewards.fulfilment.conftest import make_pool, states, work
from tests.shop import assert_books_balance, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def handiwork(gift_shop):
    shop = gift_shop("manual: Plant a tree")
    reward = shop.earn()
    shop.release()
    return shop, reward


def order_of(reward):
    return Fulfilment.objects.select_related("reward").get(reward=reward)


def test_finish_handiwork_gives_the_reward_once(handiwork):
    _, reward = handiwork
    asked = states(reward)

    finish_handiwork(order=order_of(reward), note="an oak", actor="boss", at=day(15))

    assert asked == ("available", "asked")
    assert states(reward) == ("fulfilled", "done")
    step = reward.steps.order_by("pk").last()
    assert (step.what, step.why, step.actor) == ("fulfilled", "an oak", "boss")
    with pytest.raises(FulfilmentInWrongState):
        finish_handiwork(order=order_of(reward), note="a beech", actor="boss", at=day(16))
    assert order_of(reward).note == "an oak"


def test_finish_handiwork_without_a_note_is_refused(handiwork):
    _, reward = handiwork

    with pytest.raises(Invalid):
        finish_handiwork(order=order_of(reward), note=" ", actor="boss", at=day(15))
    assert states(reward) == ("available", "asked")


def test_decline_handiwork_fails_the_reward_until_it_is_tried_again(handiwork):
    _, reward = handiwork

    decline_handiwork(order=order_of(reward), reason="no ground", actor="boss", at=day(15))
    failed = states(reward)
    retry_fulfilment(order=order_of(reward), why="ground bought", actor="boss", at=day(16))
    work(16)

    assert failed == ("failed", "failed")
    assert states(reward) == ("available", "asked")


def test_take_back_handiwork_puts_what_is_done_back_on_the_list(handiwork):
    shop, reward = handiwork
    finish_handiwork(order=order_of(reward), note="an oak", actor="boss", at=day(15))

    shop.refund_all(at=20)
    listed = states(reward)
    finish_handiwork(order=order_of(reward), note="felled it", actor="boss", at=day(21))

    assert listed == ("revoked", "take_back")
    assert states(reward) == ("revoked", "stopped")


def test_take_back_handiwork_that_is_open_takes_it_off_the_list(handiwork):
    shop, reward = handiwork

    shop.refund_all(at=20)

    assert states(reward) == ("revoked", "stopped")
    with pytest.raises(FulfilmentInWrongState):
        finish_handiwork(order=order_of(reward), note="an oak", actor="boss", at=day(21))
    assert states(reward) == ("revoked", "stopped")


@pytest.mark.parametrize(("gift", "what"), [("perk: early-access", "early-access"), ("badge: connector", "connector")])
def test_fulfil_mark_is_given_at_once(gift_shop, gift, what):
    shop = gift_shop(gift)
    reward = shop.earn()

    shop.release()

    assert states(reward) == ("fulfilled", "done")
    assert reward.detail == {"what": what}
    assert not Message.objects.filter(kind="gift_ready").exists()


# Choices


def make_group() -> ChoiceGroup:
    group = ChoiceGroup.objects.create(name="thank-you", title="Choose your thank-you")
    options: list[dict] = [
        {"name": "300 points", "kind": "points", "points": 300},
        {"name": "A coupon", "kind": "coupon", "what": "THANKS10"},
        {"name": "A tree", "kind": "manual", "what": "Plant a tree"},
        {"name": "Ten in cash", "kind": "cash", "amount_minor": 1000, "currency": "EUR"},
        {"name": "Sold out", "kind": "perk", "what": "gone", "offered": False},
    ]
    for place, fields in enumerate(options):
        ChoiceOption.objects.create(group=group, place=place, **fields)
    return group


@pytest.fixture
def choice(gift_shop):
    group = make_group()
    shop = gift_shop("choice: thank-you")
    reward = shop.earn()
    shop.release()
    states(reward)
    return shop, reward, {option.kind: option for option in group.options.select_related("group")}


def test_fulfil_choice_asks_the_customer(choice):
    _, reward, _ = choice

    assert states(reward) == ("available", "asked")
    assert Message.objects.get(kind="choose_gift").context["title"] == "Choose your thank-you"


def test_fulfil_choice_of_a_group_that_does_not_exist_waits_for_it(gift_shop):
    shop = gift_shop("choice: thank-you")
    reward = shop.earn()
    shop.release()
    waiting = states(reward)

    make_group()
    work(15)

    assert waiting == ("available", "due")
    assert states(reward) == ("available", "asked")


def test_choose_reward_points_are_booked_like_any_reward(choice):
    shop, reward, options = choice

    choose_reward(reward=reward, option=options["points"], at=day(15), actor="ann")

    assert states(reward) == ("fulfilled", "done")
    assert shop.points("ann") == (300, 0, 0)
    [lot] = reward.lots.all()
    assert (lot.remaining, lot.expires_at) == (300, day(15 + 365))
    assert reward.detail["chosen"] == "300 points"
    assert_books_balance()


def test_choose_reward_points_are_taken_back_with_the_order(choice):
    shop, reward, options = choice
    choose_reward(reward=reward, option=options["points"], at=day(15))

    shop.refund_all(at=20)

    assert states(reward) == ("revoked", "stopped")
    assert shop.points("ann") == (0, 0, 0)
    assert_books_balance()


def test_choose_reward_points_that_were_spent_become_debt(choice):
    from rewards.services.adjustments import adjust_points

    shop, reward, options = choice
    choose_reward(reward=reward, option=options["points"], at=day(15))
    adjust_points(customer=reward.recipient, points=-250, reason="spent", actor="boss", at=day(16))

    shop.refund_all(at=20)

    assert shop.points("ann") == (0, 0, 250)
    assert_books_balance()


def test_choose_reward_stays_chosen_when_the_referral_is_judged_again(choice):
    shop, reward, options = choice
    choose_reward(reward=reward, option=options["points"], at=day(15))

    shop.report(shop.purchase("bob", day(17), "2", "80.00"), at=day(17))

    assert states(reward) == ("fulfilled", "done")
    assert shop.points("ann") == (300, 0, 0)
    assert_books_balance()


def test_choose_reward_is_given_by_its_kind(choice):
    make_pool(codes=["AAA-1"])
    _, reward, options = choice

    chosen = choose_reward(reward=reward, option=options["coupon"], at=day(15))

    assert states(reward) == ("fulfilled", "done")
    assert chosen.detail["coupon"] == "AAA-1"


def test_choose_reward_a_second_time_is_refused(choice):
    shop, reward, options = choice
    choose_reward(reward=reward, option=options["manual"], at=day(15))

    with pytest.raises(NothingToChoose):
        choose_reward(reward=reward, option=options["points"], at=day(16))

    assert states(reward) == ("available", "asked")
    assert (order_of(reward).kind, order_of(reward).what) == ("manual", "Plant a tree")
    assert shop.points("ann") == (0, 0, 0)


def test_choose_reward_that_is_not_offered_or_of_another_group_is_refused(choice):
    _, reward, options = choice
    other = ChoiceGroup.objects.create(name="other", title="Other")
    stray = ChoiceOption.objects.create(group=other, name="Stray", kind="points", points=9000)

    for option in (options["perk"], stray):
        with pytest.raises(Invalid):
            choose_reward(reward=reward, option=option, at=day(15))

    assert states(reward) == ("available", "asked")


def test_choose_reward_taken_back_is_refused(choice):
    shop, reward, options = choice
    shop.refund_all(at=20)
    reward.refresh_from_db()

    with pytest.raises(NothingToChoose):
        choose_reward(reward=reward, option=options["points"], at=day(21))

    assert shop.points("ann") == (0, 0, 0)


# Payouts


@pytest.fixture
def cash(gift_shop):
    """Ann has earned 10.00 twice; two people of the staff."""
    shop = gift_shop('cash: "10.00"')
    rewards = [shop.earn("bob", "1"), shop.earn("cleo", "2")]
    shop.release()
    return shop, rewards, UserFactory(email="one@shop.example"), UserFactory(email="two@shop.example")


def approved(cash) -> PayoutBatch:
    _, _, one, two = cash
    batch = create_payout(currency="EUR", minimum_minor=0, by=one, at=day(15))
    return approve_payout(batch=batch, by=two, at=day(15))


def test_create_payout_collects_each_reward_once_above_the_minimum(cash):
    _, rewards, one, _ = cash

    with pytest.raises(NothingToPay):
        create_payout(currency="EUR", minimum_minor=2001, by=one, at=day(15))
    with pytest.raises(NothingToPay):
        create_payout(currency="USD", minimum_minor=0, by=one, at=day(15))
    none = PayoutBatch.objects.count()
    batch = create_payout(currency="EUR", minimum_minor=2000, by=one, at=day(15))
    with pytest.raises(NothingToPay):
        create_payout(currency="EUR", minimum_minor=0, by=one, at=day(15))

    assert none == 0
    assert {item.fulfilment.reward for item in batch.items.all()} == set(rewards)
    assert {states(reward) for reward in rewards} == {("available", "asked")}


def test_approve_payout_by_who_made_it_is_refused(cash):
    _, _, one, two = cash
    batch = create_payout(currency="EUR", minimum_minor=0, by=one, at=day(15))

    with pytest.raises(SamePerson):
        approve_payout(batch=batch, by=one, at=day(15))
    kept = PayoutBatch.objects.get().state
    approve_payout(batch=batch, by=two, at=day(15))

    assert kept == "draft"
    assert PayoutBatch.objects.get().state == "approved"
    with pytest.raises(BatchInWrongState):
        approve_payout(batch=batch, by=two, at=day(16))


def test_approve_payout_sabotaged_is_caught_by_the_database(cash, monkeypatch):
    """Were nobody asked whether it is the same person, the table itself would still refuse."""
    _, _, one, _ = cash
    batch = create_payout(currency="EUR", minimum_minor=0, by=one, at=day(15))
    monkeypatch.setattr(payouts, "is_same_person", lambda batch, by: False)

    with pytest.raises(IntegrityError), transaction.atomic():
        approve_payout(batch=batch, by=one, at=day(15))
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutBatch.objects.update(approved_by=F("created_by"))


def test_settle_item_pays_and_fails_one_by_one_and_closes_the_batch(cash):
    _, rewards, _, _ = cash
    batch = approved(cash)
    first, second = batch.items.order_by("fulfilment__reward")

    settle_item(item=first, paid=True, note="", actor="two", at=day(16))
    settle_item(item=second, paid=False, note="account closed", actor="two", at=day(16))

    assert [states(reward) for reward in rewards] == [("fulfilled", "done"), ("failed", "failed")]
    batch.refresh_from_db()
    assert batch.state == "closed"
    with pytest.raises(BatchInWrongState):
        settle_item(item=second, paid=True, note="", actor="two", at=day(17))
    assert states(rewards[1]) == ("failed", "failed")


def test_settle_item_that_failed_can_be_paid_with_the_next_payout(cash):
    _, rewards, one, _ = cash
    for item in approved(cash).items.order_by("pk"):
        settle_item(item=item, paid=False, note="no account", actor="two", at=day(16))
    retry_fulfilment(order=order_of(rewards[0]), why="account given", actor="two", at=day(17))
    work(17)

    batch = create_payout(currency="EUR", minimum_minor=0, by=one, at=day(18))

    assert [item.fulfilment.reward for item in batch.items.all()] == [rewards[0]]


def test_settle_item_of_a_draft_is_refused(cash):
    _, rewards, one, _ = cash
    batch = create_payout(currency="EUR", minimum_minor=0, by=one, at=day(15))

    with pytest.raises(BatchInWrongState):
        settle_item(item=batch.items.first(), paid=True, note="", actor="one", at=day(16))

    assert states(rewards[0]) == ("available", "asked")
    assert PayoutItem.objects.filter(state="open").count() == 2


def test_discard_payout_lets_its_rewards_wait_for_another(cash):
    _, _, one, _ = cash
    batch = approved(cash)

    discard_payout(batch=batch, at=day(16))
    again = create_payout(currency="EUR", minimum_minor=0, by=one, at=day(16))

    assert again.items.count() == 2
    assert PayoutItem.objects.filter(batch=batch, state="removed").count() == 2


def test_call_payout_sends_it_once_and_needs_an_endpoint(cash):
    batch = approved(cash)
    with pytest.raises(NoEndpoint):
        call_payout(batch=batch, at=day(16))
    kept = PayoutBatch.objects.get().state
    FulfilmentEndpoint.objects.create(kind="cash", url="https://shop.example/pay")

    [call] = call_payout(batch=batch, at=day(16))

    assert kept == "approved"
    assert [(item["customer"], item["amount"]) for item in call.payload["items"]] == [("ann", "10.00")] * 2
    with pytest.raises(BatchInWrongState):
        call_payout(batch=batch, at=day(17))
    assert OutboundCall.objects.count() == 1
    assert len(json.dumps(call.payload)) < 20_000


def test_take_back_payout_takes_it_out_of_a_batch_that_is_not_handed_over(cash):
    shop, rewards, _, _ = cash
    batch = approved(cash)

    shop.refund_all("bob", "1", at=20)

    assert states(rewards[0]) == ("revoked", "stopped")
    assert list(batch.items.order_by("fulfilment__reward").values_list("state", flat=True)) == ["removed", "open"]


def test_take_back_payout_that_was_handed_over_lands_on_the_work_list(cash):
    shop, rewards, _, _ = cash
    batch = approved(cash)
    hand_over_payout(batch=batch, at=day(16))

    shop.refund_all("bob", "1", at=20)
    shop.refund_all("cleo", "2", at=20)

    assert [states(reward) for reward in rewards] == [("revoked", "take_back")] * 2
    batch.refresh_from_db()
    assert batch.state == "closed"
