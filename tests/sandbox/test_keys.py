"""Test keys work in the sandbox alone, live ones in the live installation alone."""

import pytest
from django.test import Client

from accounts.models import ApiKey
from accounts.services import create_api_key
from core.api import authentication

pytestmark = pytest.mark.django_db


def ask(key):
    return Client().get("/api/v1/customers", headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def both(settings):
    """Return a test key and a live one, both known here, as if the databases were one."""
    settings.SANDBOX = True
    test = create_api_key(name="test")[1]
    settings.SANDBOX = False
    return test, create_api_key(name="live")[1]


def test_keys_of_a_sandbox_show_it(both):
    test, live = both

    assert test.startswith("test_")
    assert not live.startswith("test_")
    assert ApiKey.objects.get_from_key(test.removeprefix("test_")).name == "test"


@pytest.mark.parametrize("publishable", [False, True])
def test_a_live_installation_refuses_a_test_key_and_says_why(settings, publishable):
    settings.SANDBOX = True
    test = create_api_key(name="test", publishable=publishable)[1]
    settings.SANDBOX = False

    answer = ask(test)

    assert (answer.status_code, answer.json()["code"]) == (401, "sandbox_key")
    assert answer.json()["detail"] == "This is a sandbox key; it works in the sandbox alone."
    assert ApiKey.objects.get().last_used_at is None


def test_a_sandbox_refuses_a_live_key_and_says_why(both, settings):
    settings.SANDBOX = True

    answer = ask(both[1])

    assert (answer.status_code, answer.json()["code"]) == (401, "not_a_sandbox_key")
    assert "those begin with test_" in answer.json()["detail"]


def test_each_key_works_at_home(both, settings):
    test, live = both
    at_live = ask(live).status_code
    settings.SANDBOX = True

    assert (at_live, ask(test).status_code) == (200, 200)


def test_a_live_installation_refuses_a_test_key_twin_without_the_look_at_its_prefix(both, monkeypatch):
    monkeypatch.setattr(authentication, "without_prefix", lambda text: text.removeprefix("test_"))

    assert ask(both[0]).status_code == 200
