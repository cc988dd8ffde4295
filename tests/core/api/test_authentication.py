from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import ApiKey
from accounts.services import create_api_key, revoke_api_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.api.probe")]


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer wrong.key", "Basic YTpi", "Bearer \x00"])
def test_authenticate_without_usable_key_is_401_with_a_challenge(client, header):
    create_api_key(name="shop")
    headers = {} if header is None else {"Authorization": header}

    answer = client.get("/api/v1/things", headers=headers)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 401


def test_authenticate_with_right_prefix_and_wrong_secret_is_401(call_with):
    _, text = create_api_key(name="shop")

    assert call_with(text[:-1] + ("a" if text[-1] != "a" else "b")).get("/api/v1/things").status_code == 401


def test_authenticate_with_revoked_key_is_401(caller, key):
    assert caller.get("/api/v1/things").status_code == 200

    revoke_api_key(key=key[0])

    assert caller.get("/api/v1/things").status_code == 401


def test_authenticate_with_expired_key_is_401(call_with):
    _, text = create_api_key(name="shop", expires_at=timezone.now() - timedelta(seconds=1))

    answer = call_with(text).get("/api/v1/things")

    assert (answer.status_code, answer.json()["code"]) == (401, "key_expired")


@pytest.mark.parametrize(
    ("scopes", "method", "status"),
    [
        (["read"], "get", 200),
        (["read"], "post", 403),
        (["write"], "get", 403),
        (["write"], "post", 201),
    ],
)
def test_call_by_scope(call_with, scopes, method, status):
    caller = call_with(create_api_key(name="shop", scopes=scopes)[1])

    answer = caller.get("/api/v1/things") if method == "get" else caller.post("/api/v1/things", {"name": "a"})

    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "insufficient_scope"


def test_call_with_publishable_key_is_403(call_with):
    caller = call_with(create_api_key(name="widget", publishable=True)[1])

    assert caller.get("/api/v1/things").status_code == 403
    assert caller.post("/api/v1/read-only", {}).status_code == 403


def test_authenticate_notes_the_use_at_most_once_a_minute(caller, key):
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    seen = []
    for seconds in (0, 30, 59, 61):
        with time_machine.travel(noon + timedelta(seconds=seconds), tick=False):
            caller.get("/api/v1/things")
        seen.append(ApiKey.objects.get().last_used_at)

    assert seen == [noon, noon, noon, noon + timedelta(seconds=61)]


def test_create_api_key_stores_no_usable_key(key):
    row, text = key

    assert text not in " ".join(str(value) for value in ApiKey.objects.values_list()[0])
    assert row.scopes == ["read", "write"]
