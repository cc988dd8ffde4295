"""Against a real SMTP server in this process that refuses, forgets and hangs up on demand."""

import asyncio
import email
import email.policy
import socket

import pytest
from aiosmtpd.controller import Controller
from django.utils import timezone

from messaging.models import Suppression
from messaging.services import Recipient, send_due
from tests.messaging.samples import ANN, queue

pytestmark = pytest.mark.django_db


class Sink:
    """Keeps what it got; answers as told."""

    def __init__(self):
        self.got = []
        self.on_rcpt = self.on_data = "250 OK"
        self.hang_up = False

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        if self.on_rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.on_rcpt

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        if not self.on_data.startswith("250"):
            return self.on_data
        self.got.append(envelope)
        if self.hang_up:
            server.transport.abort()
            await asyncio.sleep(0)
        return self.on_data

    def parsed(self, index=0):
        return email.message_from_bytes(self.got[index].content, policy=email.policy.default)


@pytest.fixture
def sink(settings):
    handler = Sink()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "messaging.backends.SmtpBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = port
    settings.EMAIL_TIMEOUT = 5
    yield handler
    controller.stop()


def outcome(row):
    row.refresh_from_db()
    return row.state, row.reason


def test_send_due_over_smtp_delivers_text_html_and_headers(sink):
    row = queue(recipient=Recipient(key="customer:1", email=ANN.email, name="Änn Example"))

    assert send_due(at=timezone.now()) == 1

    got = sink.parsed()
    assert outcome(row) == ("sent", "")
    assert sink.got[0].rcpt_tos == [ANN.email]
    assert got["To"] == "Änn Example <ann@shop.example>"
    assert got["Message-ID"] == row.message_id
    assert got["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [part.get_content_type() for part in got.iter_parts()] == ["text/plain", "text/html"]
    assert got.get_body(("plain",)).get_content().replace("\r\n", "\n").strip() == row.text.strip()


def test_send_due_over_smtp_uses_one_connection_for_many(sink):
    for number in range(3):
        queue(cause=f"r:{number}")

    assert send_due(at=timezone.now()) == 3
    assert len(sink.got) == 3


def test_send_due_when_the_server_hangs_up_after_the_data_is_unknown(sink):
    sink.hang_up = True
    row, code = queue(), queue("sign_in_code")

    send_due(at=timezone.now())

    assert outcome(row) == ("unknown", "interrupted")
    assert outcome(code) == ("failed", "interrupted")  # promised to arrive: goes out again as the same mail
    sink.hang_up = False
    assert send_due(at=code.due_at) == 1
    assert [sink.parsed(index)["Message-ID"] for index in range(3)] == [
        code.message_id,
        row.message_id,
        code.message_id,
    ]


@pytest.mark.parametrize(
    ("rcpt", "data"),
    [
        ("450 4.2.0 greylisted", "250 OK"),
        ("550 5.7.1 not today", "250 OK"),
        ("250 OK", "451 4.3.0 try later"),
        ("250 OK", "554 5.7.1 looks like spam"),
    ],
)
def test_send_due_when_the_server_refuses_is_tried_again(sink, rcpt, data):
    sink.on_rcpt, sink.on_data = rcpt, data
    row = queue()

    assert send_due(at=timezone.now()) == 0
    assert outcome(row) == ("failed", "refused")

    sink.on_rcpt = sink.on_data = "250 OK"
    assert send_due(at=row.due_at) == 1
    assert outcome(row) == ("sent", "")
    assert len(sink.got) == 1


def test_send_due_when_the_mailbox_does_not_exist_suppresses_the_address(sink):
    sink.on_rcpt = "550 5.1.1 no such user"
    row = queue()

    send_due(at=timezone.now())

    assert outcome(row) == ("dead", "refused")
    assert list(Suppression.objects.values_list("email", "reason")) == [(ANN.email, "hard_bounce")]
    assert queue(cause="another").reason == "suppressed"


def test_send_due_without_a_server_is_tried_again(settings):
    settings.EMAIL_BACKEND = "messaging.backends.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    row = queue()

    assert send_due(at=timezone.now()) == 0
    assert outcome(row) == ("failed", "refused")


@pytest.mark.parametrize(
    "name",
    [
        "Ann\r\nBcc: all@evil.example",
        'Ann" <evil@evil.example>, "',
        "Ann\nSubject: You won",
        "=?utf-8?q?=0ABcc=3A_x=40evil.example?=",
        "Ann\u2028Bcc: x@evil.example",
        "x" * 5000,
    ],
)
def test_send_due_with_a_hostile_name_changes_no_header(sink, name):
    queue(recipient=Recipient(key="customer:1", email=ANN.email, name=name), first_name=name, why=name)
    queue("friend_joined", first_name=name, friend_name=name)

    assert send_due(at=timezone.now()) == 2

    for index in range(2):
        got = sink.parsed(index)
        assert sink.got[index].rcpt_tos == [ANN.email]
        assert got["To"].addresses[0].addr_spec == ANN.email
        assert len(got["To"].addresses) == 1
        assert "Bcc" not in got
        assert len(got.get_all("Subject")) == 1
        assert "evil.example" not in got["Subject"]
        assert len(got["Subject"]) <= 150
