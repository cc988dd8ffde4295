"""Erase and export: not one word of a person is left anywhere, and the books and numbers do not move."""

import json
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import User
from analytics.models import DailyValue
from analytics.services.rollups import refresh_rollups
from core.errors import Invalid
from core.models import Delivery
from messaging.models import Message, Suppression
from messaging.queries import refusals_of
from referrals.models import Assist, Click, Code, Customer, Erasure, Event, Link, Referral
from referrals.redirect import Knock, open_link
from referrals.services import erasing
from referrals.services.batches import record_events
from referrals.services.erasing import erase_customer, export_customer
from referrals.services.identities import Erased
from rewards.models import Account, DisplayName, EventInvitation, PerkEvent, Transfer
from rewards.queries.balances import points_of
from rewards.services.credits import give_points
from rewards.services.leaderboards import choose_display_name
from rewards.services.redeeming import fulfil_redemption
from surveys.models import Invitation, Response
from tests.factories import UserFactory
from tests.rewards.goods import give, make_item, redeem
from tests.rewards.left_words import CONDITIONAL, HUMAN, Words, dump, somebody_who_left_words, trial_balance
from tests.shop import Shop, assert_books_balance, day


@pytest.fixture
def words():
    return Words()


@pytest.fixture
def shop(db):
    return Shop(CONDITIONAL)


@pytest.fixture
def bob(shop, words):
    return somebody_who_left_words(shop, words)


def test_erase_customer_leaves_not_one_word_and_moves_no_point(bob, words, shop):
    before, balance = dump(), trial_balance()
    assert len(words.all) >= 40
    assert [word for word in words.all if word not in before] == []

    erase_customer(customer=bob, by="mia", at=day(5))

    after = dump()
    assert [word for word in words.all if word in after] == []
    assert trial_balance() == balance
    assert "203.0.113.9" not in after


def test_erase_customer_sabotaged_one_app_forgotten_leaves_words(bob, words, monkeypatch):
    monkeypatch.setattr(erasing, "personal_data", lambda: erasing.import_string(erasing.settings.PERSONAL_DATA)[1:])

    erase_customer(customer=bob, by="mia", at=day(5))

    after = dump()
    assert [word for word in words.all if word in after] != []


def test_erase_customer_drops_what_was_said_about_redemptions_and_keeps_their_points(bob):
    give(bob, 100)
    redemption = redeem(bob, make_item())
    fulfil_redemption(redemption=redemption, outcome="for Bob Secretname", actor="mia", at=day(2))
    exported = export_customer(customer=bob)["rewards"]["redemptions"]

    erase_customer(customer=bob, by="mia", at=day(5))

    redemption.refresh_from_db()
    assert [(one["item"], one["outcome"]) for one in exported] == [("Mug", "for Bob Secretname")]
    assert (redemption.outcome, redemption.points, redemption.state) == ("(erased)", 100, "fulfilled")
    assert "Secretname" not in dump()


def counts() -> dict:
    models = (Event, Referral, Click, Link, Code, Assist, Transfer, Account, Invitation, Response, Customer, Message)
    return {model.__name__: model.objects.count() for model in models}


def test_erase_customer_keeps_rows_scores_amounts_and_states(bob, shop):
    before = counts()
    facts = list(
        Event.objects.order_by("pk").values_list("type", "amount_minor", "currency", "fingerprint", "occurred_at")
    )
    states = list(Referral.objects.order_by("pk").values_list("state", "reason", "method"))

    erase_customer(customer=bob, by="mia", at=day(5))

    bob.refresh_from_db()
    assert counts() == before
    assert facts == list(
        Event.objects.order_by("pk").values_list("type", "amount_minor", "currency", "fingerprint", "occurred_at")
    )
    assert states == list(Referral.objects.order_by("pk").values_list("state", "reason", "method"))
    assert Response.objects.get().score == 9
    assert (bob.external_id, bob.name, bob.email, bob.attributes, bob.erased_at) == ("bob", "", "", {}, day(5))
    assert Erasure.objects.get().points == "keep"
    assert_books_balance_but_for_the_seeded_error()


def numbers() -> list:
    refresh_rollups(at=day(90), full=True)
    rows = DailyValue.objects.values_list("series", "day", "program", "group_kind", "group_value", "currency", "value")
    return sorted(rows, key=str)


def test_erase_customer_changes_no_number(bob):
    before = numbers()

    erase_customer(customer=bob, by="mia", at=day(5))

    assert before
    assert numbers() == before


def assert_books_balance_but_for_the_seeded_error():
    Delivery.objects.filter(event="x").delete()
    assert_books_balance()


def test_erase_customer_ends_signing_in_but_not_of_staff(bob):
    staff = UserFactory(email="mia@shop.example", is_staff=True)
    Client().force_login(staff)

    erase_customer(customer=bob, by="mia", at=day(5))

    assert list(User.objects.values_list("email", flat=True)) == ["mia@shop.example"]
    assert Session.objects.count() == 1


def test_erase_customer_leaves_a_namesake_alone(bob, shop):
    shop.code_of("bob-2", email=bob.email, name="Bob Two")

    erase_customer(customer=bob, by="mia", at=day(5))

    assert Customer.objects.get(external_id="bob-2").name == "Bob Two"
    assert User.objects.count() == 1


def test_erase_customer_keeps_the_address_suppressed(bob):
    email = bob.email

    erase_customer(customer=bob, by="mia", at=day(5))

    assert Suppression.objects.get().email.startswith("erased:")
    from messaging.kinds import KINDS

    refusals = refusals_of(keys=["customer:9"], emails=[email])
    assert refusals.reason(key="customer:9", email=email, kind=KINDS["reward_available"]) == "suppressed"


def test_erase_customer_withdraws_what_waits_and_unnames_what_others_wait_for(shop):
    code = shop.code_of("ann", name="Ann Archer", email="ann@shop.example")
    now = timezone.now()
    body = shop.signup("bob", now, code=code, email="bob@shop.example")
    body["customer"]["name"] = "Bob Martin"
    shop.report(body, at=now)
    waiting = Message.objects.get(kind="friend_joined")
    assert waiting.context["friend_name"] == "Bob M."

    erase_customer(customer=Customer.objects.get(external_id="bob"), by="mia", at=now)

    waiting.refresh_from_db()
    assert (waiting.state, waiting.context["friend_name"], waiting.context["first_name"]) == ("queued", "", "Ann")


def test_erase_customer_lets_open_points_wait_by_default(shop):
    shop.code_of("ann")
    ann = Customer.objects.get(external_id="ann")
    give_points(customer=ann, points=300, reason="gift", actor="mia", asker=None, at=day(1))

    erase_customer(customer=ann, by="mia", at=day(5))

    assert points_of(ann).available == 300


def test_erase_customer_forfeits_open_points_where_asked(shop):
    code = shop.code_of("ann")
    shop.report(shop.signup("bob", day(0), code=code), at=day(0))
    shop.report(shop.purchase("bob", day(1), "1", "59.90"), at=day(1))
    ann = Customer.objects.get(external_id="ann")
    give_points(customer=ann, points=300, reason="gift", actor="mia", asker=None, at=day(1))

    erase_customer(customer=ann, points="forfeit", by="mia", at=day(5))

    assert (points_of(ann).available, points_of(ann).pending) == (0, 0)
    assert Transfer.objects.latest("pk").cause["reason"] == "open points forfeited"
    assert_books_balance()


def test_erase_customer_with_another_wish_for_points_is_refused(shop):
    shop.code_of("ann", name="Ann")

    with pytest.raises(Invalid):
        erase_customer(customer=Customer.objects.get(), points="burn", by="mia", at=day(5))

    assert Customer.objects.get().name == "Ann"


def test_erase_customer_again_returns_the_first_receipt(bob):
    first = erase_customer(customer=bob, by="mia", at=day(5))

    again = erase_customer(customer=bob, by="tom", points="forfeit", at=day(6))

    assert (again.pk, again.by, again.points) == (first.pk, "mia", "keep")


@pytest.mark.parametrize("who", ["bob", "bob@company.example"])
def test_record_event_about_an_erased_person_is_refused_and_the_old_one_a_duplicate(shop, who):
    first = shop.signup(who, day(0), email="bob@shop.example")
    shop.report(first, at=day(0))
    erase_customer(customer=Customer.objects.get(external_id=who), by="mia", at=day(5))

    again, later = record_events(facts=[first, shop.purchase(who, day(6), "9", "10.00")], at=day(6))

    assert again.duplicate
    assert isinstance(later.refusal, Erased)
    assert Customer.objects.filter(external_id=who).exists() == ("@" not in who)
    assert (Customer.objects.count(), Event.objects.count()) == (1, 1)


def test_put_customer_of_an_erased_person_is_refused(shop):
    shop.code_of("bob@company.example")
    erase_customer(customer=Customer.objects.get(), by="mia", at=day(5))

    with pytest.raises(Erased):
        shop.code_of("bob@company.example", name="Bob again")

    assert Customer.objects.get().name == ""


def test_codes_of_an_erased_person_lead_nowhere(bob):
    old = list(Code.objects.filter(link__customer=bob).values_list("code", flat=True))

    erase_customer(customer=bob, by="mia", at=day(5))

    assert [open_link(Knock(code=code, headers=HUMAN), at=day(6)).status for code in old] == [404] * len(old)


def test_a_friend_of_an_erased_advocate_is_judged_on_as_before(bob, shop):
    cid = shop.referral("cid")
    erase_customer(customer=bob, by="mia", at=day(5))
    shop.report(shop.purchase("eve", day(6), "order-eve-2", "30.00"), at=day(6))

    assert shop.referral("cid").advocate == bob
    assert shop.referral("cid").state == cid.state
    assert Assist.objects.get().advocate == bob
    assert not Delivery.objects.exclude(state="done").exclude(event="x").exists()


def test_export_customer_tells_all_there_is(bob, words):
    told = json.dumps(export_customer(customer=bob), default=str).lower()

    left_out = {word for word in words.all if word not in told}
    names = {word: [line.partition(":")[0] for line in dump().splitlines() if word in line] for word in left_out}
    allowed = {
        *("rewards_rewardstep", "referrals_riskassessment", "referrals_reviewdecision"),
        *("referrals_vetocall", "referrals_blockentry"),
        "referrals_referralstep",  # staff's own notes, the house's errors and logs
        "core_delivery",
        "core_idempotentrequest",
        "django_admin_log",
        "accounts_changerequest",
        "messaging_suppression",
        "messaging_message",
        "surveys_responserevision",
        "surveys_surveyclick",
    }
    assert {table for tables in names.values() for table in tables} <= allowed


def test_every_model_with_words_of_people_was_thought_of():
    """A new table with a text column and a customer must be looked at: add it here once its erasing is written."""
    thought_of = {
        *("referrals.Customer", "referrals.Link", "referrals.Event", "referrals.Referral", "referrals.Erasure"),
        *(
            "referrals.Assist",
            "referrals.Claim",
            "rewards.Redemption",
            "rewards.Account",
            "rewards.Reward",
            "rewards.Appeal",
            "rewards.HistoryRow",
        ),
        *("rewards.TierStanding", "rewards.LeaderboardPlace", "rewards.DisplayName", "rewards.EventInvitation"),
        *("referrals.InboundCall", "referrals.Merge", "referrals.NameSearch", "referrals.FriendClaim"),
        *("referrals.InboundCall", "referrals.Exposure"),
        *("surveys.Invitation", "surveys.Response", "surveys.Respondent", "analytics.PersonDay"),
    }
    found = {
        model._meta.label
        for model in apps.get_models()
        if any(field.related_model is Customer for field in model._meta.get_fields() if field.concrete)
    } | {"referrals.Customer", "surveys.Respondent"}

    assert found == thought_of


def test_erased_days_are_no_part_of_later_work(bob, settle):
    erase_customer(customer=bob, by="mia", at=day(5))
    Delivery.objects.filter(event="x").delete()

    settle(at=day(60) + timedelta(days=1))

    assert_books_balance()


def test_erase_customer_takes_the_name_off_leaderboards_and_gives_the_place_back(bob):
    choose_display_name(customer=bob, name="Bobby", at=day(4))
    soon = {
        "opens_at": day(3),
        "invited_at": day(3),
        "starts_at": day(20),
        "ends_at": day(21),
        "closes_at": day(19),
        "state": "published",
        "places": 1,
    }
    event = PerkEvent.objects.create(title="Evening", **soon)
    EventInvitation.objects.create(event=event, customer=bob, state="coming", seat=1, invited_at=day(4))
    waits = EventInvitation.objects.create(
        event=event,
        customer=Customer.objects.get(external_id="ann"),
        state="waiting",
        waiting_number=1,
        invited_at=day(4),
    )

    erase_customer(customer=bob, by="mia", at=day(5))

    waits.refresh_from_db()
    assert DisplayName.objects.count() == 0
    assert sorted(EventInvitation.objects.values_list("customer__external_id", "state")) == [
        ("ann", "coming"),
        ("bob", "declined"),
    ]
