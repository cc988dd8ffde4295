"""A shop that reports over the API with a key."""

import json
from datetime import UTC, datetime

import pytest

from accounts.models import ApiKey
from tests.factories import make_program

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def now(time_machine):
    time_machine.move_to(NOW, tick=False)
    return NOW


class Api:
    """Calls the API as a shop's server does."""

    def __init__(self, client, scopes):
        _, key = ApiKey.objects.create_key(name="shop", scopes=list(scopes))
        self.client = client
        self.headers = {"authorization": f"Bearer {key}"}

    def get(self, path):
        return self.client.get(f"/api/v1/{path}", headers=self.headers)

    def send(self, method, path, body=None, **headers):
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.client.generic(method, f"/api/v1/{path}", text, "application/json", headers=self.headers | headers)

    def post(self, path, body=None, **headers):
        return self.send("POST", path, body, **headers)

    def put(self, path, body):
        return self.send("PUT", path, body)


@pytest.fixture
def api(client, db, now):
    return Api(client, ["read", "write"])


@pytest.fixture
def reader(client, db, now):
    return Api(client, ["read"])


@pytest.fixture
def code(api):
    """Ann's code in a running program."""
    make_program()
    return api.put("customers/ann", {"name": "Ann Archer"}).json()["programs"][0]["code"]


@pytest.fixture
def fact():
    """Return a function that states a fact; parts are replaced by keyword."""

    def make(event_id="order-1001-paid", type_="purchase", who="bob", at="2026-03-01T10:00:00Z", **parts):
        body = {"event_id": event_id, "type": type_, "occurred_at": at, "customer": {"external_id": who}}
        if type_ in ("purchase", "refund"):
            body["order"] = {"id": "1001", "amount": "59.90", "currency": "EUR"}
        return body | parts

    return make
