"""Fifty decide one reward at the same moment: one wins, the others are told what became of it."""

from functools import partial

import pytest
from django.db import connection
from django.test import Client

from accounts.services import create_api_key
from rewards.models import Account, Reward
from rewards.services import grants, reviewing
from rewards.services.book import Book
from tests.races.threads import at_once
from tests.shop import Shop, assert_books_balance, day

pytestmark = pytest.mark.django_db(transaction=True)

POINTS = 500


@pytest.fixture
def held() -> Reward:
    """The advocate's reward, held by staff while its hold passed."""
    shop = Shop()
    shop.report(shop.purchase("bob", day(0), "1", "59.90", code=shop.code_of("ann")), at=day(0))
    reward = Reward.objects.get(rule="advocate-fixed")
    return reviewing.hold_reward(reward=reward, note="look", actor="staff", at=day(1))


@pytest.fixture
def key() -> str:
    return create_api_key(name="staff", scopes=["write"], publishable=False)[1]


def decide(key: str, reward: Reward, step: str) -> tuple[str, int, str]:
    """Post a decision; return it with the status and detail of the answer."""
    desk = Client(headers={"Authorization": f"Bearer {key}"}, raise_request_exception=False)
    answer = desk.post(
        f"/api/v1/rewards/{reward.public_id}/{step}", {"reason": "at once"}, content_type="application/json"
    )
    told = answer.json() if answer.status_code < 500 else {}
    return step, answer.status_code, f"{told.get('code', '')}: {told.get('detail', '')}"


def all_at_once(key: str, reward: Reward) -> tuple[list[tuple[str, int, str]], list[object]]:
    """Let twenty approve, twenty cancel and ten workers release what is due; return the answers and the workers'."""
    calls = [partial(decide, key, reward, step) for _ in range(20) for step in ("approve", "cancel")]
    workers = [partial(grants.release_due, at=day(20)) for _ in range(10)]
    results = at_once([*calls, *workers])
    return results[:40], results[40:]


def test_approve_and_cancel_reward_fifty_at_once_lets_one_win(held, key):
    answers, released = all_at_once(key, held)

    assert sorted(released) == [0] * 9 + [1], "the other reward, which nobody holds"
    winners = [step for step, status, _ in answers if status == 200]
    held.refresh_from_db()
    assert len(winners) == 1
    assert (winners[0], held.state, held.points) in [("approve", "available", POINTS), ("cancel", "cancelled", 0)]
    others = [told for _, status, told in answers if status == 409]
    assert len(others) == 39
    assert all(told.startswith(f"wrong_state: the reward is {held.state}") for told in others)
    assert Account.objects.get(customer=held.recipient, kind="pending").balance == 0
    assert_books_balance()


def test_approve_and_cancel_reward_that_do_not_look_again_would_all_win(held, key, monkeypatch):
    """The sabotage twin: without the question after the lock, whoever comes later decides what is decided."""
    monkeypatch.setattr(reviewing._Desk, "refuse_unless", lambda self, possible, step: None)

    answers, _ = all_at_once(key, held)

    assert sum(status != 409 for _, status, _ in answers) == 40


def test_approve_and_cancel_reward_without_the_lock_are_caught_by_the_books(held, key, monkeypatch):
    """Without the row lock several see the reward undecided; the numbered entries refuse all but one of them."""
    if connection.vendor != "postgresql":
        return  # SQLite has no row lock to switch off: one transaction writes at a time

    def unlocked(customers):
        accounts = Account.objects.filter(customer__in=customers)
        return {(account.customer_id or 0, account.kind): account for account in accounts}

    monkeypatch.setattr(Book, "_lock", staticmethod(unlocked))

    answers, _ = all_at_once(key, held)

    assert any(status == 500 for _, status, _ in answers)
    assert sum(status == 200 for _, status, _ in answers) <= 1
