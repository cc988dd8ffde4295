"""A batch is decided exactly as if its facts had come one by one, in few statements."""

import json

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analytics.models import DirtyBucket
from messaging.models import Message
from referrals import handlers
from referrals.models import Code, Customer, Event, Link, Referral
from referrals.services import batches
from referrals.services.batches import record_events
from rewards.models import Reward
from tests.shop import Shop, assert_books_balance, day

pytestmark = pytest.mark.django_db

EMAILS = {"ann": "ann@x.example", "bob": "bob@x.example", "bo": "B.ob@x.example", "cid": "", "eve": "eve@x.example"}
facts = st.lists(
    st.tuples(
        st.sampled_from(["bob", "bo", "cid", "eve", "", "ann"]),
        st.sampled_from(["signup", "purchase", "purchase", "refund", "nonsense"]),
        st.integers(0, 5),
        st.sampled_from(["", "", "", "ann"]),
        st.sampled_from(["", "bob@x.example", "new@x.example"]),
    ),
    min_size=2,
    max_size=10,
)


def stated(shop, told, code):
    """Return the facts as JSON: ids and orders repeat, some lack their customer, some are nonsense."""
    bodies = []
    for who, kind, number, advocate, email in told:
        more = {"code": code} if advocate else {}
        more |= {"email": email or EMAILS.get(who, "")} if who != "cid" else {}
        body = shop.fact(kind, who, day(number), event_id=f"{kind}-{who}-{number}", **more)
        if kind in ("purchase", "refund"):
            body["order"] = {"id": f"o-{number}", "amount": "50.00", "currency": "EUR"}
        if not who:
            body["customer"] = {"email": email} if email else {}
        bodies.append(body)
    return bodies


def outcome(bodies, results):
    """Return everything that a batch leaves behind, in words that do not depend on keys."""
    names = dict(Customer.objects.values_list("pk", "external_id"))
    links = sorted(Link.objects.values_list("customer__external_id", "program__slug"))
    mails = Message.objects.values_list("recipient_key", "kind", "email", "state", "reason")
    return {
        "answers": [(one.duplicate, type(one.refusal).__name__, bool(one.event)) for one in results],
        "customers": sorted(Customer.objects.values_list("external_id", "email", "name", "contact_as_of")),
        "events": sorted(Event.objects.values_list("event_id", "customer__external_id", "source", "amount_minor")),
        "warnings": sorted(map(json.dumps, Event.objects.values_list("event_id", "warnings"))),
        "referrals": sorted(Referral.objects.values_list("friend__external_id", "state", "reason", "bound_at")),
        "rewards": sorted(Reward.objects.values_list("recipient__external_id", "rule", "points", "state", "reason")),
        "links": (links, Code.objects.count()),
        "mails": sorted((names[int(key.partition(":")[2])], *rest) for key, *rest in mails),
        "marks": DirtyBucket.objects.filter(family="event").values("subject").distinct().count(),
    }


@settings(
    max_examples=60, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(told=facts)
def test_record_events_together_ends_as_one_by_one(told):
    ends = []
    for together in (True, False):
        with transaction.atomic():
            shop = Shop()
            shop.now = day(-1)
            code = shop.code_of("ann", email=EMAILS["ann"])
            shop.report(shop.purchase("eve", day(0), "known", "9.00"), at=day(6))
            bodies = stated(shop, told, code)
            chunks = [bodies] if together else [[body] for body in bodies]
            results = [one for chunk in chunks for one in record_events(facts=chunk, at=day(6))]
            ends.append(outcome(bodies, results))
            assert_books_balance()
            transaction.set_rollback(True)

    assert ends[0] == ends[1]


def plain(shop, number, who="p"):
    return [
        shop.purchase(f"{who}{one}", day(0), f"{who}{one}", "50.00", email=f"{who}{one}@x.example")
        for one in range(number)
    ]


def statements_of(bodies, **more):
    with CaptureQueriesContext(connection) as seen:
        results = record_events(facts=bodies, at=day(0), **more)
    assert not any(one.refusal or one.duplicate for one in results)
    return len(seen)


def test_record_events_takes_as_many_statements_for_two_hundred_as_for_ten():
    shop = Shop()
    few, many = statements_of(plain(shop, 10, "a")), statements_of(plain(shop, 200, "b"))

    assert many <= 2 * few < 40
    assert (Event.objects.count(), Customer.objects.count()) == (210, 210)


def test_record_events_stands_alone_where_together_fails(monkeypatch):
    """What fails for one fact, a mail that cannot be written, delays that one's mail and nothing else."""
    shop = Shop()
    calls = []

    def fail(event):
        calls.append(event)
        raise RuntimeError("no mail today")

    monkeypatch.setattr(handlers, "thank_for_purchases", fail)
    monkeypatch.setattr(batches, "publish_whole", fail)

    results = record_events(facts=plain(shop, 5), at=day(0))

    assert [(one.refusal, one.duplicate) for one in results] == [(None, False)] * 5
    assert (len(calls), Event.objects.count()) == (1, 5)
    assert DirtyBucket.objects.filter(family="event").count() == 5


def test_record_events_twin_together_without_looking_for_friends(monkeypatch):
    """The sabotage twin: were nobody looked at, a friend's order in a batch would earn nothing."""
    ends = []
    for blind in (False, True):
        with transaction.atomic():
            shop = Shop()
            shop.report(shop.signup("bob", day(0), code=shop.code_of("ann")), at=day(0))
            if blind:
                monkeypatch.setattr(batches, "_to_be_decided", lambda *known: set())
            shop.report(*plain(shop, 3), shop.purchase("bob", day(1), "b", "50.00"), at=day(1))
            ends.append(Referral.objects.get().state)
            transaction.set_rollback(True)

    assert ends == ["qualified", "signed_up"]
