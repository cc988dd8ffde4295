import socket
import time

import pytest
from celery import Celery
from django.db import transaction

from config.settings import REDIS_TRANSPORT_OPTIONS
from core import doorbell


@pytest.fixture(params=["refusing", "silent"])
def dead_broker(request, monkeypatch):
    """A broker that is down: nobody listens, or somebody listens and never answers."""
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    if request.param == "refusing":
        server.close()
    app = Celery("dead", broker=f"redis://127.0.0.1:{port}/0", set_as_current=False)
    app.conf.broker_transport_options = REDIS_TRANSPORT_OPTIONS
    monkeypatch.setattr(doorbell, "current_app", app)
    yield
    server.close()


def test_ring_with_the_broker_down_neither_raises_nor_blocks_long(dead_broker):
    started = time.monotonic()
    doorbell.ring("core.tasks.deliver_due")
    first = time.monotonic() - started
    for _ in range(100):
        doorbell.ring("core.tasks.deliver_due")
    rest = time.monotonic() - started - first

    assert first < 6
    assert rest < 0.2


def test_ring_with_the_broker_down_sabotaged(dead_broker):
    """Without the doorbell's care the same call raises."""
    with pytest.raises(Exception, match=r".+"):
        doorbell.current_app.send_task("core.tasks.deliver_due", retry=False)


@pytest.mark.django_db(transaction=True)
def test_ring_on_commit_rings_only_after_commit(monkeypatch):
    heard = []
    monkeypatch.setattr(doorbell, "ring", heard.append)

    with transaction.atomic():
        doorbell.ring_on_commit("lost")
        transaction.set_rollback(True)
    with transaction.atomic():
        doorbell.ring_on_commit("kept")
        during = list(heard)

    assert (during, heard) == ([], ["kept"])


@pytest.mark.django_db(transaction=True)
def test_ring_on_commit_rings_once_for_all_who_ask(monkeypatch):
    heard = []
    monkeypatch.setattr(doorbell, "ring", heard.append)

    with transaction.atomic():
        for _ in range(3):
            doorbell.ring_on_commit("one")
        doorbell.ring_on_commit("two")
        with transaction.atomic():
            doorbell.ring_on_commit("three")
            transaction.set_rollback(True)
        doorbell.ring_on_commit("three")

    assert heard == ["one", "two", "three"]
