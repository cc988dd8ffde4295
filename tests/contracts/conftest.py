import json

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from accounts.models import User
from accounts.services import create_api_key
from messaging.services import create_endpoint
from referrals.services.sources import create_source
from tests.contracts.company import people_a_company
from tests.factories import UserFactory
from tests.rewards.goods import give, make_item, person, redeem
from tests.shop import Shop, day


class Caller:
    """Somebody at the door: a signed-in browser, or a machine with a key."""

    def __init__(self, *, user: User | None = None, key: str = "") -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        if user is not None:
            self.client.force_login(user)

    def call(self, method: str, path: str):
        body = {} if method == "GET" else {"data": "{}", "content_type": "application/json"}
        return getattr(self.client, method.lower())(path, headers=self.headers, **body)


@pytest.fixture
def shop(db):
    """Ann referred Bob, redeemed a point and has a passkey; both are somebody else than the customer who calls."""
    shop = Shop()
    shop.code_of("eve", email="eve@shop.example")
    code = shop.code_of("ann", email="ann@shop.example")
    shop.report(shop.purchase("bob", day(1), "order-1", "59.90", code=code, event_id="event-1"), at=day(1))
    item = make_item("nps", points=1, picture=b"\x89PNG\r\n\x1a\n", picture_type="image/png")
    give(person("ann"), 1)
    redeem(person("ann"), item)
    ann = UserFactory(password="!", email="ann@shop.example")
    Authenticator.objects.create(user=ann, type=Authenticator.Type.WEBAUTHN, data={"name": "key", "credential": {}})
    create_endpoint(url="https://hooks.shop.example/", types=["survey.*"])
    create_source(kind="stripe", slug="stripe", secret="whsec_of_somebody_else")
    return shop


@pytest.fixture
def callers(shop):
    return {
        "anonymous": Caller(),
        "customer": Caller(user=UserFactory(password="!", email="eve@shop.example")),
        "read": Caller(key=create_api_key(name="r", scopes=["read"])[1]),
        "write": Caller(key=create_api_key(name="w", scopes=["write"])[1]),
        "staff": Caller(user=UserFactory(password="!", email="staff@shop.example", is_staff=True)),
        "admin": Caller(user=UserFactory(password="!", email="admin@shop.example", is_staff=True, is_superuser=True)),
    }


@pytest.fixture
def known(shop, client):
    return people_a_company(shop, client)


@pytest.fixture
def keys(db):
    return {
        "all": create_api_key(name="a", scopes=["read", "write"])[1],
        "read": create_api_key(name="r", scopes=["read"])[1],
        "write": create_api_key(name="w", scopes=["write"])[1],
        "wrong": "abcdefgh.wrong",
    }


@pytest.fixture
def call(client, keys):
    """Return a function that calls the API as a shop's server does."""

    def do(method, path, body=None, *, who="all", kind="application/json", **headers):
        text = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        headers |= {"Authorization": f"Bearer {keys[who]}"} if who else {}
        path = path if path.startswith("http") else f"/api/v1/{path}"
        return client.generic(method, path, text or "", kind, headers=headers)

    return do
