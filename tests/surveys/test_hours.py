"""When survey mails leave, and what is asked once more at that moment."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from hypothesis import given
from hypothesis import strategies as st

from messaging.models import Message
from messaging.services import send_due, sending
from surveys.eligibility import Hours
from surveys.models import Invitation, Survey
from surveys.services.answers import confirm_answer
from surveys.services.invitations import NotAsked, invite_customer, note_sent_invitations
from surveys.services.surveys import create_survey

ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia")]
DAY = timedelta(days=1)
spans = st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda pair: pair[0] < pair[1])
START = datetime(2025, 1, 1, tzinfo=UTC)
moments = st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))


@given(spans, st.booleans(), moments, st.sampled_from(ZONES))
def test_next_open_is_the_first_moment_within_the_hours(span, weekdays_only, at, zone):
    hours = Hours(*span, weekdays_only)
    opens = hours.next_open(at, zone)

    assert at <= opens <= at + 4 * DAY
    assert hours.next_open(opens, zone) == opens
    if opens > at:
        before = (opens - timedelta(seconds=1)).astimezone(zone)
        assert before.hour < span[0] or before.hour >= span[1] or (weekdays_only and before.weekday() > 4)


@pytest.mark.parametrize(
    ("at", "zone", "opens"),
    [
        ("2026-06-01T12:00", "UTC", "2026-06-01T12:00"),
        ("2026-06-01T03:00", "America/New_York", "2026-06-01T12:00"),  # 23:00 on Sunday there
        ("2026-06-05T18:30", "Europe/Berlin", "2026-06-08T06:00"),  # 20:30 on Friday
        ("2026-06-06T10:00", "UTC", "2026-06-08T08:00"),
    ],
)
def test_next_open_goes_by_the_clock_of_the_customer(at, zone, opens):
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)

    assert Hours(8, 20, weekdays_only=True).next_open(moment, ZoneInfo(zone)) == datetime.fromisoformat(opens).replace(
        tzinfo=UTC
    )


def set_hours(survey, **fields):
    Survey.objects.filter(pk=survey.pk).update(**fields)
    survey.refresh_from_db()


def test_invitation_is_planned_into_the_hours_of_the_customer(survey, person, now):
    set_hours(survey, write_from=8, write_until=20)
    far = person("c-2", time_zone="Pacific/Auckland")  # midnight there

    asked = invite_customer(survey=survey, customer=far, at=now)

    assert (asked.send_at, send_due(at=now)) == (datetime(2026, 6, 1, 20, tzinfo=UTC), 0)
    assert send_due(at=asked.send_at) == 1


def test_invitation_in_a_zone_nobody_knows_goes_by_the_clock_of_the_house(survey, person, now):
    set_hours(survey, write_from=15, write_until=20)

    assert invite_customer(survey=survey, customer=person("c-2", time_zone="Mars/Base"), at=now).send_at.hour == 15


def test_mail_that_is_late_waits_for_the_hours_and_is_no_failed_attempt(survey, ann, now):
    invite_customer(survey=survey, customer=ann, at=now)
    set_hours(survey, write_from=8, write_until=10)

    sent = send_due(at=now)

    letter = Message.objects.get()
    assert (sent, letter.state, letter.reason, letter.attempts) == (0, "queued", "quiet_hours", 0)
    assert letter.due_at == datetime(2026, 6, 2, 8, tzinfo=UTC)
    assert (send_due(at=letter.due_at), len(mail.outbox)) == (1, 1)


def outcome_of(invitation, at):
    sent = send_due(at=at)
    note_sent_invitations(at=at)
    invitation.refresh_from_db()
    return sent, invitation.state, invitation.reason


def test_mail_does_not_leave_when_the_person_has_answered_another_survey_since(survey, ann, now):
    other = create_survey(slug="other", name="Other")
    earlier = invite_customer(survey=other, customer=ann, at=now - 60 * DAY)
    send_due(at=now - 60 * DAY)
    planned = invite_customer(survey=survey, customer=ann, at=now, send_at=now + DAY)
    Invitation.objects.filter(pk=earlier.pk).update(expires_at=now + 2 * DAY)
    earlier.refresh_from_db()
    confirm_answer(invitation=earlier, score=9, comment="", at=now + DAY / 2)

    assert outcome_of(planned, now + DAY) == (0, "not_asked", "throttled")
    assert planned.next_at == now + DAY / 2 + 90 * DAY


def test_mail_without_the_last_question_would_leave_all_the_same(survey, ann, now, monkeypatch):
    planned = invite_customer(survey=survey, customer=ann, at=now, send_at=now + DAY)
    invite_customer(survey=create_survey(slug="other", name="Other"), customer=ann, at=now, force=True)
    send_due(at=now)
    monkeypatch.setattr(sending, "objection_to", lambda row, *, at: None)

    assert outcome_of(planned, now + DAY)[:2] == (1, "sent")


def test_mail_does_not_leave_soon_after_another_that_was_forced(survey, ann, now):
    planned = invite_customer(survey=survey, customer=ann, at=now, send_at=now + DAY)
    invite_customer(survey=create_survey(slug="other", name="Other"), customer=ann, at=now, force=True)
    send_due(at=now)

    assert outcome_of(planned, now + DAY) == (0, "not_asked", "throttled")


def test_mail_of_a_survey_that_was_switched_off_does_not_leave(survey, ann, now):
    planned = invite_customer(survey=survey, customer=ann, at=now, send_at=now + DAY)
    set_hours(survey, active=False)

    assert outcome_of(planned, now + DAY) == (0, "not_asked", "survey_inactive")


def test_forced_mail_leaves_in_spite_of_the_limits(survey, ann, now):
    invite_customer(survey=create_survey(slug="other", name="Other"), customer=ann, at=now)
    send_due(at=now)
    forced = invite_customer(survey=survey, customer=ann, at=now, force=True)

    assert outcome_of(forced, now) == (1, "sent", "")


def test_mails_beyond_the_daily_cap_leave_on_the_next_days(survey, person, now):
    set_hours(survey, daily_cap=2, write_from=8, write_until=20, weekdays_only=True)
    friday = datetime(2026, 6, 5, 18, tzinfo=UTC)

    asked = [invite_customer(survey=survey, customer=person(f"c-{n}"), at=friday) for n in range(5)]

    monday = datetime(2026, 6, 8, 8, tzinfo=UTC)
    assert [one.send_at for one in asked] == [friday, friday, monday, monday, monday + DAY]
    assert [send_due(at=at) for at in (friday, monday, monday + DAY)] == [2, 2, 1]


def test_forced_mail_leaves_beyond_the_daily_cap(survey, person, now):
    set_hours(survey, daily_cap=1)
    asked = [invite_customer(survey=survey, customer=person(f"c-{n}"), at=now, force=True) for n in range(2)]

    assert [one.send_at for one in asked] == [now, now]


def test_who_has_no_place_within_thirty_days_is_not_asked_and_says_why(survey, person, now):
    set_hours(survey, daily_cap=1)
    for number in range(30):
        invite_customer(survey=survey, customer=person(f"c-{number}"), at=now)

    with pytest.raises(NotAsked) as refused:
        invite_customer(survey=survey, customer=person("late"), at=now)

    assert refused.value.code == "daily_cap"
    assert refused.value.next_at == datetime(2026, 7, 1, tzinfo=UTC)
