"""Surveys that ask by themselves after something happened."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from messaging.services import send_due
from referrals.models import Event, Segment
from surveys.models import Invitation, Occasion, Survey, Trigger
from surveys.services import triggers
from surveys.services.surveys import create_survey
from surveys.services.triggers import ask_due, note_occasions

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def tell(api, now):
    """Return a function that reports a fact by the API."""

    def report(event_id, type_="purchase", customer="c-1", at=now, **fields):
        body = {
            "event_id": event_id,
            "type": type_,
            "occurred_at": at.isoformat(),
            "customer": {"external_id": customer},
        }
        body["customer"]["email"] = f"{customer}@example.com"
        if type_ == "purchase":
            body["order"] = {"id": event_id, "amount": "20.00", "currency": "EUR"}
        answer = api("post", "/events", body | fields)
        assert answer.status_code in (200, 201), answer.content
        return Event.objects.get(event_id=event_id)

    return report


def trigger(survey, after="purchase", **fields):
    return Trigger.objects.create(survey=survey, after=after, **{"delay_hours": 72} | fields)


def decisions():
    return list(Invitation.objects.order_by("pk").values_list("customer__external_id", "state", "reason"))


def test_ask_due_asks_once_when_the_delay_is_over(survey, tell, now):
    trigger(survey)
    tell("e-1")
    tell("e-1")

    assert (ask_due(at=now + 71 * HOUR), decisions()) == (0, [])
    assert (ask_due(at=now + 72 * HOUR), ask_due(at=now + 73 * HOUR)) == (1, 0)
    assert decisions() == [("c-1", "planned", "")]
    assert send_due(at=now + 72 * HOUR) >= 1
    assert Occasion.objects.get().invitation == Invitation.objects.get()


def test_facts_that_are_noted_again_ask_once(survey, tell, now):
    trigger(survey)
    event = tell("e-1")
    note_occasions(events=[event])

    assert Occasion.objects.count() == 1


def test_facts_that_come_together_ask_each_person(survey, api, now):
    trigger(survey, "support_closed")
    facts = [
        {
            "event_id": f"s-{n}",
            "type": "support_closed",
            "occurred_at": now.isoformat(),
            "customer": {"external_id": f"c-{n}", "email": f"c-{n}@example.com"},
        }
        for n in range(3)
    ]

    assert api("post", "/events/batch", facts).status_code == 200
    ask_due(at=now + 72 * HOUR)

    assert decisions() == [(f"c-{n}", "planned", "") for n in range(3)]


@pytest.mark.parametrize(
    ("after", "name", "asked"),
    [
        ("purchase", "", "buy"),
        ("support_closed", "", "closed"),
        ("custom", "order.delivered", "delivered"),
        ("custom", "order.returned", None),
    ],
)
def test_trigger_asks_after_its_own_kind_of_fact_only(survey, tell, now, after, name, asked):
    trigger(survey, after, event_name=name)
    tell("e-1", customer="buy")
    tell("e-2", "support_closed", customer="closed")
    tell("e-3", "custom", customer="delivered", name="order.delivered")
    ask_due(at=now + 72 * HOUR)

    assert [who for who, _state, _reason in decisions()] == ([asked] if asked else [])


def test_first_purchase_is_the_earliest_whatever_came_in_first(survey, tell, now):
    trigger(survey, "first_purchase")
    later, earlier = tell("e-2", at=now), tell("e-1", at=now - HOUR)
    Trigger.objects.update(created_at=now - 2 * HOUR)
    note_occasions(events=[later, earlier])
    ask_due(at=now + 72 * HOUR)

    assert list(Occasion.objects.exclude(invitation=None).values_list("event__event_id", flat=True)) == ["e-1"]


def test_what_happened_before_the_trigger_was_made_asks_nobody(survey, tell, now):
    trigger(survey)
    tell("e-1", at=now - HOUR)

    assert Occasion.objects.count() == 0


def test_trigger_that_was_not_made_before_would_ask_for_history(survey, tell, now, monkeypatch):
    monkeypatch.setattr(triggers, "_waits_for", lambda trigger, event: True)
    trigger(survey)
    tell("e-1", at=now - HOUR)

    assert Occasion.objects.count() == 1


def test_second_occasion_within_the_limits_is_left_out_with_its_reason(survey, tell, now):
    trigger(survey)
    tell("e-1")
    tell("e-2", at=now + HOUR)
    ask_due(at=now + 73 * HOUR)

    assert decisions() == [("c-1", "planned", ""), ("c-1", "not_asked", "throttled")]
    assert Invitation.objects.last().next_at is not None


def test_sample_leaves_out_some_with_the_reason_and_draws_alike_again(survey, tell, now):
    half = trigger(survey, sample_percent=50)
    for number in range(40):
        tell(f"e-{number}", customer=f"c-{number}")
    ask_due(at=now + 72 * HOUR)

    drawn = [state == "planned" for _who, state, _reason in decisions()]
    assert 8 <= sum(drawn) <= 32
    assert {reason for _who, state, reason in decisions() if state == "not_asked"} == {"not_sampled"}
    assert [triggers._is_drawn(half, pk) for pk in Event.objects.order_by("pk").values_list("pk", flat=True)] == drawn


def test_segment_is_asked_alone(survey, tell, person, now):
    Segment.objects.create(slug="vip", title="VIP", text="", when={"field": "customer.external_id", "is": "c-1"})
    trigger(survey, segment="gone")
    tell("e-1")
    ask_due(at=now + 72 * HOUR)

    assert decisions() == [("c-1", "not_asked", "not_in_segment")]


def test_occasion_that_could_not_be_asked_in_time_is_left_out(survey, tell, now):
    trigger(survey)
    tell("e-1")
    ask_due(at=now + 72 * HOUR + 8 * 24 * HOUR)

    assert decisions() == [("c-1", "not_asked", "too_late")]


@pytest.mark.parametrize("off", [{"active": False}, {"survey__active": False}])
def test_what_is_switched_off_asks_nobody(survey, tell, now, off):
    trigger(survey)
    tell("e-1")
    if "active" in off:
        Trigger.objects.update(active=False)
    else:
        Survey.objects.update(active=False)
    ask_due(at=now + 72 * HOUR)

    assert decisions() == [("c-1", "not_asked", "survey_inactive")]


def test_two_surveys_after_one_purchase_ask_one_thing(survey, tell, now):
    trigger(survey)
    trigger(create_survey(slug="csat", name="Satisfaction", kind="csat"))
    tell("e-1")
    ask_due(at=now + 72 * HOUR)

    assert [reason for _who, _state, reason in decisions()] == ["", "throttled"]


@pytest.mark.parametrize(
    "wrong", [{"after": "custom"}, {"after": "purchase", "event_name": "x"}, {"sample_percent": 0}]
)
def test_database_refuses_a_trigger_that_makes_no_sense(survey, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        trigger(survey, **wrong)

    assert Trigger.objects.count() == 0
