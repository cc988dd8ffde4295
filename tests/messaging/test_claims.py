"""Many senders at once, with real threads and real connections."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from messaging.models import Message
from messaging.services import deliver_message, send_due, sending
from tests.messaging.samples import queue

pytestmark = pytest.mark.django_db(transaction=True)
SENDERS = 4


def at_once(work):
    """Run `work` in several threads that start together, each with its own connection."""
    gate = threading.Barrier(SENDERS)

    def run(_):
        try:
            gate.wait()
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(SENDERS) as pool:
        return list(pool.map(run, range(SENDERS)))


def sent_causes():
    return Counter(sent.extra_headers["Message-ID"] for sent in mail.outbox)


def test_send_due_by_many_senders_sends_each_mail_once():
    for number in range(12):
        queue(cause=f"reward:{number}")

    counts = at_once(lambda: send_due(at=timezone.now()))

    assert sum(counts) == 12
    assert sorted(sent_causes().values()) == [1] * 12
    assert set(Message.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_deliver_message_by_many_senders_sends_it_once():
    row = queue("sign_in_code")  # the commit has sent it already
    Message.objects.update(state="queued", context={"code": "K7QX2M"})
    mail.outbox.clear()

    assert sorted(at_once(lambda: deliver_message(pk=row.pk))) == [False] * (SENDERS - 1) + [True]
    assert len(mail.outbox) == 1


def test_send_due_with_a_claim_that_reads_before_it_writes_would_send_twice(monkeypatch):
    """The sabotage twin: a claim without the condition in its update."""
    for number in range(3):
        queue(cause=f"reward:{number}")
    gate = threading.Barrier(SENDERS)

    def careless(pk, *, at):
        row = Message.objects.get(pk=pk)
        gate.wait(timeout=10)
        Message.objects.filter(pk=pk).update(
            state="sending", lease_until=at + sending.LEASE, attempts=F("attempts") + 1
        )
        return row

    monkeypatch.setattr(sending, "_claim", careless)
    at_once(lambda: send_due(at=timezone.now(), limit=3))

    assert max(sent_causes().values()) > 1


def test_queue_message_by_many_for_the_same_cause_is_one_message():
    def queue_it():
        with transaction.atomic():
            return queue().pk

    assert len(set(at_once(queue_it))) == 1
    assert Message.objects.count() == 1
