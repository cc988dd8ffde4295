"""Fifty times the same request at the same instant: one effect, and every answer says the same of it."""

from collections import Counter
from functools import partial

import pytest
from django.test import Client

from accounts.services import create_api_key
from core.api import idempotency
from core.models import IdempotentRequest
from referrals.models import Event, Referral
from referrals.services import events
from rewards.models import Reward, Transfer
from tests.races.threads import at_once
from tests.shop import Shop, assert_books_balance

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = 50


class NothingRuns(set):
    """As seen from fifty processes, none of which knows what the others do."""

    def __contains__(self, item):
        return False


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def order(shop):
    """The friend's first order, as the shop reports it."""
    return shop.purchase("bob", shop.now, "1001", "59.90", code=shop.code_of("ann"), event_id="order-1001-paid")


@pytest.fixture
def key():
    return create_api_key(name="shop", scopes=["write"])[1]


@pytest.fixture(params=["one process", "many processes"])
def processes(request, monkeypatch):
    if request.param == "many processes":  # the database alone must do
        monkeypatch.setattr(idempotency, "_running", NothingRuns())


def post(key, path, body, **headers):
    caller = Client(headers={"Authorization": f"Bearer {key}"} | headers, raise_request_exception=False)
    return caller.post(f"/api/v1/{path}", body, content_type="application/json")


def fifty(key, path, body, **headers):
    """Send the request fifty times at once; return the answers that are first ones, replayed ones, and the others."""
    answers = at_once([partial(post, key, path, body, **headers)] * TIMES)
    replayed = [one for one in answers if "Idempotency-Replayed" in one]
    first = [one for one in answers if one.status_code == 201 and one not in replayed]
    others = [one for one in answers if one not in replayed and one not in first]
    return first, replayed, others


def told(answers):
    return Counter((one.status_code, one.json().get("code") or one.json().get("status")) for one in answers)


def assert_one_conversion(shop):
    assert (Event.objects.count(), Referral.objects.count()) == (1, 1)
    assert Counter(Reward.objects.values_list("rule", "points", "state")) == {
        ("advocate-fixed", 500, "pending"): 1,
        ("advocate-share", 2, "pending"): 1,
        ("friend-welcome", 100, "available"): 1,
    }
    assert shop.points("ann") == (0, 502, 0)
    assert_books_balance()


def test_post_events_fifty_times_with_one_key_is_one_conversion(shop, order, key, processes):
    first, replayed, others = fifty(key, "events", order, **{"Idempotency-Key": "k-1"})
    again = post(key, "events", order, **{"Idempotency-Key": "k-1"})

    assert len(first) == 1
    assert {(one.status_code, one.content) for one in (*replayed, again)} == {(201, first[0].content)}
    assert set(told(others)) <= {(409, "request_in_progress")}
    assert {one["Retry-After"] for one in others} <= {"1"}
    assert again["Idempotency-Replayed"] == "true"
    assert_one_conversion(shop)


def test_post_events_fifty_times_without_a_key_is_one_conversion(shop, order, key):
    first, replayed, others = fifty(key, "events", order)

    assert (len(first), replayed) == (1, [])
    assert told(others) == {(200, "duplicate"): TIMES - 1}
    assert {one.json()["event_id"] for one in others} == {"order-1001-paid"}
    assert_one_conversion(shop)


def test_post_events_fifty_times_with_other_ids_of_one_order_is_one_conversion(shop, order, key):
    bodies = [order | {"event_id": f"order-1001-{number}"} for number in range(TIMES)]

    answers = at_once([partial(post, key, "events", body) for body in bodies])

    assert told(answers) == {(201, "accepted"): 1, (200, "duplicate"): TIMES - 1}
    assert len({one.json()["event_id"] for one in answers}) == 1, "each is told which event it is"
    assert_one_conversion(shop)


def test_post_events_fifty_values_of_one_id_keep_one_and_refuse_the_rest(shop, order, key):
    bodies = [order | {"order": order["order"] | {"amount": f"{number}.90"}} for number in range(30, 30 + TIMES)]

    answers = at_once([partial(post, key, "events", body) for body in bodies])

    assert told(answers) == {(201, "accepted"): 1, (409, "event_id_reused"): TIMES - 1}
    assert (Event.objects.count(), Reward.objects.filter(rule="advocate-fixed").count()) == (1, 1)
    assert_books_balance()


def test_post_adjustments_fifty_times_with_one_key_gives_once(shop, key, processes):
    """Points by hand have no id of their own: the key alone keeps them one."""
    shop.code_of("ann")
    body = {"points": 10, "reason": "sorry"}

    first, replayed, others = fifty(key, "customers/ann/adjustments", body, **{"Idempotency-Key": "k-1"})

    assert (len(first), {one.content for one in replayed} - {first[0].content}) == (1, set())
    assert set(told(others)) <= {(409, "request_in_progress")}
    assert shop.points("ann") == (10, 0, 0)
    assert_books_balance()


def test_post_adjustments_without_what_the_key_remembers_would_give_fifty_times(shop, key, monkeypatch):
    """The sabotage twin: no lock, no look at the first answer, nothing kept of it."""
    shop.code_of("ann")
    monkeypatch.setattr(idempotency, "_running", NothingRuns())
    monkeypatch.setattr(idempotency, "_take_lock", lambda caller, key: None)
    monkeypatch.setattr(idempotency, "_replay", lambda request, caller, key: None)
    monkeypatch.setattr(IdempotentRequest.objects, "create", lambda **fields: None)

    first, _, _ = fifty(key, "customers/ann/adjustments", {"points": 10, "reason": "sorry"}, **{"Idempotency-Key": "k"})

    assert len(first) > 1
    assert shop.points("ann") == (10 * len(first), 0, 0)


def test_post_events_that_does_not_look_again_after_a_collision_would_answer_bugs(shop, order, key, monkeypatch):
    """The sabotage twin: the database still keeps the fact one, but forty-nine callers hear of a fault."""
    monkeypatch.setattr(events, "_known", lambda fact: None)

    first, _, others = fifty(key, "events", order)

    assert (len(first), told(others)) == (1, {(500, "internal_error"): TIMES - 1})
    assert Transfer.objects.filter(kind="grant").count() == 3
    assert_one_conversion(shop)
