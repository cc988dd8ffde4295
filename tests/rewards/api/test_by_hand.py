"""Binding by hand: a fact that staff report, decided like every other."""

from datetime import timedelta

import pytest

from referrals.models import Event, Program, Referral
from tests.factories import CustomerFactory, UserFactory, make_program
from tests.rewards.api.conftest import NOW

pytestmark = pytest.mark.django_db

BODY = {"advocate": "ann", "friend": "bob", "program": "refer-a-friend", "reason": "told us at the till"}


def bought(api, who, days_ago, number="1"):
    order = {"id": number, "amount": "59.90", "currency": "EUR"}
    fact = {"event_id": f"order-{number}", "type": "purchase", "customer": {"external_id": who}, "order": order}
    return api.post("events", fact | {"occurred_at": (NOW - timedelta(days=days_ago)).isoformat()})


def test_post_referrals_binds_the_friend_and_later_orders_pay(api, code):
    made = api.post("referrals", BODY)

    told = made.json()
    assert made.status_code == 201
    assert (told["advocate"], told["friend"], told["state"]) == ("ann", "bob", "signed_up")
    referral = Referral.objects.get()
    assert (referral.method, referral.binding_event.body["attributes"]["reason"]) == ("manual", BODY["reason"])
    bought(api, "bob", 0)
    referral.refresh_from_db()
    assert referral.state == "qualified"


def test_post_referrals_may_reach_back_before_an_order(api, code):
    bought(api, "bob", 2)

    late = api.post("referrals", BODY)
    assert (late.json()["state"], late.json()["reason"]) == ("voided", "existing_customer")
    bought(api, "cem", 2, "2")
    early = api.post("referrals", BODY | {"friend": "cem", "occurred_at": (NOW - timedelta(days=3)).isoformat()})

    assert early.json()["state"] == "qualified"


def test_post_referrals_of_a_bound_friend_is_409_and_stores_nothing(api, code):
    api.put("customers/abe", {"name": "Abe"})
    api.post("referrals", BODY)
    events = Event.objects.count()

    later = BODY | {"occurred_at": (NOW + timedelta(minutes=1)).isoformat()}
    again = api.post("referrals", later)
    other = api.post("referrals", later | {"advocate": "abe"})

    assert [(one.status_code, one.json()["code"]) for one in (again, other)] == [(409, "already_bound")] * 2
    assert Event.objects.count() == events


def test_post_referrals_of_oneself_does_not_count(api, code):
    assert api.post("referrals", BODY | {"friend": "ann"}).json()["reason"] == "self_referral"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"advocate": "nobody"}, "/advocate"),
        ({"program": "nothing"}, "/program"),
        ({"friend": ""}, "/friend"),
        ({"reason": ""}, "/reason"),
        ({"occurred_at": (NOW + timedelta(days=3)).isoformat()}, "/occurred_at"),
    ],
)
def test_post_referrals_names_what_is_wrong(api, code, change, pointer):
    answer = api.post("referrals", BODY | change)

    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert not Referral.objects.exists()


def test_post_referrals_needs_a_running_program(api, code):
    make_program(status="paused")

    assert api.post("referrals", BODY).status_code == 422


PAGE = "/admin/referrals/referral/by-hand/"


@pytest.fixture
def form():
    make_program()
    CustomerFactory(external_id="ann", email="ann@shop.example")
    program = Program.objects.get()
    return {"program": program.pk, "advocate": "ANN@shop.example", "friend": "bob", "since": "", "reason": "told us"}


def test_admin_binds_by_hand_and_says_who_did(admin_client, form):
    page = admin_client.get(PAGE)
    done = admin_client.post(PAGE, form, follow=True)

    assert "Bind a friend by hand" in page.text
    assert "The friend is bound." in done.text
    referral = Referral.objects.get()
    assert (referral.advocate.external_id, referral.method) == ("ann", "manual")
    assert referral.binding_event.body["attributes"]["by"]


def test_admin_says_why_a_binding_does_not_count_or_is_refused(admin_client, form):
    own = admin_client.post(PAGE, form | {"friend": "ann"}, follow=True)
    admin_client.post(PAGE, form)
    again = admin_client.post(PAGE, form)
    CustomerFactory(email="ann@shop.example")
    two = admin_client.post(PAGE, form)
    nobody = admin_client.post(PAGE, form | {"advocate": "nobody"})

    assert "It does not count: self_referral." in own.text
    assert "has an advocate in this program already" in again.text
    assert "Several customers have this address" in two.text
    assert "No customer is known so." in nobody.text


def test_admin_asks_for_the_right_to_decide(client, form):
    viewer = UserFactory(is_staff=True)
    client.force_login(viewer)

    assert client.get(PAGE).status_code == 403
