from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from messaging.kinds import KINDS
from messaging.models import Message, Suppression
from messaging.services import Draft, Recipient, UnknownKind, queue_messages, set_preference, withdraw_message
from messaging.values import WrongContext
from tests.messaging.samples import ANN, ordinary, queue

pytestmark = pytest.mark.django_db


def test_queue_message_keeps_one_row_with_all_it_needs():
    row = queue()

    assert row.state == "queued"
    assert (row.recipient_key, row.email, row.name, row.locale) == ("customer:1", ANN.email, "Ann Example", "en")
    assert row.context == ordinary()["reward_available"]
    assert row.not_after == row.due_at + timedelta(days=14)
    assert row.public_id.startswith("msg_")


def test_queue_message_twice_for_the_same_cause_is_one_message():
    first = queue()
    second = queue(points=999)

    assert second.pk == first.pk
    assert second.context["points"] == 500
    assert Message.objects.count() == 1


def test_queue_message_for_another_cause_kind_or_person_is_another():
    queue()
    queue(cause="reward:2")
    queue("friend_joined")
    queue(recipient=Recipient(key="customer:2", email=ANN.email))

    assert Message.objects.count() == 4


def test_queue_message_vanishes_with_its_cause():
    with transaction.atomic():
        queue()
        transaction.set_rollback(True)

    assert not Message.objects.exists()


def test_queue_message_has_the_same_message_id_for_the_same_cause_only():
    one, other = queue(), queue(cause="reward:2")
    before = one.message_id
    Message.objects.all().delete()

    assert queue().message_id == before
    assert other.message_id != before
    assert (before[0], before[-1]) == ("<", ">")


@pytest.mark.parametrize("email", ["", "  ", "nobody", "a@b@c", "a\n@shop.example", "ann@shop.example\r\nBcc: x@y.z"])
def test_queue_message_without_usable_address_is_kept_with_the_reason(email):
    row = queue(recipient=Recipient(key="customer:1", email=email))

    assert (row.state, row.reason, row.email) == ("not_sent", "no_email", "")


def test_queue_message_after_an_opt_out_is_kept_with_the_reason():
    set_preference(recipient_key=ANN.key, purpose="rewards", allowed=False, source="test")

    assert (queue().state, queue().reason) == ("not_sent", "unsubscribed")
    assert queue("survey_invitation").state == "queued"
    assert queue(recipient=Recipient(key="customer:2", email=ANN.email)).state == "queued"


@pytest.mark.parametrize(
    ("reason", "bulk", "code"),
    [("hard_bounce", "not_sent", "not_sent"), ("complaint", "not_sent", "queued"), ("manual", "not_sent", "queued")],
)
def test_queue_message_to_a_suppressed_address(reason, bulk, code):
    Suppression.objects.create(email=ANN.email, reason=reason)
    shouting = Recipient(key=ANN.key, email=ANN.email.upper())

    assert queue(recipient=shouting).state == bulk
    assert queue("sign_in_code", recipient=shouting).state == code


def test_queue_message_of_an_unknown_kind_is_a_bug():
    with pytest.raises(UnknownKind):
        queue_messages(drafts=[Draft(kind="nothing", recipient=ANN, cause="c", context={})])

    assert not Message.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_queue_message_with_missing_or_unknown_variables_is_a_bug(kind):
    context = ordinary()[kind]
    name = next(iter(context))
    short = {key: value for key, value in context.items() if key != name}

    for wrong in (short, {**context, "unknown": "x"}, {**context, name: object()}):
        with pytest.raises(WrongContext):
            queue_messages(drafts=[Draft(kind=kind, recipient=ANN, cause="c", context=wrong)])

    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "http://127.0.0.1:8000.evil.example/"],
)
def test_queue_message_with_a_foreign_link_is_a_bug(address):
    with pytest.raises(WrongContext):
        queue(portal_url=address)


def test_queue_messages_takes_few_statements_whatever_their_number(django_assert_num_queries):
    drafts = [
        Draft(kind="reward_available", recipient=ANN, cause=f"r:{n}", context=ordinary()["reward_available"])
        for n in range(20)
    ]

    with django_assert_num_queries(6):  # savepoint and release, opt-outs, suppressions, insert, what is stored
        rows = queue_messages(drafts=drafts)

    assert [row.cause for row in rows] == [draft.cause for draft in drafts]


def test_queue_messages_with_a_pair_of_the_same_cause_is_one_message():
    draft = Draft(kind="reward_available", recipient=ANN, cause="r:1", context=ordinary()["reward_available"])

    one, other = queue_messages(drafts=[draft, draft])

    assert one.pk == other.pk


def test_withdraw_message_stops_what_has_not_left():
    row = queue(due_at=timezone.now() + timedelta(days=1))

    assert withdraw_message(recipient_key=ANN.key, kind=row.kind, cause=row.cause) is True
    assert withdraw_message(recipient_key=ANN.key, kind=row.kind, cause=row.cause) is False
    row.refresh_from_db()
    assert (row.state, row.reason) == ("not_sent", "withdrawn")
