"""One reminder to those who have not answered, and to nobody else."""

from datetime import timedelta

import pytest
from django.core import mail

from messaging.models import Message
from messaging.services import send_due, sending, set_preference
from surveys.models import Invitation, Response, Survey
from surveys.services.answers import confirm_answer, record_click
from surveys.services.invitations import invite_customer, note_sent_invitations, plan_invitation
from surveys.services.leaving import remind_due
from surveys.services.settling import settle_answers, take_up_taps
from surveys.services.surveys import create_survey

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def asked(survey, ann, now):
    """Ann was asked five days ago by a survey that reminds after five days."""
    Survey.objects.update(reminder_days=5)
    survey.refresh_from_db()
    invitation = invite_customer(survey=survey, customer=ann, at=now - 5 * DAY)
    send_due(at=now - 5 * DAY)
    note_sent_invitations(at=now - 5 * DAY)
    invitation.refresh_from_db()
    return invitation


def remind(at):
    return remind_due(at=at), send_due(at=at)


def test_remind_due_writes_once_with_the_same_links(asked, now):
    first = remind(now)
    again = [remind(now + days * DAY) for days in (0, 1, 20)]

    assert (first, again) == ((1, 1), [(0, 0)] * 3)
    invitation, reminder = mail.outbox
    assert [letter.extra_headers["X-Goodword-Kind"] for letter in mail.outbox] == [
        "survey_invitation",
        "survey_reminder",
    ]
    assert reminder.body.count(asked.token_id) == invitation.body.count(asked.token_id) == 12


def test_remind_due_waits_for_the_day(asked, now):
    assert remind_due(at=now - MINUTE) == 0


def test_remind_due_leaves_in_peace_who_was_asked_long_before_reminders_were_switched_on(asked, now):
    assert remind_due(at=now + 7 * DAY) == 0


@pytest.mark.parametrize("change", [{"reminder_days": None}, {"active": False}])
def test_remind_due_leaves_in_peace_where_the_survey_does_not_remind(asked, now, change):
    Survey.objects.update(**change)

    assert remind_due(at=now) == 0


def test_remind_due_does_not_write_to_who_has_answered(asked, now):
    confirm_answer(invitation=asked, score=9, comment="", at=now - DAY)

    assert remind(now) == (0, 0)


def test_remind_due_does_not_write_to_who_has_tapped(asked, now):
    record_click(invitation=asked, score=9, method="GET", headers={}, at=now - MINUTE)
    waiting = remind_due(at=now)
    take_up_taps(at=now)

    assert (waiting, remind_due(at=now)) == (0, 0)


def test_remind_due_does_not_write_after_the_invitation_has_run_out(asked, now):
    assert remind_due(at=now + 26 * DAY) == 0


def test_reminder_does_not_leave_when_the_answer_came_meanwhile(asked, now):
    remind_due(at=now)
    confirm_answer(invitation=asked, score=9, comment="", at=now)

    assert (send_due(at=now), Message.objects.get(kind="survey_reminder").reason) == (0, "answered")


def test_reminder_without_the_last_question_would_leave_after_the_answer(asked, now, monkeypatch):
    monkeypatch.setattr(sending, "objection_to", lambda row, *, at: None)
    remind_due(at=now)
    confirm_answer(invitation=asked, score=9, comment="", at=now)

    assert send_due(at=now) == 1


def test_reminder_waits_for_a_day_after_another_question(asked, ann, now):
    other = invite_customer(survey=create_survey(slug="o", name="O"), customer=ann, at=now - DAY / 2, force=True)
    send_due(at=now - DAY / 2)
    remind_due(at=now)
    held = send_due(at=now)

    reminder = Message.objects.get(kind="survey_reminder")
    assert (held, reminder.state, reminder.due_at) == (0, "queued", other.send_at + DAY)
    assert send_due(at=reminder.due_at) == 1


def test_nobody_is_asked_within_a_day_of_a_reminder(asked, ann, now):
    remind(now)
    other = create_survey(slug="o", name="O")
    Survey.objects.update(days_after_silence=0)
    other.refresh_from_db()

    refused = plan_invitation(survey=other, customer=ann, at=now + DAY / 2, cause="api")
    assert refused.reason == "throttled"
    assert refused.next_at == now + DAY


def test_reminder_is_not_sent_to_who_has_opted_out(asked, ann, now):
    set_preference(recipient_key=f"customer:{ann.pk}", purpose="surveys", allowed=False, source="test")

    assert remind(now) == (1, 0)
    assert Message.objects.get(kind="survey_reminder").reason == "unsubscribed"


def test_gateway_that_opens_the_reminder_is_as_early_as_with_the_first_mail(asked, now):
    remind(now)
    record_click(invitation=asked, score=9, method="GET", headers={}, at=now + timedelta(seconds=12))
    take_up_taps(at=now + MINUTE)
    settle_answers(at=now + 2 * DAY)

    answer = Response.objects.get()
    assert (answer.state, answer.reasons) == ("discarded", ["too_early"])


def test_person_who_taps_the_reminder_late_counts(asked, now):
    remind(now)
    record_click(invitation=asked, score=9, method="GET", headers={}, at=now + 60 * MINUTE)
    take_up_taps(at=now + 60 * MINUTE)
    settle_answers(at=now + 3 * DAY)

    assert (Response.objects.get().state, Invitation.objects.get().state) == ("confirmed", "answered")
