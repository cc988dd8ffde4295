"""Payouts: collected once, approved by a second person, settled one by one."""

import json

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from rewards.models import FulfilmentEndpoint, OutboundCall, PayoutBatch, PayoutItem
from rewards.services import payouts
from rewards.services.fulfilling import retry_fulfilment
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
from tests.rewards.fulfilment.conftest import order_of, states, work
from tests.shop import day

pytestmark = pytest.mark.django_db


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
