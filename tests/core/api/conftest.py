import json

import pytest
from django.test import Client

from accounts.services import create_api_key


class Caller:
    """A client with a key."""

    def __init__(self, text, **client):
        self.headers = {"Authorization": f"Bearer {text}"} if text else {}
        self.client = Client(**client)

    def post(self, path, body, **headers):
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = headers.pop("Content-Type", "application/json")
        return self.client.post(path, data, content_type=kind, headers=self.headers | headers)

    def get(self, path):
        return self.client.get(path, headers=self.headers)


@pytest.fixture
def key(db):
    return create_api_key(name="shop")


@pytest.fixture
def caller(key):
    return Caller(key[1])


@pytest.fixture
def call_with():
    return Caller
