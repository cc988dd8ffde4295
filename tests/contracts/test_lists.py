"""Lists: each named filter, and pages that go newest first and stay right while rows arrive."""

import json
from datetime import timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.utils import timezone

from core.api.pagination import CursorPages
from messaging.models import WebhookEndpoint
from messaging.services import create_endpoint, send_test_webhook
from referrals.models import Customer, Referral
from referrals.services.links import ensure_link
from rewards.models import Reward
from surveys.models import Survey
from surveys.services.answers import confirm_answer
from surveys.services.invitations import invite_customer
from surveys.services.settling import settle_answers
from tests.rewards.goods import give, make_item, person, redeem
from tests.shop import PROGRAM, apply_text, day

pytestmark = [pytest.mark.once, pytest.mark.django_db]


def of(call, path, name):
    return [row[name] for row in call("GET", path).json()["results"]]


def test_referrals_are_filtered_by_program_state_advocate_and_friend(call, known):
    cases = {
        "": ["hal", "gus", "fay", "dee", "cem", "bob"],
        "program=gifts": ["gus"],
        "program=refer-a-friend": ["hal", "fay", "dee", "cem", "bob"],
        "state=qualified": ["hal"],
        "state=approved": ["gus", "fay", "bob"],
        "state=flagged": ["dee"],
        "state=voided": ["cem"],
        "state=reversed": [],
        "advocate=ann": ["hal", "gus", "fay", "dee", "cem", "bob"],
        "advocate=bob": [],
        "advocate=nobody": [],
        "friend=fay": ["fay"],
        "program=gifts&state=approved&advocate=ann&friend=gus": ["gus"],
        "program=gifts&friend=bob": [],
    }

    assert {query: of(call, f"referrals?{query}", "friend") for query in cases} == cases


def test_rewards_are_filtered_by_program_state_recipient_referral_and_rule(call, known):
    hal = Referral.objects.get(friend__external_id="hal").public_id
    cases = {
        f"referral={hal}": ["advocate-share", "friend-welcome", "advocate-fixed"],
        f"referral={hal}&to=ann": ["advocate-share", "advocate-fixed"],
        "to=gus": [],
        "program=gifts": ["advocate-choice"],
        "rule=advocate-choice": ["advocate-choice"],
        "state=cancelled&program=gifts": [],
        "state=refused": [],
    }

    assert {query: of(call, f"rewards?{query}", "rule") for query in cases} == cases
    for state in Reward.State:
        held = Reward.objects.filter(state=state).order_by("-pk").values_list("public_id", flat=True)
        assert of(call, f"rewards?state={state}&limit=200", "id") == list(held)


def test_customers_are_found_by_their_whole_email_alone(call, known):
    person("ann-2", email="ann@shop.example")
    cases = {"ann@shop.example": ["ann-2", "ann"], "ANN@shop.example": ["ann-2", "ann"], "ann@shop": [], "%": []}

    assert {email: of(call, f"customers?email={email}", "external_id") for email in cases} == cases
    assert len(of(call, "customers?email=", "external_id")) == Customer.objects.count()


def test_redemptions_programs_deliveries_and_responses_are_filtered(call, known):
    apply_text(PROGRAM.replace("refer-a-friend", "winter").replace("active", "paused"))
    endpoint = WebhookEndpoint.objects.get()
    send_test_webhook(endpoint=endpoint, at=timezone.now())
    answer = answer_survey("ann")
    log = f"webhook-endpoints/{endpoint.public_id}/deliveries"
    cases = {
        ("redemptions?state=reserved", "state"): ["reserved"],
        ("redemptions?customer=ann", "customer"): ["ann", "ann"],
        ("redemptions?customer=bob", "customer"): [],
        ("redemptions?item=nps&state=placed", "state"): ["placed"],
        ("programs?status=paused", "program"): ["winter"],
        ("programs?status=active", "program"): ["gifts", "refer-a-friend"],
        (f"{log}?state=due", "type"): [
            "survey.response.confirmed",
            "webhook.test",
        ],
        (f"{log}?state=delivered", "type"): [],
        (f"{log}?type=webhook.test", "type"): ["webhook.test"],
        (f"{log}?type=referral.qualified", "type"): [],
        ("surveys/nps/responses?state=confirmed", "score"): [answer.score],
        ("surveys/nps/responses?state=discarded", "score"): [],
    }

    assert {case: of(call, *case) for case in cases} == cases


def test_a_filter_of_no_meaning_is_422_and_named(call, known):
    cases = {
        "referrals?state=nope": "/state",
        "referrals?program=nope": "/program",
        "rewards?state=qualified": "/state",
        "rewards?program=nope": "/program",
        "redemptions?state=nope": "/state",
        "programs?status=nope": "/status",
        "referrals?limit=0": "/limit",
        "referrals?limit=201": "/limit",
        "referrals?cursor=nope!": "/cursor",
        "metrics/orders?by=hour": "/by",
        "metrics/orders?from=yesterday": "/from",
        "surveys/nps/responses?state=nope": "/state",
    }

    answers = {path: call("GET", path) for path in cases}

    assert {answer.status_code for answer in answers.values()} == {422}
    named = {path: answer.json()["errors"][0]["pointer"] for path, answer in answers.items()}
    assert named == cases


def answer_survey(who):
    survey, now = Survey.objects.get(slug="nps"), timezone.now()
    invitation = invite_customer(survey=survey, customer=person(who, email=f"{who}@shop.example"), at=now, force=True)
    answer = confirm_answer(invitation=invitation, score=9, comment="", at=now)
    settle_answers(at=now + timedelta(minutes=15))
    return answer


def makers(shop):
    """Return, by list, how one more of it comes to be and what tells two of them apart."""
    ann, friends = person("ann"), (f"friend-{number}" for number in count())
    code = ensure_link(customer=ann, program=shop.program).code
    endpoint = WebhookEndpoint.objects.get()

    def buy():
        who = next(friends)
        shop.report(shop.purchase(who, day(20), f"order-of-{who}", "59.90", code=code), at=day(20))

    return {
        "customers": (lambda: person(next(friends)), "external_id"),
        "referrals": (buy, "id"),
        "referrals?program=refer-a-friend&state=qualified": (buy, "id"),
        "rewards?to=ann": (buy, "id"),
        "customers/ann/ledger": (lambda: give(ann, 7), "cause"),
        "redemptions?customer=ann": (lambda: redeem(ann, make_item(next(friends), points=1)), "id"),
        "programs": (lambda: apply_text(PROGRAM.replace("refer-a-friend", next(friends))), "program"),
        "catalogue": (lambda: make_item(next(friends)), "item"),
        "webhook-endpoints": (lambda: create_endpoint(url="https://hooks.shop.example/", types=["*"]), "id"),
        f"webhook-endpoints/{endpoint.public_id}/deliveries": (
            lambda: send_test_webhook(endpoint=endpoint, at=timezone.now()),
            "id",
        ),
        "surveys/nps/responses": (lambda: answer_survey(next(friends)), "id"),
    }


def walk(call, path, name, *, meanwhile):
    """Return what the first three pages of two show, while `meanwhile` happens between them."""
    found, following = [], f"{path}{'&' if '?' in path else '?'}limit=2"
    for _ in range(3):
        page = call("GET", following).json()
        found += [json.dumps(row[name]) for row in page["results"]]
        meanwhile()
        following = page["next"]
        assert following.startswith(f"{settings.PUBLIC_BASE_URL}/api/v1/{path}")
    return found


def test_every_list_goes_newest_first_through_its_pages_while_rows_arrive(call, known, shop):
    for path, (make, name) in makers(shop).items():
        for _ in range(7):
            make()
        before = of(call, path, name)
        make()
        after = [json.dumps(one) for one in of(call, path, name)]

        walked = walk(call, path, name, meanwhile=make)

        assert json.dumps(before[0]) in after[1:], path
        assert (walked, len(set(walked))) == (after[:6], 6), path
        assert call("GET", f"{path}{'&' if '?' in path else '?'}limit=200").json()["next"] is None, path


def test_every_list_whose_pages_counted_rows_would_repeat_some(call, known, shop, monkeypatch):
    """The sabotage twin: pages by number instead of by the last row seen."""

    def by_number(self, queryset):
        size, page = self._size(), self._cursor() or 0
        rows = queryset.order_by("-pk")[page * size : page * size + size]
        return list(rows), self._next(SimpleNamespace(pk=page + 1))

    monkeypatch.setattr(CursorPages, "page", by_number)
    make, name = makers(shop)["customers"]
    for _ in range(7):
        make()

    walked = walk(call, "customers", name, meanwhile=make)

    assert len(set(walked)) < len(walked)
