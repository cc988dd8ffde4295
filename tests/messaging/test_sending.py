from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from messaging.backends import OutcomeUnknown
from messaging.models import Message, Suppression
from messaging.services import (
    CannotResend,
    deliver_message,
    forget_contents,
    send_again,
    send_due,
    sending,
    set_preference,
)
from tests.messaging.samples import ANN, queue

pytestmark = pytest.mark.django_db


class Refusing(EmailBackend):
    """A server that takes no mail."""

    def send_messages(self, messages):
        raise ConnectionRefusedError("no")


class Vanishing(EmailBackend):
    """A server that takes the mail and then does not answer."""

    def send_messages(self, messages):
        super().send_messages(messages)
        raise OutcomeUnknown("gone")


class Crash(BaseException):
    """What a killed process looks like to its database."""


class Crashing(EmailBackend):
    """The sender dies while it hands over."""

    def send_messages(self, messages):
        super().send_messages(messages)
        raise Crash


def use(settings, backend):
    settings.EMAIL_BACKEND = f"{__name__}.{backend.__name__}"


def send(**kwargs):
    return send_due(at=timezone.now(), **kwargs)


def outcome(row):
    row.refresh_from_db()
    return row.state, row.reason


def test_send_due_sends_once_and_keeps_what_was_said():
    row = queue()

    assert (send(), send()) == (1, 0)

    row.refresh_from_db()
    assert (row.state, row.reason, row.attempts, row.lease_until) == ("sent", "", 1, None)
    assert (row.subject, len(mail.outbox)) == ("500 points are yours", 1)
    assert mail.outbox[0].body == row.text
    assert mail.outbox[0].alternatives[0].content == row.html


def test_send_due_waits_for_the_due_moment_and_dates_by_the_clock_of_the_run():
    moment = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    row = queue(due_at=moment)

    assert send_due(at=moment - timedelta(seconds=1)) == 0
    assert send_due(at=moment) == 1

    row.refresh_from_db()
    assert row.sent_at == moment
    assert mail.outbox[0].extra_headers["Date"] == "Wed, 02 Jan 2030 03:04:05 +0000"


def test_send_due_takes_the_most_urgent_first():
    for kind in ("purchase_thanks", "survey_invitation", "reward_available"):
        queue(kind)

    send(limit=2)

    assert [sent.extra_headers["X-Goodword-Kind"] for sent in mail.outbox] == ["reward_available", "survey_invitation"]


def test_send_due_too_late_does_not_send():
    row = queue(due_at=timezone.now() - timedelta(days=15))

    assert send() == 0
    assert outcome(row) == ("not_sent", "too_late")
    assert mail.outbox == []


def test_send_due_run_ahead_of_time_still_sends_what_is_fresh_now():
    queue()

    assert send_due(at=timezone.now() + timedelta(days=100)) == 1


def test_send_due_asks_for_opt_out_and_suppression_again_at_the_last_moment():
    rewards, survey = queue(), queue("survey_invitation")
    set_preference(recipient_key=ANN.key, purpose="rewards", allowed=False, source="test")

    assert send() == 1
    assert outcome(rewards) == ("not_sent", "unsubscribed")
    assert outcome(survey) == ("sent", "")

    late = queue(cause="late", kind="friend_joined")
    Message.objects.filter(pk=late.pk).update(state="queued", reason="")
    Suppression.objects.create(email=ANN.email, reason="complaint")
    assert send() == 0


def test_send_due_without_the_last_question_would_mail_who_has_opted_out(monkeypatch):
    """The sabotage twin: switch the guard off and the harm happens."""
    queue()
    set_preference(recipient_key=ANN.key, purpose="rewards", allowed=False, source="test")
    monkeypatch.setattr(sending, "_objection", lambda row, *, at: None)

    assert send() == 1


def test_send_due_retries_a_refused_mail_with_growing_pauses_and_then_gives_up(settings):
    use(settings, Refusing)
    row = queue()
    at, pauses = timezone.now(), []
    for _ in range(sending.MAX_ATTEMPTS):
        assert send_due(at=at) == 0
        row.refresh_from_db()
        pauses.append(int((row.due_at - at).total_seconds() / 60))
        at = row.due_at

    assert pauses == [1, 3, 9, 27, 81, 243, 720, 720]
    assert (row.state, row.reason, row.attempts) == ("dead", "refused", 8)
    assert "ConnectionRefusedError" in row.last_error
    assert send_due(at=at + timedelta(days=1)) == 0


def test_send_due_after_a_refusal_succeeds_with_the_same_message_id(settings):
    backend = settings.EMAIL_BACKEND
    use(settings, Refusing)
    row = queue()
    send()
    assert outcome(row) == ("failed", "refused")
    settings.EMAIL_BACKEND = backend

    assert send() == 0
    assert send_due(at=row.due_at) == 1
    assert (outcome(row), mail.outbox[0].extra_headers["Message-ID"]) == (("sent", ""), row.message_id)


def test_send_due_with_unknown_outcome_never_repeats_a_thank_you(settings):
    use(settings, Vanishing)
    row = queue()

    send()
    send_due(at=timezone.now() + timedelta(days=1))

    assert outcome(row) == ("unknown", "interrupted")
    assert len(mail.outbox) == 1


def test_send_due_with_unknown_outcome_repeats_a_sign_in_code_as_the_same_mail(settings):
    use(settings, Vanishing)
    row = queue("sign_in_code")

    send()
    assert outcome(row) == ("failed", "interrupted")
    send_due(at=timezone.now() + timedelta(minutes=2))

    assert {sent.extra_headers["Message-ID"] for sent in mail.outbox} == {row.message_id}
    assert len(mail.outbox) == 2


def crash_while_sending(settings, kind):
    row = queue(kind)
    backend = settings.EMAIL_BACKEND
    use(settings, Crashing)
    with pytest.raises(Crash):
        send()
    settings.EMAIL_BACKEND = backend
    return row


def test_send_due_leaves_a_message_alone_while_its_lease_runs(settings):
    row = crash_while_sending(settings, "reward_available")

    assert send() == 0
    assert outcome(row) == ("sending", "")
    assert len(mail.outbox) == 1


def test_send_due_after_a_crash_calls_a_thank_you_unknown_and_repeats_a_code(settings, time_machine):
    thanks = crash_while_sending(settings, "reward_available")
    code = crash_while_sending(settings, "sign_in_code")

    time_machine.move_to(timezone.now() + sending.LEASE + timedelta(seconds=1))

    assert send() == 1
    assert outcome(thanks) == ("unknown", "interrupted")
    assert outcome(code) == ("sent", "")
    assert [sent.extra_headers["X-Goodword-Kind"] for sent in mail.outbox] == [
        "reward_available",
        "sign_in_code",
        "sign_in_code",
    ]


def test_send_due_after_a_crash_would_mail_twice_if_leased_rows_were_open(settings, monkeypatch):
    """The sabotage twin of the lease."""
    crash_while_sending(settings, "reward_available")
    monkeypatch.setattr(Message, "OPEN", ("queued", "failed", "sending"))

    assert send(limit=1) == 1
    assert len(mail.outbox) == 2


def test_send_due_late_outcome_does_not_overwrite_the_judgement_on_an_expired_lease(settings):
    row = queue()
    claimed = sending._claim(row.pk, at=timezone.now())
    Message.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sending.close_expired_leases()

    assert sending._settle(claimed, state="sent") is False
    assert outcome(row) == ("unknown", "interrupted")


def test_send_due_with_a_broken_template_keeps_why_and_lets_others_pass(settings, tmp_path):
    row, other = queue(), queue("friend_joined")
    Message.objects.filter(pk=row.pk).update(context={})

    assert send() == 1
    assert outcome(row) == ("failed", "not_rendered")
    assert outcome(other) == ("sent", "")


@pytest.mark.parametrize(("kind", "secret"), [("sign_in_code", "K7QX2M"), ("password_reset", "s3cret")])
def test_deliver_message_with_a_secret_keeps_no_readable_copy(kind, secret):
    row = queue(kind)

    assert deliver_message(pk=row.pk) is True

    row.refresh_from_db()
    assert secret in mail.outbox[0].body
    assert secret not in f"{row.subject}{row.text}{row.html}{row.context}{row.last_error}"
    assert row.text


def test_queue_message_of_a_code_leaves_right_after_the_commit(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        row = queue("sign_in_code")
        assert mail.outbox == []

    assert outcome(row) == ("sent", "")
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("state", ["failed", "dead", "unknown"])
def test_send_again_queues_with_the_same_message_id(state):
    row = queue()
    Message.objects.update(state=state, reason="refused", attempts=8)

    again = send_again(message=row, reason="the server is back", by="ann@shop.example")

    assert (again.state, again.attempts, again.message_id) == ("queued", 0, row.message_id)
    assert "ann@shop.example: the server is back" in again.last_error
    assert send() == 1


@pytest.mark.parametrize("state", ["queued", "sending", "sent", "not_sent"])
def test_send_again_of_anything_else_is_refused(state):
    row = queue()
    Message.objects.update(state=state, reason="x", lease_until=timezone.now())

    with pytest.raises(CannotResend):
        send_again(message=row, reason="because", by="ann")

    assert outcome(row) == (state, "x")


def test_send_again_needs_a_reason():
    row = queue()
    Message.objects.update(state="dead", reason="refused")

    with pytest.raises(CannotResend):
        send_again(message=row, reason="  ", by="ann")

    assert outcome(row) == ("dead", "refused")


def test_forget_contents_blanks_old_mails_and_keeps_what_became_of_them(settings):
    settings.MESSAGE_RETENTION_DAYS = 90
    row, waiting = queue(), queue(cause="later", due_at=timezone.now() + timedelta(days=400))
    send()

    assert forget_contents(at=timezone.now() + timedelta(days=89)) == 0
    assert forget_contents(at=timezone.now() + timedelta(days=91)) == 1

    row.refresh_from_db()
    waiting.refresh_from_db()
    assert (row.state, row.text, row.html, row.subject, row.context) == ("sent", "", "", "", {})
    assert waiting.context != {}
