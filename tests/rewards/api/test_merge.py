"""POST /customers/{id}/merge: two ids of one person, over the API."""

import pytest

from referrals.models import Customer, Merge

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(api, code):
    api.put("customers/anna", {"email": "anna@shop.example", "locale": "de"})
    api.post("customers/anna/adjustments", {"points": 30, "reason": "hello"})


def test_post_merge_answers_with_the_person_and_both_ids_name_them(api, anna):
    answer = api.post("customers/anna/merge", {"into": "ann", "reason": "called us"})

    assert (answer.status_code, answer.json()["external_id"]) == (200, "ann")
    assert answer.json()["points"]["available"] == 30
    assert api.get("customers/anna").json() == api.get("customers/ann").json()
    ledger = api.get("customers/anna/ledger").json()["results"]
    assert [(one["kind"], one["points"]) for one in ledger] == [("merge", 30), ("merge", -30), ("adjust", 30)]
    assert ledger[0]["cause"] == {"why": "two ids of one person"}
    merge = Merge.objects.get()
    assert (merge.reason, merge.by[:4]) == ("called us", "key:")


def test_post_merge_again_is_the_same_and_another_way_round_is_refused(api, anna):
    first = api.post("customers/anna/merge", {"into": "ann"})
    again = api.post("customers/anna/merge", {"into": "ann"})
    back = api.post("customers/ann/merge", {"into": "anna"})

    assert (first.status_code, again.status_code, first.json()) == (200, 200, again.json())
    assert (back.status_code, back.json()["code"]) == (409, "cannot_merge")
    assert Merge.objects.count() == 1


@pytest.mark.parametrize(
    ("source", "body", "status", "pointer"),
    [
        ("nobody", {"into": "ann"}, 404, None),
        ("anna", {"into": "nobody"}, 422, "/into"),
        ("anna", {}, 422, "/into"),
        ("anna", {"into": "ann", "why": "x"}, 422, "/why"),
        ("anna", {"into": "anna"}, 409, None),
    ],
)
def test_post_merge_says_what_is_wrong_and_changes_nothing(api, anna, source, body, status, pointer):
    answer = api.post(f"customers/{source}/merge", body)

    assert answer.status_code == status
    if status == 422:
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert not Merge.objects.exists()
    assert not Customer.objects.exclude(merged_into=None).exists()


def test_merged_id_filters_updates_and_lists_as_the_person(api, anna, code, fact):
    api.post("events", fact("b", "signup", referral={"code": code}))
    api.post("customers/anna/merge", {"into": "ann"})

    found = api.get("referrals?advocate=anna").json()["results"]
    put = api.put("customers/anna", {"name": "Ann Again"})
    everybody = [one["external_id"] for one in api.get("customers").json()["results"]]

    assert [one["friend"] for one in found] == ["bob"]
    assert (put.status_code, put.json()["external_id"], put.json()["name"]) == (200, "ann", "Ann Again")
    assert sorted(everybody) == ["ann", "bob"]
