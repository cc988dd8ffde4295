"""The catalogue and redemptions over the API, as a shop's server uses them."""

from datetime import timedelta

import pytest

from rewards.models import CatalogueItem, Redemption
from rewards.services.redeeming import end_reservations
from tests.rewards.api.conftest import NOW
from tests.rewards.goods import available, give, make_item, person


@pytest.fixture
def ann(api):
    ann = person("ann")
    give(ann, 500)
    return ann


@pytest.fixture
def mug(ann):
    return make_item("mug", points=200, stock=2, words="To drink from.")


def test_catalogue_lists_what_is_offered_now(api, mug):
    make_item("hidden", is_shown=False)
    make_item("later", starts_at=NOW + timedelta(days=1))
    make_item("over", ends_at=NOW)
    make_item("card", points=900, kind="gift_card", amount_minor=1000, currency="EUR", per_customer=1)

    answer = api.get("catalogue").json()

    assert [item["item"] for item in answer["results"]] == ["card", "mug"]
    assert answer["results"][1] == {
        "item": "mug",
        "title": "Mug",
        "words": "To drink from.",
        "points": 200,
        "kind": "manual",
        "amount": None,
        "currency": None,
        "stock": 2,
        "per_customer": None,
        "ends_at": None,
    }
    assert (answer["results"][0]["amount"], answer["results"][0]["currency"]) == ("10.00", "EUR")


def test_redemption_is_placed_listed_and_cancelled(api, ann, mug):
    placed = api.post("redemptions", {"customer": "ann", "item": "mug", "quantity": 2})
    left = available(ann)
    listed = api.get("redemptions?customer=ann&item=mug&state=placed").json()["results"]
    cancelled = api.post(f"redemptions/{placed.json()['id']}/cancel", {"reason": "returned"})

    assert placed.status_code == 201
    assert placed.json() | {"id": "", "created_at": ""} == {
        "id": "",
        "customer": "ann",
        "item": "mug",
        "title": "Mug",
        "quantity": 2,
        "points": 400,
        "kind": "manual",
        "state": "placed",
        "waits_for": "people",
        "outcome": None,
        "expires_at": None,
        "created_at": "",
        "settled_at": None,
    }
    assert (left, listed) == (100, [placed.json()])
    assert (cancelled.status_code, cancelled.json()["state"], cancelled.json()["outcome"]) == (
        200,
        "cancelled",
        "returned",
    )
    assert available(ann) == 500
    again = api.post(f"redemptions/{placed.json()['id']}/cancel", {})
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")


REFUSED = [
    ({"customer": "ann", "item": "mug", "quantity": 3}, 409, "out_of_stock"),
    ({"customer": "ann", "item": "gold"}, 409, "insufficient_points"),
    ({"customer": "nobody", "item": "mug"}, 422, "invalid"),
    ({"customer": "ann", "item": "nothing"}, 422, "invalid"),
    ({"customer": "ann", "item": "mug", "quantity": 0}, 422, "invalid"),
    ({"customer": "ann", "item": "mug", "points": 1}, 422, "invalid"),
    ({"customer": "ann", "item": "once", "quantity": 2}, 409, "limit_reached"),
    ({"customer": "ann", "item": "hidden"}, 409, "not_offered"),
]


@pytest.mark.parametrize(("body", "status", "code"), REFUSED)
def test_redemption_refused_says_why_and_takes_nothing(api, ann, mug, body, status, code):
    make_item("gold", points=501)
    make_item("once", points=1, per_customer=1)
    make_item("hidden", is_shown=False)

    answer = api.post("redemptions", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.json()
    assert (available(ann), CatalogueItem.objects.get(slug="mug").stock) == (500, 2)
    assert Redemption.objects.count() == 0


def test_redemption_with_an_idempotency_key_is_one(api, ann, mug):
    answers = [
        api.post("redemptions", {"customer": "ann", "item": "mug"}, **{"Idempotency-Key": "k1"}) for _ in range(2)
    ]

    assert answers[0].json() == answers[1].json()
    assert available(ann) == 300


def test_reservation_is_confirmed_or_ends(api, ann, mug):
    wish = {"customer": "ann", "item": "mug", "reserve": True}
    first, second = (api.post("redemptions", wish).json() for _ in range(2))

    confirmed = api.post(f"redemptions/{first['id']}/confirm", {})
    ended = end_reservations(at=NOW + timedelta(minutes=16))

    assert (first["state"], second["expires_at"]) == ("reserved", "2026-03-10T12:15:00Z")
    assert (confirmed.json()["state"], confirmed.json()["expires_at"]) == ("placed", None)
    assert (ended, available(ann)) == (1, 300)
    assert api.get(f"redemptions/{second['id']}").json()["state"] == "cancelled"


def test_redemption_is_fulfilled_by_the_shops_system(api, ann, mug):
    placed = api.post("redemptions", {"customer": "ann", "item": "mug"}).json()

    done = api.post(f"redemptions/{placed['id']}/fulfil", {"outcome": "Parcel 77"})

    assert (done.json()["state"], done.json()["outcome"]) == ("fulfilled", "Parcel 77")
    assert api.post(f"redemptions/{placed['id']}/fulfil", {}).status_code == 409


def test_redemptions_refuse_a_state_that_is_none(api, ann):
    assert api.get("redemptions?state=gone").status_code == 422


def test_redemption_of_nobody_is_404(api, db):
    assert api.get("redemptions/rdm_nope").status_code == 404
    assert api.post("redemptions/rdm_nope/cancel", {}).status_code == 404


def test_ledger_tells_of_redemptions(api, ann, mug):
    api.post("redemptions", {"customer": "ann", "item": "mug"})

    entry = api.get("customers/ann/ledger").json()["results"][0]

    assert (entry["kind"], entry["points"], entry["bucket"], entry["balance"]) == ("redeem", -200, "available", 300)
    assert entry["cause"]["item"] == "Mug"


def test_adjustment_may_expire_and_the_customer_shows_when(api, ann):
    api.post("customers/ann/adjustments", {"points": 120, "reason": "sorry", "expires_days": 65})
    refused = api.post("customers/ann/adjustments", {"points": -1, "reason": "x", "expires_days": 3})

    customer = api.get("customers/ann").json()

    assert customer["expiring"] == {"points": 120, "at": "2026-05-14T12:00:00Z"}
    assert (refused.status_code, customer["points"]["available"]) == (422, 620)
