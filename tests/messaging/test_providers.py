"""Through a provider's API: what its answer, or its silence, says about the mail."""

import json
import threading

import pytest
from django.utils import timezone
from werkzeug import Response

from messaging.email_url import read_email_url
from messaging.services import send_due
from tests.messaging.samples import queue

pytestmark = pytest.mark.django_db
ACCEPTED = {"To": "ann@shop.example", "SubmittedAt": "2026-01-01", "MessageID": "1", "ErrorCode": 0, "Message": "OK"}


@pytest.fixture
def provider(settings, httpserver):
    """A stand-in for Postmark's API."""
    read = read_email_url(f"anymail+postmark://t0ken@?api_url={httpserver.url_for('/')}")
    settings.EMAIL_BACKEND, settings.ANYMAIL = read.backend, {**read.anymail, "REQUESTS_TIMEOUT": 0.5}
    return httpserver


def outcome(row):
    row.refresh_from_db()
    return row.state, row.reason


def test_send_due_through_a_provider_hands_over_both_parts_and_the_headers(provider):
    provider.expect_request("/email", headers={"X-Postmark-Server-Token": "t0ken"}).respond_with_json(ACCEPTED)
    row = queue()

    assert send_due(at=timezone.now()) == 1

    body = json.loads(provider.log[0][0].data)
    headers = {header["Name"]: header["Value"] for header in body["Headers"]}
    assert outcome(row) == ("sent", "")
    assert (body["TextBody"], body["HtmlBody"]) == (row.text, row.html)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Message-ID"] == row.message_id


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, ("failed", "refused")),
        (429, ("failed", "refused")),
        (503, ("failed", "refused")),
        (500, ("unknown", "interrupted")),
        (504, ("unknown", "interrupted")),
    ],
)
def test_send_due_through_a_provider_reads_its_status(provider, status, expected):
    provider.expect_request("/email").respond_with_json({"ErrorCode": 1, "Message": "no"}, status=status)
    row = queue()

    assert send_due(at=timezone.now()) == 0
    assert outcome(row) == expected


def test_send_due_through_a_provider_that_does_not_answer_is_unknown(provider):
    enough = threading.Event()

    def wait(request):
        enough.wait(5)
        return Response("")

    provider.expect_request("/email").respond_with_handler(wait)
    row = queue()

    send_due(at=timezone.now())
    enough.set()

    assert outcome(row) == ("unknown", "interrupted")


def test_send_due_through_a_provider_that_cannot_be_reached_is_tried_again(settings, provider):
    settings.ANYMAIL = {**settings.ANYMAIL, "POSTMARK_API_URL": "http://127.0.0.1:1/"}
    row = queue()

    send_due(at=timezone.now())

    assert outcome(row) == ("failed", "refused")
