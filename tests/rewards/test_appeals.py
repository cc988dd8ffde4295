"""Why, and asking again: what the customer reads of each reward, appeals, their answers; assists are thanked."""

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core import mail
from django.db import IntegrityError
from django.utils import translation

from core.errors import Invalid, NotFound
from referrals.models import Assist, Customer, Referral
from referrals.services.lifecycle import void_referral
from referrals.services.links import ensure_link
from rewards.models import Appeal, Reward
from rewards.queries.balances import points_of
from rewards.queries.why import REFUSED, TAKEN_BACK, reward_in_words
from rewards.services import appeals
from rewards.services.appeals import (
    AppealDecided,
    NothingToAppeal,
    TooManyAppeals,
    decline_appeal,
    file_appeal,
    uphold_appeal,
)
from rewards.services.reviewing import hold_reward
from tests.factories import CustomerFactory, UserFactory, make_program, report
from tests.rewards.test_portal import text_of
from tests.scenes import NOON, bring, brought_friends, do_due, moment

pytestmark = pytest.mark.django_db

LIMITED = """\
program: {slug}
name: {name}
status: {status}
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {{on: purchase}}
hold_days: 14
limits: {{per_advocate: {{referrals: 1, period: total}}}}
rewards:
  - {{id: advocate-fixed, to: advocate, on: qualified, points: 500}}
"""


@pytest.fixture
def ann():
    return CustomerFactory(external_id="ann", name="Ann Ackermann", email="ann@shop.example")


@pytest.fixture
def signed_in(client, ann):
    client.force_login(UserFactory(email="ann@shop.example"))
    return client


@pytest.fixture
def mia():
    return UserFactory(email="mia@shop.example", is_staff=True, is_superuser=True)


@pytest.fixture
def voided(ann):
    """Otto came through Ann and was voided by hand."""
    with moment(NOON):
        program = make_program()
        bring(ann, "Otto Krause", NOON, program=program, buys_after_days=0)
        referral = ann.referrals_made.get()
        return void_referral(referral=referral, reason="fraud", note="one household", actor="staff", at=NOON)


def reward(**changes):
    given = {"state": "pending", "kind": "points", "points": 500, "granted_points": 500, "available_at": NOON}
    return Reward(**{**given, **changes})


@pytest.mark.parametrize(
    ("given", "how", "expected"),
    [
        ({"available_at": NOON.replace(day=14)}, {}, "on its way, available on 14 May when the return period ends"),
        ({"available_at": NOON.replace(day=14)}, {"returns": False}, "on its way, available on 14 May"),
        ({}, {}, "on its way, yours any moment now"),
        ({"held": True}, {}, "we are checking this one; you need not do anything"),
        ({}, {"checking": True}, "we are checking this one; you need not do anything"),
        ({"cleared": True}, {"checking": True}, "on its way, yours any moment now"),
        ({"state": "available"}, {}, "yours"),
        ({"state": "available", "kind": "coupon"}, {}, "yours, it is being prepared"),
        ({"state": "fulfilled", "kind": "coupon"}, {}, "yours"),
        ({"state": "waiting_stock"}, {}, "yours, but we have run out of it; you get it as soon as there is more"),
        ({"state": "failed"}, {}, "yours, but something went wrong on our side; we keep trying"),
        ({"state": "cancelled", "reason": "fraud"}, {}, "taken back: it could not be counted"),
        ({"state": "revoked", "reason": "order_did_not_stand"}, {}, "taken back: the order did not stand"),
        ({"state": "refused", "reason": "limit_reached"}, {}, REFUSED["limit_reached"]),
        ({"state": "refused", "reason": "a_new_one"}, {}, "not this time"),
    ],
)
def test_reward_in_words_says_what_happens_when(given, how, expected):
    with time_machine.travel(NOON), translation.override("en"):
        told = reward_in_words(reward(**given), **{"checking": False, "returns": True, "at": NOON, **how})

    assert told == expected


def test_every_reason_of_the_rules_has_its_words():
    assert set(REFUSED) == {"limit_reached", "budget_exhausted", "currency_mismatch", "condition", "duplicate"}
    told_alike = {"blocked", "fraud", "manual"}  # never which: it would teach who cheats
    voids = {"program_not_running", "self_referral", "cycle", "existing_customer", "outside_window", "same_person"}
    assert set(TAKEN_BACK) == voids | {"order_did_not_stand", "by_staff", "reopened"}
    assert told_alike.isdisjoint(TAKEN_BACK)


def test_show_portal_tells_what_happens_with_each_reward(signed_in, ann):
    with time_machine.travel(NOON):
        brought_friends(ann)
        words = text_of(signed_in.get("/"))

    assert "500 points: on its way, available on 6 May when the return period ends" in words
    assert "500 points: taken back: the order did not stand" in words
    assert "500 points: yours" in words


def test_show_portal_says_that_a_held_reward_is_being_checked(signed_in, ann):
    with time_machine.travel(NOON):
        bring(ann, "Otto Krause", NOON, program=make_program(), buys_after_days=0)
        hold_reward(reward=ann.rewards.get(), note="look", actor="mia", at=NOON)
        words = text_of(signed_in.get("/"))

    assert "500 points: we are checking this one; you need not do anything" in words


def test_file_appeal_keeps_the_words_and_what_they_are_about(voided, ann):
    appeal = file_appeal(referral=voided, customer=ann, text="  We live next door.  ", at=NOON)

    assert (appeal.text, appeal.about, appeal.state) == ("We live next door.", "voided: fraud", "open")


def test_file_appeal_once_at_a_time(voided, ann):
    file_appeal(referral=voided, customer=ann, text="Please", at=NOON)

    with pytest.raises(NothingToAppeal, match="asked already"):
        file_appeal(referral=voided, customer=ann, text="Please!", at=NOON)

    assert Appeal.objects.count() == 1


def test_file_appeal_twin_only_the_database_keeps_two_apart(voided, ann):
    given = {"referral": voided, "customer": ann, "about": "x", "text": "x", "created_at": NOON}
    Appeal.objects.create(**given)

    with pytest.raises(IntegrityError):
        Appeal.objects.create(**given)


@pytest.mark.parametrize("text", ["", "   ", "x" * 501])
def test_file_appeal_without_words_or_with_too_many_is_refused(voided, ann, text):
    with pytest.raises(Invalid):
        file_appeal(referral=voided, customer=ann, text=text, at=NOON)

    assert Appeal.objects.count() == 0


def test_file_appeal_of_a_stranger_is_not_found(voided):
    with pytest.raises(NotFound):
        file_appeal(referral=voided, customer=CustomerFactory(), text="Please", at=NOON)

    assert Appeal.objects.count() == 0


def test_file_appeal_where_nothing_was_refused_is_refused(ann):
    with moment(NOON):
        bring(ann, "Otto Krause", NOON, program=make_program(), buys_after_days=0)

    with pytest.raises(NothingToAppeal):
        file_appeal(referral=ann.referrals_made.get(), customer=ann, text="More!", at=NOON)


def many_voided(ann, count):
    with moment(NOON):
        program = make_program()
        for number in range(count):
            bring(ann, f"Otto{number} Krause", NOON, program=program)
        return [
            void_referral(referral=one, reason="manual", note="x", actor="staff", at=NOON)
            for one in ann.referrals_made.order_by("pk")
        ]


def test_file_appeal_is_limited_by_the_day(ann):
    referrals = many_voided(ann, 6)
    for one in referrals[:5]:
        file_appeal(referral=one, customer=ann, text="Please", at=NOON)

    with pytest.raises(TooManyAppeals):
        file_appeal(referral=referrals[5], customer=ann, text="Please", at=NOON.replace(hour=23))

    file_appeal(referral=referrals[5], customer=ann, text="Please", at=NOON.replace(day=2, hour=13))
    assert Appeal.objects.count() == 6


def test_file_appeal_sabotaged_without_a_limit_floods_the_queue(ann, monkeypatch):
    monkeypatch.setattr(appeals, "MOST_A_DAY", 1000)
    for one in many_voided(ann, 6):
        file_appeal(referral=one, customer=ann, text="Please", at=NOON)

    assert Appeal.objects.count() == 6


def test_uphold_appeal_reopens_what_was_voided_and_mails_the_answer(voided, ann, mia, settle):
    appeal = file_appeal(referral=voided, customer=ann, text="We live next door.", at=NOON)
    before = points_of(ann).pending
    with moment(NOON):
        uphold_appeal(appeal=appeal, answer="Two households after all.", points=0, by=mia, at=NOON)

    voided.refresh_from_db()
    appeal.refresh_from_db()
    settle(at=NOON)
    assert (before, voided.state, points_of(ann).pending) == (0, "qualified", 500)
    assert (appeal.state, appeal.decided_by) == ("upheld", "mia@shop.example")
    sent = next(one for one in mail.outbox if one.extra_headers["X-Goodword-Kind"] == "appeal_answered")
    assert "ann@shop.example" in sent.to[0]
    assert "You were right." in sent.body
    assert "Two households after all." in sent.body


def test_decline_appeal_changes_nothing_but_the_answer(voided, ann, mia):
    appeal = file_appeal(referral=voided, customer=ann, text="Please", at=NOON)

    decline_appeal(appeal=appeal, answer="The address is the same.", by=mia, at=NOON)

    voided.refresh_from_db()
    assert (voided.state, points_of(ann).pending) == ("voided", 0)
    assert Appeal.objects.get().state == "declined"


def test_decide_appeal_twice_is_refused(voided, ann, mia):
    appeal = file_appeal(referral=voided, customer=ann, text="Please", at=NOON)
    decline_appeal(appeal=appeal, answer="No.", by=mia, at=NOON)

    with pytest.raises(AppealDecided, match="already declined"):
        uphold_appeal(appeal=appeal, answer="Yes.", points=100, by=mia, at=NOON)

    assert points_of(ann).available == 0


def test_decide_appeal_without_an_answer_is_refused(voided, ann, mia):
    appeal = file_appeal(referral=voided, customer=ann, text="Please", at=NOON)

    with pytest.raises(Invalid):
        decline_appeal(appeal=appeal, answer=" ", by=mia, at=NOON)

    assert Appeal.objects.get().state == "open"


def test_uphold_appeal_of_a_refused_reward_decides_it_anew_and_gives_a_gift(ann, mia):
    with moment(NOON):
        program = make_program(text=LIMITED)
        bring(ann, "Otto Krause", NOON, program=program, buys_after_days=0)
        bring(ann, "Mia Okafor", NOON, program=program, buys_after_days=0)
    refused = ann.rewards.get(state="refused")
    appeal = file_appeal(referral=refused.referral, customer=ann, text="She is my second friend", at=NOON)
    with moment(NOON):
        uphold_appeal(appeal=appeal, answer="A gift then.", points=250, by=mia, at=NOON)

    assert appeal.about == "refused: limit_reached"
    assert [one.reason for one in ann.rewards.filter(state="refused").order_by("pk")] == ["reopened", "limit_reached"]
    assert (points_of(ann).available, points_of(ann).pending) == (250, 500)


def test_appeal_page_takes_the_words_and_shows_that_they_wait(signed_in, voided, ann):
    page = f"/appeal/{voided.public_id}/"

    button = signed_in.get("/").text
    asked = signed_in.get(page)
    sent = signed_in.post(page, {"text": "We live next door."}, follow=True)

    assert page in button
    assert "What should we know?" in asked.text
    assert "Somebody will look at it and answer you by email." in sent.text
    assert "to look again. We will answer you by email." in text_of(sent)
    assert page not in sent.text
    assert Appeal.objects.get().text == "We live next door."


def test_appeal_page_says_what_is_wrong(signed_in, voided):
    page = f"/appeal/{voided.public_id}/"

    empty = signed_in.post(page, {"text": " "}).text
    signed_in.post(page, {"text": "Please"})
    again = signed_in.post(page, {"text": "Please"}).text

    assert "Please tell us why, in at most 500 characters." in empty
    assert "or you have asked already." in again
    assert Appeal.objects.count() == 1


def test_appeal_page_of_somebody_else_is_404(client, voided):
    CustomerFactory(external_id="eve", email="eve@shop.example")
    client.force_login(UserFactory(email="eve@shop.example"))

    page = f"/appeal/{voided.public_id}/"

    assert (client.get(page).status_code, client.post(page, {"text": "x"}).status_code) == (404, 404)
    assert Appeal.objects.count() == 0


def test_show_portal_shows_the_answer(signed_in, voided, ann, mia):
    appeal = file_appeal(referral=voided, customer=ann, text="Please", at=NOON)
    decline_appeal(appeal=appeal, answer="The address is the same.", by=mia, at=NOON)

    assert "We looked again, and it stays as it is. The address is the same." in text_of(signed_in.get("/"))


def staff(client, *codenames):
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return client


def test_appeal_queue_shows_and_decides(client, voided, ann):
    appeal = file_appeal(referral=voided, customer=ann, text="We live next door.", at=NOON)
    client = staff(client, "view_appeal", "change_appeal")
    page = f"/admin/rewards/appeal/{appeal.pk}"

    listed = client.get("/admin/rewards/appeal/").text
    shown = client.get(f"{page}/change/").text
    with moment(NOON):
        done = client.post(f"{page}/uphold/", {"reason": "Fine then.", "number": "0"}, follow=True).text

    assert "We live next door." in listed
    assert "voided: fraud" in shown
    assert "1 upheld" in done
    assert Referral.objects.get().state == "qualified"


def test_appeal_queue_needs_its_permission(client, voided, ann):
    appeal = file_appeal(referral=voided, customer=ann, text="Please", at=NOON)
    client = staff(client, "view_appeal")

    client.post(f"/admin/rewards/appeal/{appeal.pk}/uphold/", {"reason": "Mine", "number": "1"})

    assert Appeal.objects.get().state == "open"


def test_show_portal_thanks_for_an_assist(signed_in, ann):
    with time_machine.travel(NOON):
        program = make_program()
        cid = CustomerFactory(external_id="cid", name="Cid Cole")
        bring(cid, "Bob Martin", NOON, program=program)
        report(
            "purchase",
            Customer.objects.get(name="Bob Martin"),
            NOON,
            code=ensure_link(customer=ann, program=program).code,
        )
        words = text_of(signed_in.get("/"))

    assert Assist.objects.get().advocate == ann
    assert "You helped too" in words
    assert "Bob M. 1 May" in words


def test_show_portal_without_assists_says_nothing_of_them(signed_in, ann):
    make_program()
    do_due(NOON)

    assert "You helped too" not in text_of(signed_in.get("/"))
