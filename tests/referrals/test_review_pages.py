"""The review desk in the browser's eyes: who sees what, decides what, and is told what."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.services import create_api_key, ensure_roles
from referrals.models import BlockEntry, Referral, ReviewDecision, VetoCall
from referrals.services.review import approve_referral
from tests.referrals.suspects import RISK, THROWAWAY, bring, standing
from tests.scenes import moment
from tests.shop import Shop, day

pytestmark = pytest.mark.django_db
QUEUE = "/review/"


@pytest.fixture
def shop():
    return Shop(RISK)


@pytest.fixture
def staff(client):
    """Return a function that signs in as somebody with that role ('' for everything)."""

    def sign_in(role=""):
        user = User.objects.create_user(f"{role or 'root'}@shop.example", is_staff=True, is_superuser=not role)
        if role:
            user.groups.add(*[group for group in ensure_roles() if group.name == role])
        client.force_login(user)
        return client

    return sign_in


def page_of(referral):
    return reverse("review_pair", args=[referral.public_id])


def text(response):
    assert response.status_code == 200
    return response.content.decode()


def test_queue_shows_what_waits_with_signals_and_score(shop, staff):
    bring(shop)
    bring(shop, who="carl", email="carl.kraus@web.de", at=2, buys=3)

    page = text(staff("Support").get(QUEUE))

    assert "Throw-away mailbox 50" in page
    assert "Ann Miller → k…@mailinator.com" in page
    assert "kraus" not in page
    assert THROWAWAY not in page


def test_queue_says_what_to_do_where_nothing_waits(staff):
    page = text(staff().get(QUEUE))

    assert "Nothing waits for you" in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"q": "bob"}, True), ({"q": THROWAWAY}, True), ({"q": "nobody"}, False),
        ({"signal": "disposable_email"}, True), ({"signal": "ring"}, False),
        ({"program": "refer-a-friend"}, True), ({"program": "other"}, False),
        ({"order": "score"}, True), ({"order": "'; --", "page": "x"}, True),
    ],
)  # fmt: skip
def test_queue_is_filtered(asked, found, shop, staff):
    referral = bring(shop)

    page = text(staff().get(QUEUE, asked))

    assert (referral.public_id in page) is found
    assert ("Nothing fits" in page) is not found


def test_queue_takes_as_many_queries_for_three_rows_as_for_one(shop, staff):
    client = staff()
    bring(shop)
    client.get(QUEUE)
    with CaptureQueriesContext(connection) as one:
        client.get(QUEUE)
    for number in (1, 2):
        bring(shop, who=f"f{number}", email=f"f{number}@yopmail.com", at=number, buys=number + 1)
    with CaptureQueriesContext(connection) as three:
        page = text(client.get(QUEUE))

    assert page.count('name="chosen"') == 3
    assert len(three) == len(one)


def test_pair_shows_both_people_masked_with_signals_history_and_steps(shop, staff):
    referral = bring(shop)
    other = bring(shop, who="carl", email="carl.kraus@web.de", at=2, buys=3)

    page = text(staff("Analyst").get(page_of(referral)))

    assert "The friend&#x27;s address belongs to a service of throw-away mailboxes." in page
    assert "+50" in page
    assert "50 of 100" in page
    assert "k…@mailinator.com" in page
    assert THROWAWAY not in page
    assert page_of(other) in page
    assert "Your role may look, not decide." in page
    assert '<form class="review-decide' not in page


def test_approve_on_the_page(shop, staff):
    referral = bring(shop)
    client = staff("Support")

    with moment(day(3)):
        response = client.post(page_of(referral), {"decision": "approve", "reason": "I called them"}, follow=True)

    assert "Decided." in text(response)
    assert standing() == ("qualified", False, "")
    kept = ReviewDecision.objects.get()
    assert (kept.decision, kept.reason, kept.actor) == ("approve", "I called them", "Support@shop.example".lower())


@pytest.mark.parametrize("data", [{"decision": "approve"}, {"reason": "x"}, {"decision": "burn", "reason": "x"},
                                  {"decision": "approve", "reason": "  "}])  # fmt: skip
def test_decide_without_decision_or_reason_is_refused_and_changes_nothing(data, shop, staff):
    referral = bring(shop)

    response = staff().post(page_of(referral), data)

    assert response.status_code == 422
    assert "Choose a decision and say why." in response.content.decode()
    assert standing() == ("flagged", True, "risk")


def test_void_and_undo_on_the_page(shop, staff):
    referral = bring(shop)
    client = staff()
    with moment(day(3)):
        client.post(page_of(referral), {"decision": "fraud", "reason": "same person"})
        voided = standing()[0], Referral.objects.get().reason
        page = text(client.get(page_of(referral)))
        client.post(page_of(referral), {"decision": "undo", "reason": "two brothers"})

    assert voided == ("voided", "fraud")
    assert 'value="undo"' in page
    assert standing() == ("flagged", True, "staff")
    assert "taken back" in text(client.get(page_of(referral)))


def test_decide_on_many_tells_each_that_is_refused(shop, staff):
    rows = [bring(shop, who=f"f{n}", email=f"f{n}@yopmail.com", at=n, buys=n + 1) for n in range(3)]
    client = staff()
    with moment(day(5)):
        approve_referral(referral=rows[0], note="x", actor="eva", at=day(5))
        chosen = [row.public_id for row in rows]
        data = {"chosen": chosen, "decision": "approve", "reason": "all colleagues"}
        page = text(client.post(QUEUE, data, follow=True))

    assert "2 referrals decided." in page
    assert f"{rows[0].public_id}: only a referral that is held" in page
    assert ReviewDecision.objects.filter(reason="all colleagues").count() == 2
    assert {row.state for row in Referral.objects.all()} == {"qualified"}


def test_decide_on_none_says_so(shop, staff):
    bring(shop)

    page = text(staff().post(QUEUE, {"decision": "approve", "reason": "x"}, follow=True))

    assert "Choose at least one referral" in page
    assert standing() == ("flagged", True, "risk")


def test_decided_tab_lists_the_decision_with_its_reason(shop, staff):
    referral = bring(shop)
    with moment(day(3)):
        approve_referral(referral=referral, note="colleagues", actor="eva", at=day(3))

    page = text(staff().get(QUEUE, {"tab": "decided"}))

    assert "eva: colleagues" in page
    assert page_of(referral) in page


def test_rules_page_says_each_rule_and_its_record(shop, staff):
    referral = bring(shop)
    with moment(day(3)):
        approve_referral(referral=referral, note="colleagues", actor="eva", at=day(3))

    page = text(staff("Marketer").get("/review/rules/"))

    assert page.count('<tr><th scope="row">') == 13
    assert "0 %" in page
    assert "0–79 %" in page


@pytest.mark.parametrize("role", ["Analyst"])
def test_decide_without_the_right_is_403_and_changes_nothing(role, shop, staff):
    referral = bring(shop)
    client = staff(role)

    for address in (QUEUE, page_of(referral)):
        data = {"chosen": [referral.public_id], "decision": "approve", "reason": "x"}
        assert client.post(address, data).status_code == 403

    assert standing() == ("flagged", True, "risk")


def test_pair_of_nobody_is_404(staff):
    assert staff().get("/review/ref_nope/").status_code == 404


@pytest.fixture
def api(client):
    """Return a function that posts as a machine with a key that may write."""
    key = create_api_key(name="till", scopes=["read", "write"])[1]
    headers = {"Authorization": f"Bearer {key}"}

    def call(method, path, body=None):
        send = getattr(client, method)
        more = {} if body is None else {"data": body, "content_type": "application/json"}
        return send(f"/api/v1/{path}", headers=headers, **more)

    return call


def test_api_approve_and_hold_decide_with_a_reason(shop, api):
    referral = bring(shop)
    path = f"referrals/{referral.public_id}"
    seen = api("get", path).json()
    with moment(day(3)):
        approved = api("post", f"{path}/approve", {"reason": "ok"}).json()
        again = api("post", f"{path}/approve", {"reason": "ok"})
        held = api("post", f"{path}/hold", {"reason": "odd"}).json()

    assert (seen["state"], seen["held"], seen["risk"]["score"]) == ("flagged", True, 50)
    assert [signal["code"] for signal in seen["risk"]["signals"]] == ["disposable_email"]
    assert (approved["state"], approved["held"]) == ("qualified", False)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    assert "qualified" in again.json()["detail"]
    assert (held["state"], held["held"]) == ("flagged", True)
    assert list(ReviewDecision.objects.order_by("pk").values_list("actor", flat=True)) == ["key:till", "key:till"]


def test_block_entry_is_added_and_removed_in_the_admin(staff):
    client = staff("Support")
    data = {"kind": "domain", "pattern": "@Spam.example", "effect": "block", "reason": "resellers"}

    client.post("/admin/referrals/blockentry/add/", data)
    entry = BlockEntry.objects.get()
    page = text(client.get("/admin/referrals/blockentry/", {"q": "spam"}))
    client.post(f"/admin/referrals/blockentry/{entry.pk}/delete/", {"post": "yes"})

    assert (entry.pattern, entry.reason, entry.added_by) == ("spam.example", "resellers", "support@shop.example")
    assert "resellers" in page
    assert BlockEntry.objects.count() == 0


@pytest.mark.parametrize(
    ("pattern", "told"), [("*", "everybody would fit"), ("spam.example", "is on the list already|already exists")]
)
def test_block_entry_that_makes_no_sense_is_told_in_the_admin(pattern, told, staff):
    client = staff("Marketer")
    data = {"kind": "domain", "effect": "block", "reason": "resellers"}
    client.post("/admin/referrals/blockentry/add/", {**data, "pattern": "spam.example"})

    page = text(client.post("/admin/referrals/blockentry/add/", {**data, "pattern": pattern}))

    assert any(words in page for words in told.split("|"))
    assert BlockEntry.objects.count() == 1


def test_block_entry_that_has_ended_is_told_in_the_admin(staff):
    data = {"kind": "domain", "effect": "block", "reason": "x", "pattern": "spam.example"}

    page = text(staff().post("/admin/referrals/blockentry/add/", {**data, "until_0": "2020-01-01", "until_1": "00:00"}))

    assert "still to come" in page
    assert BlockEntry.objects.count() == 0


@pytest.mark.parametrize("model", ["riskassessment", "reviewdecision", "vetocall"])
def test_scores_decisions_and_questions_are_read_only_in_the_admin(model, shop, staff):
    referral = bring(shop)
    with moment(day(3)):
        approve_referral(referral=referral, note="x", actor="eva", at=day(3))
    VetoCall.objects.create(referral=referral, stage="qualified", due_at=day(9), asked_since=day(9))
    client = staff()
    row = {"riskassessment": referral.assessments, "reviewdecision": referral.decisions, "vetocall": referral.vetoes}
    pk = row[model].first().pk

    assert client.get(f"/admin/referrals/{model}/").status_code == 200
    assert client.get(f"/admin/referrals/{model}/{pk}/change/").status_code == 200
    assert client.post(f"/admin/referrals/{model}/{pk}/change/", {"reason": "x"}).status_code == 403
    assert client.post(f"/admin/referrals/{model}/{pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"/admin/referrals/{model}/add/").status_code == 403


@pytest.mark.parametrize(("action", "after"), [("approve_action", "qualified"), ("hold_action", "flagged")])
def test_referral_admin_decides_with_a_reason(action, after, shop, staff):
    email = THROWAWAY if action == "approve_action" else "carl.kraus@web.de"
    referral = bring(shop, email=email)
    client = staff("Support")
    chosen = {"action": action, "_selected_action": [referral.pk]}
    asked = text(client.post("/admin/referrals/referral/", chosen))
    with moment(day(3)):
        client.post("/admin/referrals/referral/", {**chosen, "reason": "looked"})

    assert "Why?" in asked
    assert standing()[0] == after
    assert "risk scores" in text(client.get(f"/admin/referrals/referral/{referral.pk}/change/")).lower()
