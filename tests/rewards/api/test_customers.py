"""Customers over the API: who they are, what they have, where each point came from."""

import pytest

from referrals.models import Customer, Referral
from referrals.program_file import parse_program
from referrals.services.programs import apply_program
from rewards.models import Transfer
from tests.rewards.api.conftest import NOW

pytestmark = pytest.mark.django_db


def test_put_customer_creates_then_changes(api, code):
    created = api.put("customers/c-1", {"email": "ann@example.com", "name": "Ann"})
    changed = api.put("customers/c-1", {"name": "Ann Archer", "time_zone": "Europe/Berlin"})

    assert (created.status_code, changed.status_code) == (201, 200)
    body = changed.json()
    assert (body["email"], body["name"], body["time_zone"]) == ("ann@example.com", "Ann Archer", "Europe/Berlin")
    assert body["points"] == {"available": 0, "pending": 0, "debt": 0, "lifetime": 0, "redeemed": 0, "expired": 0}
    program = body["programs"][0]
    assert (program["program"], program["url"].rsplit("/", 1)[1]) == ("refer-a-friend", program["code"])
    assert set(program["referrals"]) == {
        "signed_up",
        "qualified",
        "approved",
        "flagged",
        "voided",
        "reversed",
        "expired",
    }
    assert body["badges"] == []


TIERED = """
program: refer-a-friend
name: Refer a friend
status: active
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {on: purchase}
hold_days: 0
rewards:
  - {id: advocate-fixed, to: advocate, on: qualified, points: 100}
tiers:
  window_days: 365
  levels:
    - {name: Bronze, from: 0}
    - {name: Silver, from: 1}
milestones:
  - {referrals: 1, badge: first-referral}
  - {referrals: 5, badge: connector, points: 500}
"""


def test_get_customer_tells_tier_next_milestone_and_badges(api, fact):
    apply_program(document=parse_program(TIERED), at=NOW)
    begins = api.put("customers/ann", {"name": "Ann"}).json()

    api.post("events", fact(referral={"code": begins["programs"][0]["code"]}))

    after = api.get("customers/ann").json()
    assert [(one["tier"], one["next_milestone"]) for one in (begins["programs"][0], after["programs"][0])] == [
        ({"name": "Bronze", "next": "Silver", "referrals_to_next": 1}, {"referrals": 1, "to_go": 1}),
        ({"name": "Silver", "next": None, "referrals_to_next": None}, {"referrals": 5, "to_go": 4}),
    ]
    assert (begins["badges"], after["badges"]) == ([], ["first-referral"])


def test_get_customer_of_a_program_without_tiers_has_none(api, code):
    program = api.get("customers/ann").json()["programs"][0]

    assert (program["tier"], program["next_milestone"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"email": "x"}, "/email"),
        ({"time_zone": "Mars"}, "/time_zone"),
        ({"points": 9}, "/points"),
        ({"locale": "!"}, "/locale"),
    ],
)
def test_put_customer_refuses_bad_values(api, body, pointer):
    answer = api.put("customers/c-1", body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert Customer.objects.count() == 0


def test_get_customer_of_nobody_is_not_found(api):
    assert api.get("customers/none").status_code == 404
    assert api.get("customers/none/ledger").status_code == 404


def test_get_customers_finds_by_email(api):
    api.put("customers/c-1", {"email": "ann@example.com"})
    api.put("customers/c-2", {"email": "bob@example.com"})

    found = api.get("customers?email=ANN@example.com").json()

    assert ([one["external_id"] for one in found["results"]], found["next"]) == (["c-1"], None)


def test_get_ledger_tells_every_movement_newest_first(api, code, fact, settle, now):
    api.post("events", fact(referral={"code": code}))
    settle(at=now.replace(day=20))

    entries = api.get("customers/ann/ledger").json()["results"]

    assert [(e["kind"], e["bucket"], e["points"], e["balance"]) for e in entries] == [
        ("release", "available", 500, 500),
        ("release", "pending", -500, 0),
        ("grant", "pending", 500, 500),
    ]
    assert entries[0]["cause"]["rule"] == "advocate-fixed"
    assert api.get("customers/ann").json()["points"]["lifetime"] == 500


def test_post_adjustments_gives_and_takes_with_a_reason(api, code):
    given = api.post("customers/ann/adjustments", {"points": 50, "reason": "goodwill"})
    taken = api.post("customers/ann/adjustments", {"points": -20, "reason": "mistake"})
    refused = api.post("customers/ann/adjustments", {"points": -31, "reason": "too much"})

    assert (given.status_code, given.json()["available"], taken.json()["available"]) == (201, 50, 30)
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_points")
    assert api.get("customers/ann").json()["points"]["available"] == 30
    assert Transfer.objects.count() == 2


def test_post_adjustments_with_a_key_twice_gives_once(api, code):
    answers = [
        api.post("customers/ann/adjustments", {"points": 50, "reason": "goodwill"}, **{"idempotency-key": "k1"})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert Transfer.objects.count() == 1


def test_get_referrals_filters_and_explains(api, code, fact, settle, now):
    api.post("events", fact("s", "signup", at="2026-02-28T10:00:00Z", referral={"code": code}))
    api.post("events", fact())
    settle(at=now.replace(day=20))
    referral = Referral.objects.get()

    found = api.get("referrals?advocate=ann&state=approved&program=refer-a-friend").json()["results"]
    none = api.get("referrals?state=voided").json()["results"]
    chain = api.get(f"referrals/{referral.public_id}/explain").json()

    assert ([one["id"] for one in found], none) == ([referral.public_id], [])
    assert api.get("referrals?state=odd").status_code == 422
    assert api.get("referrals?program=odd").status_code == 422
    assert [one["what"] for one in chain] == [
        "signed_up",
        "qualified",
        "reward_granted",
        "reward_released",
        "reward_granted",
        "ledger_grant",
        "ledger_release",
        "ledger_grant",
        "approved",
        "reward_released",
        "ledger_release",
    ]
    assert all(set(one) == {"at", "what", "why", "data"} for one in chain)


def test_post_void_and_reopen_take_back_and_give_again(api, code, fact):
    api.post("events", fact(referral={"code": code}))
    referral = Referral.objects.get()

    voided = api.post(f"referrals/{referral.public_id}/void", {"reason": "same household", "kind": "fraud"}).json()
    again = api.post(f"referrals/{referral.public_id}/void", {"reason": "again"})
    points = api.get("customers/ann").json()["points"]
    reopened = api.post(f"referrals/{referral.public_id}/reopen", {"reason": "it was a mistake"}).json()

    assert (voided["state"], voided["reason"], {r["state"] for r in voided["rewards"]}) == (
        "voided",
        "fraud",
        {"cancelled", "revoked"},
    )
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    assert (points["pending"], points["available"]) == (0, 0)
    assert reopened["state"] == "qualified"
    assert api.get("customers/ann").json()["points"]["pending"] == 500
    assert api.get("rewards?to=ann&state=pending").json()["results"][0]["rule"] == "advocate-fixed"
