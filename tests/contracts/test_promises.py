"""What the API promises in words, tried against a company with something in every state: errors, answers."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.api import idempotency
from referrals.models import Customer, Event
from rewards.models import Redemption, Transfer
from surveys.models import Invitation
from tests.contracts.test_guide import holds
from tests.rewards.goods import make_item, person

pytestmark = [pytest.mark.once, pytest.mark.django_db]

ANY = "…"
PROBLEM = {"type": ANY, "title": ANY, "status": ANY, "detail": ANY, "code": ANY}
EVENT = {
    "event_id": "e-1",
    "type": "purchase",
    "occurred_at": "2026-03-20T10:00:00Z",
    "customer": {"external_id": "bob"},
}
ORDER = {"id": "o-1", "amount": "10.00", "currency": "EUR"}


def event(**parts):
    return EVENT | {"customer": {"external_id": "bob"}, "order": ORDER} | parts


REFUSALS = [
    ("POST", "events", "{", {}, 400, "unreadable_body", None),
    ("GET", "customers", None, {"who": ""}, 401, "not_authenticated", None),
    ("GET", "customers", None, {"who": "wrong"}, 401, "wrong_key", None),
    ("GET", "customers", None, {"who": "write"}, 403, "insufficient_scope", None),
    ("POST", "events", event(), {"who": "read"}, 403, "insufficient_scope", None),
    ("GET", "nope", None, {}, 404, "not_found", None),
    ("GET", "customers/nobody", None, {}, 404, "not_found", None),
    ("GET", "customers/nobody/ledger", None, {}, 404, "not_found", None),
    ("POST", "customers/nobody/adjustments", {"points": 1, "reason": "x"}, {}, 404, "not_found", None),
    ("GET", "events/none", None, {}, 404, "not_found", None),
    ("GET", "referrals/none", None, {}, 404, "not_found", None),
    ("GET", "referrals/none/explain", None, {}, 404, "not_found", None),
    ("GET", "codes/NOPE", None, {}, 404, "unknown_code", None),
    ("GET", "metrics/none", None, {}, 404, "unknown_metric", None),
    ("GET", "surveys/none/score", None, {}, 404, "not_found", None),
    ("POST", "redemptions", {"customer": "eve", "item": "nps"}, {}, 409, "insufficient_points", None),
    ("POST", "redemptions", {"customer": "ann", "item": "gone"}, {}, 409, "out_of_stock", None),
    (
        "POST",
        "customers/ann/adjustments",
        {"points": -999, "reason": "x"},
        {},
        409,
        "insufficient_points",
        ["/points"],
    ),
    ("POST", "events", event(event_id="event-1"), {}, 409, "event_id_reused", ["/event_id"]),
    ("POST", "events", event(order=ORDER | {"id": "order-1"}), {}, 409, "order_id_reused", ["/order/id"]),
    ("POST", "events", event(customer={"external_id": "gone"}), {}, 409, "erased", ["/customer/external_id"]),
    ("POST", "events", " " * 1_000_001, {}, 413, "body_too_large", None),
    ("POST", "events", "event_id=1", {"kind": "text/plain"}, 415, "unsupported_media_type", None),
    ("POST", "events", event(colour="red"), {}, 422, "invalid_event", ["/colour"]),
    ("POST", "events", event(order=ORDER | {"amount": "-1.00"}), {}, 422, "invalid_event", ["/order/amount"]),
    ("POST", "events", event(order=ORDER | {"amount": "1.001"}), {}, 422, "invalid_event", ["/order/amount"]),
    ("POST", "events", event(order=ORDER | {"amount": 10}), {}, 422, "invalid_event", ["/order/amount"]),
    ("POST", "events", event(order=ORDER | {"currency": "EURO"}), {}, 422, "invalid_event", ["/order/currency"]),
    ("POST", "events", event(order=None), {}, 422, "invalid_event", ["/order"]),
    ("POST", "events", event(customer={}), {}, 422, "invalid_event", ["/customer/external_id"]),
    ("POST", "events", event(occurred_at="2099-01-01T00:00:00Z"), {}, 422, "invalid_event", ["/occurred_at"]),
    ("POST", "events", event(occurred_at="2026-03-20T10:00:00"), {}, 422, "invalid_event", ["/occurred_at"]),
    ("POST", "events/batch", [event()] * 1001, {}, 422, "invalid", [""]),
    ("PUT", "customers/ann", {"email": "no"}, {}, 422, "invalid", ["/email"]),
    ("PUT", "customers/ann", {"nick": "A"}, {}, 422, "invalid", ["/nick"]),
    ("POST", "customers/ann/adjustments", {"points": 1}, {}, 422, "invalid", ["/reason"]),
    ("POST", "redemptions", {"customer": "nobody", "item": "nps"}, {}, 422, "invalid", ["/customer"]),
    ("POST", "surveys/nps/invitations", {"customer": "nobody"}, {}, 422, "invalid", ["/customer"]),
    ("POST", "events", event(), {"Idempotency-Key": ""}, 422, "bad_idempotency_key", None),
]


def test_a_refusal_is_a_problem_with_its_code_and_pointers_and_changes_nothing(call, known):
    make_item("gone", points=1, stock=0)
    person("gone")
    call("DELETE", "customers/gone")
    models = (Customer, Event, Redemption, Transfer, Invitation)
    before = [model.objects.count() for model in models]

    for method, path, body, more, status, code, pointers in REFUSALS:
        answer = call(method, path, body, **more)
        told = answer.json()

        found = [error["pointer"] for error in told.get("errors", [])]
        assert (answer.status_code, told["code"], found) == (status, code, pointers or []), (method, path, body)
        assert holds(PROBLEM | {"status": status}, told), told
        assert answer["Content-Type"] == "application/problem+json"
        assert ("WWW-Authenticate" in answer) is (status == 401)
    assert [model.objects.count() for model in models] == before


def test_every_answer_to_a_key_tells_what_is_left_and_429_when_to_come_again(call, known, settings):
    settings.API_REQUESTS_PER_MINUTE = 2

    answers = [call("GET", path) for path in ("customers/ann", "customers/nobody", "customers/ann")]

    assert [answer.status_code for answer in answers] == [200, 404, 429]
    assert [answer["RateLimit"].partition(";t=")[0] for answer in answers] == [f'"default";r={n}' for n in (1, 0, 0)]
    assert {answer["RateLimit-Policy"] for answer in answers} == {'"default";q=2;w=60'}
    assert 1 <= int(answers[2]["Retry-After"]) <= 60
    assert (answers[2].json()["code"], answers[2]["Content-Type"]) == ("too_many_requests", "application/problem+json")


def test_an_idempotency_key_replays_refuses_and_waits(call, known, keys):
    body, named = {"points": 5, "reason": "x"}, {"Idempotency-Key": "k-1"}
    first = call("POST", "customers/ann/adjustments", body, **named)
    again = call("POST", "customers/ann/adjustments", body, **named)
    other = call("POST", "customers/ann/adjustments", body | {"points": 6}, **named)
    elsewhere = call("POST", "customers/bob/adjustments", body, **named)
    refused = [call("POST", "customers/ann/adjustments", {}, **{"Idempotency-Key": "k-2"}) for _ in range(2)]
    with idempotency._alone(keys["all"].partition(".")[0], "k-3"):
        waits = call("POST", "customers/ann/adjustments", body, **{"Idempotency-Key": "k-3"})

    assert (first.status_code, "Idempotency-Replayed" in first) == (201, False)
    assert (again.status_code, again["Idempotency-Replayed"], again.content) == (201, "true", first.content)
    assert {(one.status_code, one.json()["code"]) for one in (other, elsewhere)} == {(422, "idempotency_key_reused")}
    assert [(one.status_code, one.get("Idempotency-Replayed")) for one in refused] == [(422, None), (422, "true")]
    assert refused[1]["Content-Type"] == "application/problem+json"
    assert (waits.status_code, waits["Retry-After"], waits.json()["code"]) == (409, "1", "request_in_progress")
    assert call("GET", "customers/ann").json()["points"]["available"] == 606


def test_answers_have_the_fields_that_are_promised(call, known):
    referral, reward = known["referral_id"][0], known["reward_id"][0]
    entry = {"at": ANY, "kind": ANY, "points": ANY, "bucket": ANY, "balance": ANY, "cause": ANY}
    point = {"from": ANY, "to": ANY, "group": None, "value": 6, "numerator": 6, "denominator": None, "interval": None}
    states = dict.fromkeys(("signed_up", "reversed", "expired"), 0) | {"qualified": 1, "flagged": 1, "voided": 1}
    promised = {
        "customers/ann": {
            "external_id": "ann",
            "email": "ann@shop.example",
            "name": None,
            "points": {"available": 601, "pending": ANY, "debt": 0, "lifetime": 502, "redeemed": 2, "expired": 0},
            "programs": [{"program": "refer-a-friend", "code": known["code"][1], "url": ANY, "tier": None,
                          "next_milestone": None, "referrals": states | {"approved": 2}}],
            "badges": [],
            "created_at": ANY,
        },
        "customers/ann/ledger": {"results": [entry], "next": None},
        "events/event-1": {
            "event_id": "event-1",
            "status": "accepted",
            "settled": True,
            "warnings": [],
            "referral": {"id": referral, "program": "refer-a-friend", "state": "approved", "advocate": "ann",
                         "friend": "bob", "reason": None},
            "referrals": [{"id": referral}],
            "rewards": [{"id": ANY, "rule": "advocate-fixed", "to": "ann", "kind": "points", "points": 500,
                         "coupon": None, "state": "available", "available_at": ANY, "reason": None}],
        },
        f"referrals/{referral}/explain": [
            {"at": ANY, "what": "qualified", "why": ANY, "data": ANY},
            {"at": ANY, "what": "reward_granted", "why": ANY, "data": ANY},
        ],
        f"rewards/{reward}": {"id": reward, "rule": ANY, "to": ANY, "kind": ANY, "state": ANY, "reason": ANY},
        f"codes/{known['code'][1]}": {"valid": True, "program": "refer-a-friend", "advocate": ANY, "gift": ANY},
        "catalogue": {"results": [{"item": "nps", "points": 1}], "next": None},
        "customers/ann/preferences": {"rewards": ANY, "referral_tips": ANY, "surveys": ANY, "news": ANY},
        "metrics": {"results": [{"name": "orders", "title": ANY, "category": ANY, "definition": ANY, "unit": ANY,
                                 "numerator": ANY, "denominator": ANY, "source": ANY}]},
        "metrics/orders": {"metric": "orders", "unit": ANY, "currency": ANY, "time_zone": "UTC", "as_of": ANY,
                           "complete_through": ANY, "points": [point | {"enough": True}]},
        "surveys/nps/score": {"n": 0, "promoters": 0, "passives": 0, "detractors": 0, "score": None,
                              "interval": None, "discarded": {"bot": 0, "provisional": 0}},
    }  # fmt: skip

    found = {path: call("GET", path).json() for path in promised}

    assert {path: found[path] for path, told in promised.items() if not holds(told, found[path])} == {}


def test_a_batch_answers_in_order_and_spoils_nothing(call, known):
    facts = [event(event_id=1), event(), event(), event(event_id="e-2", order=ORDER | {"amount": "0.00", "id": "o-2"})]

    answer = call("POST", "events/batch", facts)

    assert answer.status_code == 200
    told = [(one["event_id"], one["status"]) for one in answer.json()]
    assert told == [(None, "rejected"), ("e-1", "accepted"), ("e-1", "duplicate"), ("e-2", "accepted")]
    assert holds(PROBLEM | {"status": 422, "code": "invalid_event"}, answer.json()[0]["error"])


def test_any_past_moment_and_the_next_day_are_accepted(call, known):
    moments = ["1066-10-14T09:00:00Z", "1970-01-01T00:00:00+00:00", (timezone.now() + timedelta(hours=23)).isoformat()]

    answers = [call("POST", "events", event(event_id=at, occurred_at=at, order=ORDER | {"id": at})) for at in moments]

    assert [answer.status_code for answer in answers] == [201, 201, 201]
