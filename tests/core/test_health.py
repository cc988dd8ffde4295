import pytest
from django.core.cache import caches
from django.db import OperationalError

from core import views

pytestmark = pytest.mark.django_db


def test_healthz_and_readyz_answer_200(client):
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"database": "ok", "cache": "ok"})


def test_readyz_without_database_is_503_while_healthz_lives(client, monkeypatch):
    class Gone:
        def cursor(self):
            raise OperationalError("gone")

    monkeypatch.setattr(views, "connection", Gone())

    ready = client.get("/readyz")

    assert (ready.status_code, ready.json()["database"]) == (503, "down")
    assert b"gone" not in ready.content
    assert client.get("/healthz").status_code == 200


def test_readyz_without_cache_is_503(client, monkeypatch):
    def gone(*args, **kwargs):
        raise ConnectionError("gone")

    monkeypatch.setattr(caches["throttle"], "get", gone)

    ready = client.get("/readyz")

    assert (ready.status_code, ready.json()) == (503, {"database": "ok", "cache": "down"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_read_only(client, path):
    assert client.post(path).status_code == 405
