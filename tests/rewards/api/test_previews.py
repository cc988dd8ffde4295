"""POST /preview: what would happen, and nothing of it does."""

from contextlib import contextmanager

import pytest
from django.apps import apps
from django.core.serializers import serialize

from core.models import IdempotentRequest
from referrals.models import Customer, Event
from rewards.services import previewing
from tests.factories import PROGRAM_FILE, make_program
from tests.rewards.api.conftest import NOW
from tests.rewards.goods import give, make_item, person

pytestmark = pytest.mark.django_db

TERMS = (
    PROGRAM_FILE
    + """\
  - {{id: share, to: advocate, on: purchase, percent: 5, repeat_days: 365}}
tiers:
  window_days: 365
  levels: [{{name: Bronze, from: 0, multiplier: "1"}}, {{name: Silver, from: 1, multiplier: "2"}}]
milestones: [{{referrals: 2, points: 70, badge: two}}]
limits: {{budget_points: 2000}}
"""
)
SAME = ("program", "rule", "to", "side", "moment", "kind", "points", "detail", "state", "available_at", "reason")


def everything():
    """Return every row of every table, as text."""
    models = [model for model in apps.get_models() if model is not IdempotentRequest]
    return {model.__name__: serialize("json", model._default_manager.order_by("pk")) for model in models}


def shown(rewards):
    return [{name: one[name] for name in SAME} for one in rewards]


@pytest.fixture
def ann(api):
    """Ann's code in a program with tiers, milestones and a budget."""
    make_program(text=TERMS)
    return api.put("customers/ann", {"name": "Ann Archer"}).json()["programs"][0]["code"]


def test_preview_order_is_what_the_order_then_gets(api, ann, fact):
    for number, amount in enumerate(["59.90", "19.99", "400.00", "0.00", "30.00"]):
        order = {"amount": amount, "currency": "EUR"}
        evidence = {"referral": {"code": ann}}
        asked = api.post("preview", {"customer": {"external_id": f"bob-{number}"}, "order": order, **evidence})
        told = asked.json()["order"]

        done = api.post(
            "events",
            fact(f"e{number}", who=f"bob-{number}", at=NOW.isoformat(), order=order | {"id": str(number)}, **evidence),
        ).json()

        assert asked.status_code == 200
        assert shown(told["rewards"]) == shown(done["rewards"])
        assert [one["state"] for one in told["referrals"]] == [one["state"] for one in done["referrals"]]


def test_preview_writes_nothing_and_tells_nobody(api, ann, fact, django_capture_on_commit_callbacks):
    make_item("mug", points=300)
    api.post("events", fact(referral={"code": ann}))
    give(person("bob"), 400)
    before = everything()
    order = {"amount": "70.00", "currency": "EUR"}

    with django_capture_on_commit_callbacks() as rung:
        told = api.post("preview", {"customer": {"external_id": "bob"}, "order": order}).json()
        new = api.post(
            "preview", {"customer": {"external_id": "nobody-yet"}, "order": order, "referral": {"code": ann}}
        )

    assert [one["rule"] for one in told["order"]["rewards"]] == ["share"]
    assert (new.status_code, [one["state"] for one in new.json()["order"]["referrals"]]) == (200, ["qualified"])
    assert everything() == before
    assert rung == []


def test_preview_that_is_not_taken_back_would_be_found(api, ann, monkeypatch):
    """The sabotage twin."""

    @contextmanager
    def kept():
        yield

    monkeypatch.setattr(previewing, "_taken_back", kept)
    before = everything()

    api.post("preview", {"customer": {"external_id": "bob"}, "order": {"amount": "70.00", "currency": "EUR"}})

    assert everything() != before


def test_preview_next_friend_of_each_program(api, ann, fact):
    make_program("old", status="paused")
    make_program("leads", text=PROGRAM_FILE.replace('{{on: purchase, min_amount: "20.00"}}', "{{on: lead_won}}"))

    told = api.post("preview", {"customer": {"external_id": "ann"}}).json()
    second = api.post("events", fact(referral={"code": ann})).json()
    later = api.post("preview", {"customer": {"external_id": "ann"}, "program": "refer-a-friend"}).json()

    assert told["order"] is None
    assert [(one["program"], one["amount"], one["currency"]) for one in told["next_friend"]] == [
        ("leads", "100.00", "EUR"),
        ("refer-a-friend", "100.00", "EUR"),
    ]
    leads, purchases = (
        [(reward["rule"], reward["to"], reward["points"]) for reward in one["rewards"]] for one in told["next_friend"]
    )
    assert leads == [("friend-welcome", None, 100), ("advocate-fixed", "ann", 500)]
    assert purchases == [("friend-welcome", None, 100), ("advocate-fixed", "ann", 500), ("share", "ann", 5)]
    assert second["referral"]["state"] == "qualified"
    [one] = later["next_friend"]
    assert [(reward["rule"], reward["points"], reward["reason"]) for reward in one["rewards"]] == [
        ("friend-welcome", 100, None),
        ("advocate-fixed", 1000, None),
        ("share", 10, None),
        ("milestone-2", 70, None),
        ("milestone-2-badge", 0, None),
    ]


def test_preview_tells_what_the_points_can_buy(api, ann):
    make_item("mug", points=300)
    make_item("coat", points=900)
    give(person("ann"), 400)

    told = api.post("preview", {"customer": {"external_id": "ann"}}).json()["can_buy"]

    assert [(one["item"], one["missing"], one["can_be_had"]) for one in told] == [
        ("mug", 0, True),
        ("coat", 500, False),
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/customer"),
        ({"customer": {"email": "a@b.example"}}, "/customer/external_id"),
        ({"customer": {"external_id": "x" * 201}}, "/customer/external_id"),
        ({"customer": {"external_id": "bob"}, "order": {"amount": "-1", "currency": "EUR"}}, "/order/amount"),
        ({"customer": {"external_id": "bob"}, "order": {"amount": "1.00"}}, "/order/currency"),
        ({"customer": {"external_id": "bob"}, "program": "gone"}, "/program"),
        ({"customer": {"external_id": "bob"}, "event_id": "e"}, "/event_id"),
    ],
)
def test_preview_of_a_wrong_body_names_the_field(api, ann, body, pointer):
    refused = api.post("preview", body)

    assert (refused.status_code, [one["pointer"] for one in refused.json()["errors"]]) == (422, [pointer])
    assert (Event.objects.count(), Customer.objects.filter(external_id="bob").exists()) == (0, False)
