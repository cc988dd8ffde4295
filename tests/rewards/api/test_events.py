"""Events, the one way in: what is answered, and what bad input gets."""

import pytest

from core.models import Delivery
from referrals import handlers
from referrals.models import Customer, Event, Referral
from rewards.models import Reward, Transfer

pytestmark = pytest.mark.django_db


def counts():
    return tuple(model.objects.count() for model in (Event, Customer, Referral, Reward, Transfer, Delivery))


def test_post_events_answers_with_the_decision(api, code, fact):
    answer = api.post("events", fact(referral={"code": code}, customer={"external_id": "bob", "name": "Bob"}))

    body = answer.json()
    assert answer.status_code == 201
    assert (body["event_id"], body["status"], body["settled"], body["warnings"]) == (
        "order-1001-paid",
        "accepted",
        True,
        [],
    )
    referral = body["referral"]
    assert {key: referral[key] for key in ("program", "state", "advocate", "friend", "reason")} == {
        "program": "refer-a-friend",
        "state": "qualified",
        "advocate": "ann",
        "friend": "bob",
        "reason": None,
    }
    assert body["referrals"] == [referral]
    told = [
        {key: reward[key] for key in ("rule", "to", "kind", "points", "coupon", "state", "available_at", "reason")}
        for reward in body["rewards"]
    ]
    assert told == [
        {
            "rule": "advocate-fixed",
            "to": "ann",
            "kind": "points",
            "points": 500,
            "coupon": None,
            "state": "pending",
            "available_at": "2026-03-15T10:00:00Z",
            "reason": None,
        },
        {
            "rule": "friend-welcome",
            "to": "bob",
            "kind": "points",
            "points": 100,
            "coupon": None,
            "state": "available",
            "available_at": "2026-03-01T10:00:00Z",
            "reason": None,
        },
    ]


def test_post_events_again_is_a_duplicate_with_the_same_decision(api, code, fact):
    first = api.post("events", fact(referral={"code": code})).json()
    before = counts()

    again = api.post("events", fact(referral={"code": code}))

    assert again.status_code == 200
    assert again.json() == first | {"status": "duplicate"}
    assert counts() == before


def test_post_events_with_the_same_id_and_another_body_is_refused(api, code, fact):
    api.post("events", fact(referral={"code": code}))
    before = counts()

    answer = api.post("events", fact(referral={"code": code}, channel="email"))

    assert (answer.status_code, answer.json()["code"]) == (409, "event_id_reused")
    assert answer["Content-Type"] == "application/problem+json"
    assert counts() == before


def test_post_events_of_a_known_order_is_a_duplicate(api, code, fact):
    api.post("events", fact(referral={"code": code}))
    before = counts()

    answer = api.post("events", fact("another-id", referral={"code": code}))

    assert (answer.status_code, answer.json()["status"], answer.json()["event_id"]) == (
        200,
        "duplicate",
        "order-1001-paid",
    )
    assert counts() == before


@pytest.mark.parametrize(
    "change",
    [
        {"customer": {"external_id": "eve"}},
        {"order": {"id": "1001", "amount": "60.00", "currency": "EUR"}},
        {"order": {"id": "1001", "amount": "59.90", "currency": "USD"}},
    ],
)
def test_post_events_of_a_known_order_with_another_value_is_refused(api, fact, change):
    api.post("events", fact())
    before = (Event.objects.count(), Reward.objects.count())

    answer = api.post("events", fact("another-id", **change))

    assert (answer.status_code, answer.json()["code"]) == (409, "order_id_reused")
    assert (Event.objects.count(), Reward.objects.count()) == before
    assert not Customer.objects.filter(external_id="eve").exists()


BAD = {
    "unknown field": ({"colour": "red"}, "/colour"),
    "unknown nested field": ({"customer": {"external_id": "bob", "age": 3}}, "/customer/age"),
    "unknown type": ({"type": "party"}, "/type"),
    "no zone": ({"occurred_at": "2026-03-01T10:00:00"}, "/occurred_at"),
    "no date": ({"occurred_at": "yesterday"}, "/occurred_at"),
    "too far ahead": ({"occurred_at": "2026-03-11T12:00:01Z"}, "/occurred_at"),
    "negative": ({"order": {"id": "1", "amount": "-1.00", "currency": "EUR"}}, "/order/amount"),
    "over-precise": ({"order": {"id": "1", "amount": "1.001", "currency": "EUR"}}, "/order/amount"),
    "over-precise yen": ({"order": {"id": "1", "amount": "1.5", "currency": "JPY"}}, "/order/amount"),
    "number for text": ({"order": {"id": "1", "amount": 1.5, "currency": "EUR"}}, "/order/amount"),
    "currency": ({"order": {"id": "1", "amount": "1.00", "currency": "XXY"}}, "/order/currency"),
    "no order": ({"order": None}, "/order"),
    "no customer": ({"customer": None}, "/customer"),
    "nobody": ({"customer": {"name": "Bob"}}, "/customer/external_id"),
    "email": ({"customer": {"external_id": "bob", "email": "bob"}}, "/customer/email"),
    "control character": ({"event_id": "a\u0000b"}, "/event_id"),
    "attributes": ({"attributes": [1]}, "/attributes"),
    "nul in attributes": ({"attributes": {"a": "\u0000"}}, "/attributes"),
}


@pytest.mark.parametrize("what", BAD)
def test_post_events_refuses_bad_values_with_a_pointer_and_keeps_nothing(api, fact, what):
    change, pointer = BAD[what]

    answer = api.post("events", fact() | change)

    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert counts() == (0, 0, 0, 0, 0, 0)


def test_post_events_without_a_key_or_scope_is_refused(api, reader, client, fact):
    statuses = [
        client.post("/api/v1/events", fact(), content_type="application/json").status_code,
        client.post(
            "/api/v1/events", fact(), content_type="application/json", headers={"authorization": "Bearer x.y"}
        ).status_code,
        reader.post("events", fact()).status_code,
    ]

    assert statuses == [401, 401, 403]
    assert Event.objects.count() == 0


def test_post_events_over_a_megabyte_is_refused(api, fact):
    answer = api.post("events", fact(attributes={"a": "x" * 1_100_000}))

    assert answer.status_code == 413
    assert Event.objects.count() == 0


def test_post_events_with_an_unknown_code_is_accepted_and_noted(api, code, fact):
    answer = api.post("events", fact(referral={"code": "NOSUCH7"}))

    body = answer.json()
    assert (answer.status_code, body["warnings"], body["referral"], body["rewards"]) == (
        201,
        ["unknown_code"],
        None,
        [],
    )


def test_post_events_takes_the_next_evidence_after_an_unknown_click(api, code, fact):
    answer = api.post("events", fact(referral={"code": code, "click_id": "clk_unknown"}))

    assert (answer.json()["warnings"], answer.json()["referral"]["state"]) == (["unknown_click"], "qualified")


def test_post_events_knows_a_guest_by_email_and_later_by_id(api, code, fact):
    guest = api.post("events", fact(customer={"email": "Bob@example.com"}, referral={"code": code})).json()
    known = api.post(
        "events",
        fact(
            "o2",
            customer={"external_id": "bob", "email": "bob@example.com"},
            order={"id": "2", "amount": "5.00", "currency": "EUR"},
        ),
    ).json()

    assert guest["referral"]["friend"].startswith("email:")
    assert "bob@" not in guest["referral"]["friend"]
    assert known["referral"]["friend"] == "bob"
    assert known["referral"]["id"] == guest["referral"]["id"]
    assert Customer.objects.exclude(external_id="ann").count() == 1


def test_post_events_batch_answers_in_order_and_spoils_nothing(api, code, fact):
    bad = fact("bad", order={"id": "9", "amount": "x", "currency": "EUR"})

    answer = api.post("events/batch", [fact("s", "signup", referral={"code": code}), bad, fact(), fact(), "nonsense"])

    body = answer.json()
    assert answer.status_code == 200
    assert [(one["event_id"], one["status"]) for one in body] == [
        ("s", "accepted"),
        ("bad", "rejected"),
        ("order-1001-paid", "accepted"),
        ("order-1001-paid", "duplicate"),
        (None, "rejected"),
    ]
    assert body[1]["error"]["errors"][0]["pointer"] == "/order/amount"
    assert body[2]["referral"]["state"] == "qualified"


def test_post_events_batch_over_a_thousand_is_refused(api, fact):
    answer = api.post("events/batch", [fact(str(number), "signup") for number in range(1001)])

    assert answer.status_code == 422
    assert Event.objects.count() == 0


def test_post_events_is_accepted_when_a_rule_fails_and_settled_later(api, code, fact, monkeypatch, settle):
    with monkeypatch.context() as broken:
        broken.setattr("rewards.handlers.settle_referral", lambda **_: 1 / 0)
        body = api.post("events", fact(referral={"code": code})).json()

    assert (body["settled"], body["referral"]["state"], body["rewards"]) == (False, "qualified", [])
    settled = api.post("events/order-1001-paid/settle").json()
    assert (settled["settled"], [reward["rule"] for reward in settled["rewards"]]) == (
        True,
        ["advocate-fixed", "friend-welcome"],
    )


def test_get_event_returns_the_fact_with_its_decision_as_it_stands(api, code, fact):
    api.post("events", fact(referral={"code": code}))
    refund = fact("refund-1", "refund", at="2026-03-02T10:00:00Z")
    told = api.post("events", refund).json()

    body = api.get("events/order-1001-paid").json()

    assert told["referral"]["state"] == "reversed"
    assert [(reward["rule"], reward["state"], reward["points"]) for reward in told["rewards"]] == [
        ("advocate-fixed", "cancelled", 0)
    ]
    assert body["referral"]["state"] == "reversed"
    assert body["event"]["order"] == {"id": "1001", "amount": "59.90", "currency": "EUR"}
    assert api.get("events/none").status_code == 404


def test_record_event_counts_the_same_order_once_even_when_the_check_is_blind(api, code, fact, monkeypatch):
    """The database itself keeps an order from being bought twice."""
    api.post("events", fact(referral={"code": code}))
    monkeypatch.setattr("referrals.services.events._known", lambda *_: None)

    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        api.post("events", fact("another-id", referral={"code": code}))

    assert Reward.objects.filter(rule="advocate-fixed").count() == 1


def test_attribute_is_what_binds(api, code, fact, monkeypatch):
    """Without the handler nothing is bound: the tests above would fail."""
    monkeypatch.setattr(handlers, "judge_event", lambda **_: None)

    assert api.post("events", fact(referral={"code": code})).json()["referral"] is None
