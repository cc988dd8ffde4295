"""What staff's machines decide on one reward, over the API."""

import pytest


@pytest.fixture
def reward(api, code, fact):
    """The advocate's pending reward for a friend's order, as the API shows it."""
    answer = api.post("events", fact(at="2026-03-09T10:00:00Z", referral={"code": code})).json()
    return next(one for one in answer["rewards"] if one["rule"] == "advocate-fixed")


def test_reward_is_shown_with_what_it_rests_on(api, reward):
    shown = api.get(f"rewards/{reward['id']}").json()

    assert (shown["kind"], shown["moment"], shown["held"], shown["detail"]) == ("points", "qualified", False, {})
    assert shown["inputs"]["net"] == "59.90 EUR"


def test_reward_is_held_and_approved(api, reward):
    held = api.post(f"rewards/{reward['id']}/hold", {"reason": "looks odd"}).json()
    approved = api.post(f"rewards/{reward['id']}/approve", {"reason": "called them"}).json()

    assert (held["held"], held["state"]) == (True, "pending")
    assert (approved["held"], approved["state"]) == (False, "pending")


def test_reward_is_cancelled_once_and_the_answer_names_the_state(api, reward):
    first = api.post(f"rewards/{reward['id']}/cancel", {"reason": "agreed"})
    second = api.post(f"rewards/{reward['id']}/approve", {"reason": "agreed"})

    assert (first.status_code, first.json()["state"], first.json()["reason"]) == (200, "cancelled", "by_staff")
    assert (second.status_code, second.json()["code"]) == (409, "wrong_state")
    assert "cancelled" in second.json()["detail"]


def test_reward_that_is_pending_cannot_be_revoked(api, reward):
    answer = api.post(f"rewards/{reward['id']}/revoke", {"reason": "no"})

    assert answer.status_code == 409
    assert api.get(f"rewards/{reward['id']}").json()["state"] == "pending"


def test_reward_reopened_is_the_one_that_stands_in_its_place(api, reward):
    api.post(f"rewards/{reward['id']}/cancel", {"reason": "a mistake"})

    fresh = api.post(f"rewards/{reward['id']}/reopen", {"reason": "it was right"}).json()

    assert fresh["id"] != reward["id"]
    assert (fresh["state"], fresh["points"]) == ("pending", 500)


@pytest.mark.parametrize("step", ["approve", "hold", "cancel", "revoke", "reopen"])
def test_reward_needs_a_reason(api, reward, step):
    answer = api.post(f"rewards/{reward['id']}/{step}", {})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/reason"


def test_reward_nobody_knows_is_not_found(api, code):
    assert api.get("rewards/rwd_unknown").status_code == 404
