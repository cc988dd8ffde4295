"""Somebody who left a word of theirs in every place where one can be left, and the way to look for them."""

import json

from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client

from accounts.models import ChangeRequest
from core.models import Delivery, IdempotentRequest
from messaging.models import Message, Suppression
from referrals.models import BlockEntry, Click, Customer, ReviewDecision, RiskAssessment, VetoCall
from referrals.redirect import Knock, open_link
from referrals.services.lifecycle import void_referral
from referrals.services.links import ensure_link, greet_friends, rename_code
from rewards.models import Account, Transfer
from rewards.services.appeals import file_appeal
from rewards.services.importing.running import run_imports
from rewards.services.importing.uploads import ColumnChoice, map_columns, start_import, upload_history
from rewards.services.reviewing import approve_reward, hold_reward
from surveys.models import Invitation, Response, ResponseRevision, SurveyClick
from surveys.services.surveys import ensure_default_survey
from tests.factories import UserFactory
from tests.shop import day

HUMAN = {"user-agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15"}

CONDITIONAL = """
program: refer-a-friend
name: Refer a friend
status: active
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {on: purchase}
hold_days: 14
rewards:
  - {id: advocate-fixed, to: advocate, on: qualified, points: 500}
  - {id: friend-welcome, to: friend, on: signup, points: 100, hold_days: 0}
  - {id: picky, to: friend, on: qualified, points: 10, when: {customer.attributes.city: Paris}}
"""


def dump() -> str:
    """Return every row of every table, as text, in lower case."""
    lines = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            lines += [f"{table}: {row!r}" for row in cursor.fetchall()]
    return "\n".join(lines).lower()


def trial_balance() -> dict:
    rows = Account.objects.exclude(customer=None).values_list("customer", "kind", "balance")
    return {"accounts": sorted(rows), "transfers": list(Transfer.objects.order_by("pk").values_list("key", "amount"))}


class Words:
    """Unique words, each seeded once and looked for afterwards."""

    def __init__(self):
        self.all: list[str] = []

    def new(self, *, email=False, upper=False) -> str:
        word = f"zq{len(self.all):02d}xylo"
        word = word.upper() if upper else word
        self.all.append(word.lower())
        return f"{word}@shop.example" if email else word


def somebody_who_left_words(shop, words):
    """Bob came through Ann, brought Cid, and left a word in every place where one can be left."""
    code = shop.code_of("ann", name="Ann Archer", email="ann@shop.example")
    click_by = _visit(code, utm={"utm_content": words.new()})
    email = words.new(email=True)
    body = shop.signup("bob", day(0), click_id=click_by.click_id, email=email)
    body["customer"]["name"] = f"{words.new()} {words.new()}"
    body["attributes"] = {words.new(): words.new(), "list": [words.new()], "deep": {"er": words.new()}}
    buys = shop.purchase("bob", day(1), f"order-{email}", "59.90")
    buys["attributes"] = {"note": words.new()}
    custom = shop.fact("custom", "bob", day(2), name="visit", event_id=f"visit-{email}")
    custom["attributes"] = {words.new(): [words.new(), {words.new(): words.new()}], "x": words.new()}
    lead = shop.fact("lead", "bob", day(2), lead={"id": f"lead-{email}", "stage": "enquiry"})
    _tell(shop, words)
    shop.report(body, at=day(0))
    shop.report(buys, at=day(1))
    shop.report(custom, lead, at=day(2))
    bob = Customer.objects.get(external_id="bob")
    own = _vanity(bob, shop.program, words.new(upper=True))
    greet_friends(link=bob.links.get(), greets=True, note=f"{words.new()} {words.new()}")
    _brings_cid(shop, own)
    _leaves_words_everywhere(bob, words, shop)
    bob.refresh_from_db()
    return bob


def _tell(shop, words):
    from referrals.services.customers import CustomerData, put_customer

    attributes = {"city": words.new(), words.new(): {"street": words.new(), "tags": [words.new()]}}
    data = CustomerData(locale="de", time_zone="Europe/Vienna", attributes=attributes)
    put_customer(external_id="bob", data=data, at=day(0))


def _visit(code, utm):
    visit = open_link(Knock(code=code, headers=HUMAN, query=utm, address="203.0.113.9"), at=day(-1))
    assert visit.status == 302
    return Click.objects.latest("pk")


def _vanity(customer, program, code):
    return rename_code(link=ensure_link(customer=customer, program=program), code=code).code


def _brings_cid(shop, code):
    spelled = f"{code[:3]}-{code[3:]}".lower()
    shop.report(shop.signup("cid", day(3), code=spelled), at=day(3))
    shop.code_of("dan")
    shop.report(shop.signup("eve", day(3), code=shop.code_of("dan")), at=day(3))
    shop.report(shop.purchase("eve", day(4), "order-eve", "30.00", code=code), at=day(4))


def _stands_in_files(bob, words):
    """A file that was imported, and one whose columns nobody has chosen yet."""
    told = {"kind": "customers", "program": None, "file_name": "e.csv", "asked_by": None, "actor": "mia", "at": day(4)}
    done = upload_history(raw=f"Customer ID,Note,Left out\nbob,{words.new()},{words.new()}\n".encode(), **told)
    columns = {"Customer ID": "external_id", "Note": "attributes.note"}
    map_columns(history=done, mapping=ColumnChoice(columns=columns), at=day(4))
    run_imports(at=day(4))
    done.refresh_from_db()
    start_import(history=done, skip_errors=False, at=day(4))
    run_imports(at=day(4))
    upload_history(raw=f"Mail,Note\n{bob.email},{words.new()}\n".encode(), **told)


def _leaves_words_everywhere(bob, words, shop):
    _stands_in_files(bob, words)
    for reward in bob.rewards.filter(state="pending"):
        hold_reward(reward=reward, note=words.new(), actor="mia", at=day(4))
    approved = shop.referral("bob").rewards.get(rule="advocate-fixed")
    hold_reward(reward=approved, note=words.new(), actor="mia", at=day(4))
    approve_reward(reward=approved, note=words.new(), actor="mia", at=day(4))
    Customer.objects.filter(pk=bob.pk).update(locale=words.new(), time_zone=words.new())
    survey = ensure_default_survey()
    version = survey.versions.latest("number")
    asked = Invitation.objects.create(
        survey=survey,
        version=version,
        customer=bob,
        state="answered",
        cause="test",
        decided_at=day(4),
        send_at=day(4),
        expires_at=day(40),
    )
    answer = Response.objects.create(
        invitation=asked,
        survey=survey,
        version=version,
        customer=bob,
        kind="nps",
        score=9,
        comment=words.new(),
        state="confirmed",
        first_at=day(4),
        at=day(4),
    )
    ResponseRevision.objects.create(
        response=answer, number=1, score=9, comment=words.new(), state="confirmed", at=day(4)
    )
    SurveyClick.objects.create(invitation=asked, at=day(4), method="GET", headers={"user-agent": words.new()})
    referral = shop.referral("cid")
    referral = void_referral(referral=referral, reason="fraud", note=words.new(), actor="mia", at=day(4))
    signals = [{"code": "look_alike_email", "weight": 30, "evidence": words.new()}]
    seen = RiskAssessment.objects.create(
        referral=referral, at=day(4), moment="binding", score=30, signals=signals, version=1, verdict="clear"
    )
    ReviewDecision.objects.create(
        referral=referral, assessment=seen, decision="void", reason=words.new(), actor="mia", at=day(4)
    )
    VetoCall.objects.create(
        referral=referral, stage="signup", state="refused", due_at=day(4), asked_since=day(4), reason=words.new()
    )
    BlockEntry.objects.create(kind="email", pattern=bob.email, reason=words.new(), added_by="mia")
    appeal = file_appeal(referral=referral, customer=bob, text=words.new(), at=day(4))
    appeal.answer = words.new()
    appeal.save()
    ChangeRequest.objects.create(
        kind="credit",
        subject=f"customer:{bob.pk}",
        title=words.new(),
        payload={},
        reason=words.new(),
        asked_by="mia",
        asked_at=day(4),
    )
    user = UserFactory(email=bob.email)
    Client().force_login(user)
    for message in Message.objects.filter(recipient_key=f"customer:{bob.pk}")[:1]:
        message.text, message.html, message.subject, message.last_error = (words.new() for _ in range(4))
        message.save()
    Message.objects.create(
        recipient_key=f"user:{user.pk}",
        kind="sign_in_code",
        cause="x",
        email=bob.email.upper(),
        name=words.new(),
        context={"code": words.new()},
        not_after=day(5),
        due_at=day(4),
    )
    Suppression.objects.create(email=bob.email.lower(), reason="complaint", note=words.new())
    IdempotentRequest.objects.create(
        caller="k", key="1", fingerprint="f", status=200, body=json.dumps({"email": bob.email, "note": words.new()})
    )
    event = bob.events.first()
    Delivery.objects.create(
        event="x", handler="x", subject=f"event:{event.pk}", payload={}, due_at=day(4), last_error=words.new()
    )
    LogEntry.objects.create(user=user, object_repr=bob.name, change_message=words.new(), action_flag=2)
