import pytest
import time_machine
from django.core.cache import caches

from accounts.services import create_api_key
from core.api import throttles

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.api.probe")]


def test_call_beyond_the_limit_is_429_with_the_time_to_wait(caller, call_with, settings):
    settings.API_REQUESTS_PER_MINUTE = 3
    other = call_with(create_api_key(name="other")[1])

    with time_machine.travel("2026-03-01T10:00:20Z", tick=False):
        statuses = [caller.get("/api/v1/things").status_code for _ in range(3)]
        refused = caller.get("/api/v1/things")
        others = other.get("/api/v1/things")
    with time_machine.travel("2026-03-01T10:01:00Z", tick=False):
        later = caller.get("/api/v1/things")

    assert statuses == [200, 200, 200]
    assert (refused.status_code, refused["Retry-After"], refused.json()["code"]) == (429, "40", "too_many_requests")
    assert (others.status_code, later.status_code) == (200, 200)


def test_call_tells_what_is_left(caller, settings):
    settings.API_REQUESTS_PER_MINUTE = 10

    with time_machine.travel("2026-03-01T10:00:20Z", tick=False):
        answer = caller.get("/api/v1/things")

    assert answer["RateLimit-Policy"] == '"default";q=10;w=60'
    assert answer["RateLimit"] == '"default";r=9;t=40'


def test_call_while_the_cache_is_down_is_let_through(caller, settings, monkeypatch):
    monkeypatch.setattr(throttles.PerKeyThrottle, "_silent_until", 0.0)
    settings.API_REQUESTS_PER_MINUTE = 1
    settings.CACHES = settings.CACHES | {
        "throttle": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"socket_connect_timeout": 0.2},
        }
    }
    caches.settings = settings.CACHES
    caches._connections.throttle = caches.create_connection("throttle")

    answers = [caller.get("/api/v1/things").status_code for _ in range(3)]

    assert answers == [200, 200, 200]
