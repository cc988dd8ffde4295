import threading
from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction

from core.errors import Invalid
from core.models import Delivery
from messaging.models import Message
from surveys.eligibility import Limits
from surveys.events import ResponseConfirmed
from surveys.models import Invitation, Response, ResponseRevision, Survey
from surveys.queries import score_between
from surveys.services import settling
from surveys.services.answers import EditWindowOver, InvitationClosed, confirm_answer
from surveys.services.invitations import invite_customer, plan_invitation
from surveys.services.settling import judge_again, settle_answers, take_up_taps

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def told(monkeypatch):
    """Collect the domain events that settled answers publish."""
    events = []
    real = settling.publish
    monkeypatch.setattr(settling, "publish", lambda *news: (events.extend(news), real(*news)))
    return events


# --- answers -----------------------------------------------------------------------------------------


def test_answer_is_told_once_it_has_stood_for_a_quarter_of_an_hour(invitation, now, told):
    confirm_answer(invitation=invitation, score=9, comment="", at=now)
    confirm_answer(invitation=invitation, score=3, comment="", at=now + timedelta(minutes=10))

    for minutes, events in ((24, 0), (25, 1), (60, 1)):
        settle_answers(at=now + timedelta(minutes=minutes))
        assert len(told) == events

    response = Response.objects.get()
    assert (response.score, response.state, response.settled_at) == (3, "confirmed", now + timedelta(minutes=25))
    confirm_answer(invitation=invitation, score=10, comment="", at=now + timedelta(hours=2))
    settle_answers(at=now + timedelta(hours=3))
    assert told == [ResponseConfirmed(subject=f"response:{response.pk}", response=response.pk)] * 2


def tap(client, page, score, at, time_machine, **headers):
    time_machine.move_to(at, tick=False)
    return client.get(f"{page}?score={score}", headers=headers)


def test_lone_tap_is_provisional_at_once_and_counts_after_a_day(client, page, invitation, now, time_machine, told):
    Invitation.objects.update(sent_at=now, state="sent")
    tap(client, page, 9, now + timedelta(minutes=6), time_machine)
    assert not Response.objects.exists()

    take_up_taps(at=now + timedelta(minutes=7))
    report = score_between(survey=invitation.survey)
    assert (report.tally.n, report.provisional) == (0, 1)
    settle_answers(at=now + timedelta(hours=23))
    assert score_between(survey=invitation.survey).tally.n == 0
    settle_answers(at=now + timedelta(hours=25))

    response = Response.objects.get()
    assert (response.state, response.confirmed_by, response.score) == ("confirmed", "late_click", 9)
    assert response.reasons == ["came_late", "one_score_only"]
    assert (Invitation.objects.get().state, len(told)) == ("answered", 1)


@pytest.mark.parametrize(
    ("taps", "headers", "trap", "reasons"),
    [
        ([(4, 9)], {}, False, ["too_early"]),
        ([(6, 9), (8, 3)], {}, False, ["several_scores"]),
        ([(6, 9)], {"Sec-Purpose": "prefetch"}, False, ["prefetch"]),
        ([(6, 9)], {}, True, ["hidden_link"]),
    ],
)
def test_lone_tap_is_discarded_with_its_reasons(
    client, page, invitation, now, time_machine, told, taps, headers, trap, reasons
):
    Invitation.objects.update(sent_at=now, state="sent")
    for minutes, score in taps:
        tap(client, page, score, now + timedelta(minutes=minutes), time_machine, **headers)
    if trap:
        client.get(f"{page}/view")

    take_up_taps(at=now + timedelta(minutes=20))
    settle_answers(at=now + timedelta(days=2))

    response = Response.objects.get()
    assert (response.state, response.reasons, told) == ("discarded", reasons, [])
    assert Invitation.objects.get().state == "sent"
    assert score_between(survey=invitation.survey).bots == 1


def test_lone_tap_counts_though_no_job_ran_for_a_week(client, page, invitation, now, time_machine):
    Invitation.objects.update(sent_at=now, state="sent")
    tap(client, page, 9, now + timedelta(minutes=6), time_machine)

    taken = [take_up_taps(at=now + timedelta(days=7)) for _ in range(2)]
    settle_answers(at=now + timedelta(days=7))

    assert (taken, Response.objects.get().state) == ([1, 0], "confirmed")


def test_press_a_day_after_a_tap_is_no_late_change(client, page, invitation, now, time_machine):
    """A gateway's early tap does not start the time in which a person may change an answer."""
    Invitation.objects.update(sent_at=now, state="sent")
    tap(client, page, 0, now + timedelta(minutes=1), time_machine)
    take_up_taps(at=now + timedelta(minutes=2))

    response = confirm_answer(invitation=invitation, score=9, comment="", at=now + timedelta(hours=25))

    assert (response.score, response.state, response.first_at) == (9, "confirmed", now + timedelta(hours=25))
    assert Invitation.objects.get().state == "answered"


def sweep_after_a_person(client, page, now, time_machine):
    """Ann answers 9; ten minutes later a gateway opens and submits every score of the mail."""
    Invitation.objects.update(sent_at=now, state="sent")
    for minutes, scores in ((10, [9]), (20, range(11))):
        for score in scores:
            tap(client, page, score, now + timedelta(minutes=minutes, seconds=score), time_machine)
            client.post(page, {"score": score, "comment": ""})
    take_up_taps(at=now + timedelta(minutes=40))
    settle_answers(at=now + timedelta(minutes=40))
    response = Response.objects.get()
    return response.score, response.state, response.at


def test_gateway_that_comes_after_a_person_does_not_replace_their_answer(client, page, invitation, now, time_machine):
    ended = sweep_after_a_person(client, page, now, time_machine)

    assert ended == (9, "confirmed", now + timedelta(minutes=10, seconds=9))


def test_gateway_after_a_person_twin_with_the_latest_revision_alone(
    client, page, invitation, now, time_machine, monkeypatch
):
    """The sabotage twin: were only the latest revision judged, the person's answer would be gone."""
    real = settling._judge

    def latest_alone(response):
        response.revisions.exclude(number=response.revision).delete()
        return real(response)

    monkeypatch.setattr(settling, "_judge", latest_alone)

    assert sweep_after_a_person(client, page, now, time_machine)[:2] == (10, "discarded")


def test_settle_answers_leaves_what_was_revised_meanwhile(invitation, now, told):
    response = confirm_answer(invitation=invitation, score=3, comment="", at=now)
    confirm_answer(invitation=invitation, score=9, comment="", at=now + timedelta(minutes=14))

    assert settling._settle(response.pk, settling._is_due, now + timedelta(minutes=15)) is False
    assert (told, Response.objects.get().settled_at) == ([], None)


def test_judge_again_counts_what_the_rules_now_allow(client, page, invitation, now, time_machine, monkeypatch):
    Invitation.objects.update(sent_at=now, state="sent")
    tap(client, page, 9, now + timedelta(minutes=4), time_machine)
    take_up_taps(at=now + timedelta(minutes=20))
    settle_answers(at=now + timedelta(days=2))
    monkeypatch.setattr("surveys.answers.EARLY", timedelta(minutes=3))

    changed = [judge_again(responses=Response.objects.all(), at=now + timedelta(days=3)) for _ in range(2)]

    assert (changed, Response.objects.get().state) == ([1, 0], "confirmed")


@pytest.mark.parametrize("score", [-1, 11, 100])
def test_confirm_answer_off_the_scale_changes_nothing(invitation, now, answers, score):
    before = answers()

    with pytest.raises(Invalid):
        confirm_answer(invitation=invitation, score=score, comment="", at=now)

    assert answers() == before


def test_confirm_answer_to_what_is_over_or_was_never_sent_changes_nothing(survey, ann, invitation, now, answers):
    unsent = plan_invitation(survey=survey, customer=ann, at=now, cause="test", limits=Limits.ALL)
    before = answers()

    for row, at in ((invitation, now + 30 * DAY), (unsent, now)):
        with pytest.raises(InvitationClosed):
            confirm_answer(invitation=row, score=9, comment="", at=at)

    assert answers() == before


def test_confirm_answer_edit_window_runs_from_the_first_answer(invitation, now, answers):
    confirm_answer(invitation=invitation, score=9, comment="", at=now)
    confirm_answer(invitation=invitation, score=8, comment="", at=now + timedelta(hours=20))
    before = answers()

    with pytest.raises(EditWindowOver):
        confirm_answer(invitation=invitation, score=7, comment="", at=now + timedelta(hours=24))

    assert answers() == before


def test_confirm_answer_twin_without_an_edit_window_rewrites_history(invitation, now):
    confirm_answer(invitation=invitation, score=9, comment="", at=now)
    Survey.objects.update(edit_hours=24 * 25)

    assert confirm_answer(invitation=invitation, score=1, comment="", at=now + 20 * DAY).score == 1


def test_confirm_answer_of_a_person_replaces_a_discarded_one(invitation, now):
    first = confirm_answer(invitation=invitation, score=0, comment="", at=now)
    Response.objects.filter(pk=first.pk).update(state="discarded", reasons=["bot"])

    second = confirm_answer(invitation=invitation, score=10, comment="", at=now)

    assert second.pk != first.pk
    report = score_between(survey=invitation.survey)
    assert (report.score, report.tally.n, report.bots) == (100, 1, 1)


def second_answer(response):
    return Response(
        invitation=response.invitation,
        survey=response.survey,
        version=response.version,
        customer=response.customer,
        kind="nps",
        score=1,
        state="confirmed",
        first_at=response.at,
        at=response.at,
    )


def test_response_database_refuses_a_second_active_one(invitation, now, answers):
    response = confirm_answer(invitation=invitation, score=9, comment="", at=now)
    before = answers()

    with pytest.raises(IntegrityError), transaction.atomic():
        second_answer(response).save()

    assert answers() == before


@pytest.mark.parametrize(("kind", "score"), [("nps", 11), ("csat", 0), ("csat", 6), ("ces", 0), ("ces", 8)])
def test_response_database_refuses_a_score_off_its_scale(invitation, now, kind, score):
    response = confirm_answer(invitation=invitation, score=9, comment="", at=now)

    with pytest.raises(IntegrityError), transaction.atomic():
        Response.objects.filter(pk=response.pk).update(kind=kind, score=score)


def all_at_once(*acts):
    """Do every act in a thread of its own, all at the same moment; return what was raised."""
    gate = threading.Barrier(len(acts))
    errors = []

    def run(act):
        try:
            gate.wait(10)
            act()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return errors


@pytest.mark.django_db(transaction=True)
def test_confirm_answer_two_presses_at_once_are_one_answer_with_both_kept(survey, person, now):
    for round_number in range(5):
        invitation = invite_customer(survey=survey, customer=person(f"c-{round_number}"), at=now)

        press = partial(confirm_answer, invitation=invitation, comment="", at=now)
        errors = all_at_once(*[partial(press, score=score) for score in (3, 9, 3, 9)])

        assert errors == []
        response = Response.objects.get(invitation=invitation)
        kept = list(response.revisions.order_by("number").values_list("number", "score"))
        assert [number for number, _ in kept] == list(range(1, len(kept) + 1))
        assert (response.revision, response.score) == kept[-1]
        assert {score for _, score in kept} == {3, 9}


@pytest.mark.django_db(transaction=True)
def test_invite_customer_twice_at_once_asks_once(survey, person, now):
    for round_number in range(5):
        customer = person(f"c-{round_number}")

        errors = all_at_once(*[partial(invite_customer, survey=survey, customer=customer, at=now)] * 3)

        assert [error.code for error in errors] == ["throttled", "throttled"]
        assert Message.objects.filter(recipient_key=f"customer:{customer.pk}").count() == 1


@pytest.mark.django_db(transaction=True)
def test_response_twin_without_the_constraint_two_answers_stand(survey, person, now):
    """What the guard prevents: without it the database takes a second standing answer."""
    constraint = next(
        each for each in Response._meta.constraints if each.name == "an_invitation_has_one_active_response"
    )
    invitation = invite_customer(survey=survey, customer=person("c-1"), at=now)
    response = confirm_answer(invitation=invitation, score=9, comment="", at=now)
    with connection.schema_editor() as editor:
        editor.remove_constraint(Response, constraint)
    try:
        second_answer(response).save()

        assert Response.objects.filter(invitation=invitation, state="confirmed").count() == 2
    finally:
        ResponseRevision.objects.all().delete()
        Response.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Response, constraint)


def test_confirm_answer_keeps_the_answer_when_a_subscriber_fails(invitation, now, monkeypatch):
    def fail(event):
        raise RuntimeError("down")

    fail.__module__ = __name__
    monkeypatch.setattr("core.dispatch._subscriptions", lambda: {ResponseConfirmed: [fail]})

    confirm_answer(invitation=invitation, score=9, comment="", at=now)
    settle_answers(at=now + timedelta(minutes=15))

    assert (Response.objects.get().score, Response.objects.get().settled_at is not None) == (9, True)
    assert Delivery.objects.get().state == "due"
