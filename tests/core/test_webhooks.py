"""Signed calls as Standard Webhooks has them."""

from datetime import UTC, datetime, timedelta

import pytest

from core.webhooks import LADDER, is_secret, is_signed, new_secret, signature_of, signed_headers, wait_after

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_signature_of_is_the_one_of_the_specification():
    """The example of the reference libraries."""
    found = signature_of(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )

    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_signed_headers_carry_a_signature_of_each_secret():
    old, new = new_secret(), new_secret()

    headers = signed_headers(secrets=[new, old], webhook_id="a", at=AT, body=b"{}")

    timestamp = int(AT.timestamp())
    expected = [signature_of(one, webhook_id="a", timestamp=timestamp, body=b"{}") for one in (new, old)]
    assert headers == {
        "webhook-id": "a",
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(expected),
    }


def test_new_secret_is_one_and_never_the_same():
    first, second = new_secret(), new_secret()

    assert is_secret(first)
    assert first != second


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_abc", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + "!" * 40])
def test_is_secret_refuses_anything_else(text):
    assert not is_secret(text)


def test_wait_after_climbs_the_ladder_and_ends_after_ten_tries():
    waits = [wait_after(attempts, {}, at=AT) for attempts in range(1, 12)]

    assert waits == [*LADDER, None, None]
    assert sum(LADDER, timedelta()) == timedelta(days=3, hours=3, minutes=35, seconds=5)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("600", timedelta(minutes=10)),
        ("1", timedelta(seconds=5)),
        ("999999", timedelta(hours=24)),
        ("Sun, 01 Mar 2026 12:20:00 GMT", timedelta(minutes=20)),
        ("Sun, 01 Mar 2026 11:00:00 GMT", timedelta(seconds=5)),
        ("soon", timedelta(seconds=5)),
        ("-5", timedelta(seconds=5)),
    ],
)
def test_wait_after_lets_the_other_side_lengthen_it(given, expected):
    assert wait_after(1, {"retry-after": given}, at=AT) == expected


# The example that the reference libraries of standardwebhooks.com are tested with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
SIGNED_AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
HEADERS = {"webhook-id": ID, "webhook-timestamp": "1614265330", "webhook-signature": SIGNATURE}


def test_is_signed_accepts_the_published_example_among_other_signatures():
    several = HEADERS | {"webhook-signature": f"v1,bm90IHRoaXMgb25l v1a,other {SIGNATURE}"}

    assert is_signed(secrets=[new_secret(), SECRET], headers=several, body=BODY, at=SIGNED_AT)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, BODY + b" "),
        ({}, BODY.replace(b"4", b"5", 1)),
        ({"webhook-id": "msg_other"}, BODY),
        ({"webhook-id": ""}, BODY),
        ({"webhook-timestamp": "1614265331"}, BODY),
        ({"webhook-timestamp": "then"}, BODY),
        ({"webhook-timestamp": ""}, BODY),
        ({"webhook-signature": SIGNATURE.replace("g0", "g1")}, BODY),
        ({"webhook-signature": SIGNATURE.removeprefix("v1,")}, BODY),
        ({"webhook-signature": ""}, BODY),
    ],
)
def test_is_signed_refuses_what_was_changed(headers, body):
    assert not is_signed(secrets=[SECRET], headers=HEADERS | headers, body=body, at=SIGNED_AT)


@pytest.mark.parametrize(("seconds", "accepted"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_is_signed_bounds_the_age(seconds, accepted):
    assert (
        is_signed(secrets=[SECRET], headers=HEADERS, body=BODY, at=SIGNED_AT + timedelta(seconds=seconds)) is accepted
    )


def test_is_signed_without_the_age_check_would_take_a_replay(monkeypatch):
    """The sabotage twin: with a boundless tolerance an old call is believed."""
    late = SIGNED_AT + timedelta(days=400)

    assert not is_signed(secrets=[SECRET], headers=HEADERS, body=BODY, at=late)
    assert is_signed(secrets=[SECRET], headers=HEADERS, body=BODY, at=late, tolerance=timedelta(days=9999))


def test_is_signed_refuses_another_secret_and_none():
    assert not is_signed(secrets=[new_secret()], headers=HEADERS, body=BODY, at=SIGNED_AT)
    assert not is_signed(secrets=[], headers=HEADERS, body=BODY, at=SIGNED_AT)
