import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connections
from django.utils import timezone

from accounts.models import User
from accounts.services import create_api_key
from core.api import idempotency
from core.api.idempotency import purge_idempotent_requests
from core.models import IdempotentRequest

pytestmark = pytest.mark.urls("tests.core.api.probe")


@pytest.mark.django_db
def test_post_twice_with_one_key_has_one_effect_and_one_answer(caller):
    first = caller.post("/api/v1/things", {"name": "a"}, Idempotency_Key="k1")
    second = caller.post("/api/v1/things", '{ "name" : "a" }', Idempotency_Key="k1")

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_post_twice_without_key_has_two_effects(caller):
    for _ in range(2):
        caller.post("/api/v1/things", {"name": "a"})

    assert User.objects.count() == 2


@pytest.mark.django_db
def test_post_other_body_with_a_used_key_is_422(caller):
    caller.post("/api/v1/things", {"name": "a"}, Idempotency_Key="k1")

    answer = caller.post("/api/v1/things", {"name": "b"}, Idempotency_Key="k1")

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_post_with_another_callers_key_is_independent(caller, call_with):
    other = call_with(create_api_key(name="other")[1])

    caller.post("/api/v1/things", {"name": "a"}, Idempotency_Key="k1")
    answer = other.post("/api/v1/things", {"name": "b"}, Idempotency_Key="k1")

    assert (answer.status_code, "Idempotency-Replayed" in answer) == (201, False)


@pytest.mark.django_db
def test_post_refused_with_key_is_refused_again_and_leaves_no_effect(caller):
    first = caller.post("/api/v1/things", {"name": "sold"}, Idempotency_Key="k1")
    second = caller.post("/api/v1/things", {"name": "sold"}, Idempotency_Key="k1")

    assert (first.status_code, second.status_code) == (409, 409)
    assert (second.content, second["Content-Type"]) == (first.content, "application/problem+json")
    assert second["Idempotency-Replayed"] == "true"
    assert User.objects.count() == 0


@pytest.mark.django_db
def test_post_that_fails_unexpectedly_is_not_remembered(caller):
    caller.client.raise_request_exception = False

    statuses = [caller.post("/api/v1/things", {"name": "bug"}, Idempotency_Key="k1").status_code for _ in range(2)]

    assert statuses == [500, 500]
    assert (User.objects.count(), IdempotentRequest.objects.count()) == (0, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "x" * 256, "ä"])
def test_post_with_unusable_key_is_422(caller, text):
    answer = caller.post("/api/v1/things", {"name": "a"}, Idempotency_Key=text)

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_idempotency_key")
    assert User.objects.count() == 0


@pytest.mark.django_db
def test_post_with_longest_key_is_accepted(caller):
    assert caller.post("/api/v1/things", {"name": "a"}, Idempotency_Key="x" * 255).status_code == 201


@pytest.mark.django_db
def test_post_a_day_later_with_the_same_key_is_new(caller):
    with time_machine.travel("2026-03-01T10:00:00Z", tick=False):
        caller.post("/api/v1/things", {"name": "a"}, Idempotency_Key="k1")
    with time_machine.travel("2026-03-02T09:59:59Z", tick=False):
        within = caller.post("/api/v1/things", {"name": "a"}, Idempotency_Key="k1")
    with time_machine.travel("2026-03-02T10:00:00Z", tick=False):
        after = caller.post("/api/v1/things", {"name": "b"}, Idempotency_Key="k1")

    assert within["Idempotency-Replayed"] == "true"
    assert (after.status_code, User.objects.count()) == (201, 2)


@pytest.mark.django_db
def test_purge_idempotent_requests_forgets_only_what_is_older_than_a_day(caller):
    now = timezone.now()
    for key, age in (("young", timedelta(hours=23)), ("old", timedelta(hours=25))):
        with time_machine.travel(now - age, tick=False):
            caller.post("/api/v1/things", {"name": "a"}, Idempotency_Key=key)

    purged = purge_idempotent_requests(at=now)

    assert purged == 1
    assert [row.key for row in IdempotentRequest.objects.all()] == ["young"]


@pytest.mark.django_db
def test_post_while_the_first_is_running_is_409(caller, key):
    with idempotency._alone(key[0].prefix, "k1"):
        answer = caller.post("/api/v1/things", {"name": "a"}, Idempotency_Key="k1")

    assert (answer.status_code, answer["Retry-After"]) == (409, "1")
    assert User.objects.count() == 0
    assert caller.post("/api/v1/things", {"name": "a"}, Idempotency_Key="k1").status_code == 201


def race(call_with, text, threads=12):
    """Send the same request from many threads at once; return the answers."""
    barrier, answers = threading.Barrier(threads), []

    def send():
        caller = call_with(text, raise_request_exception=False)
        barrier.wait()
        try:
            answers.append(caller.post("/api/v1/things", {"name": "a"}, Idempotency_Key="k1"))
        finally:
            connections.close_all()

    started = [threading.Thread(target=send) for _ in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(60)
    return answers


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("processes", [1, 2], ids=["one process", "as if many processes"])
def test_post_in_parallel_with_one_key_has_one_effect(call_with, key, monkeypatch, processes):
    if processes == 2:  # the database alone must do
        monkeypatch.setattr(idempotency, "_running", NeverFull())

    answers = race(call_with, key[1])

    made = [answer for answer in answers if answer.status_code == 201]
    assert len(answers) == 12
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in made}) == 1
    assert sum("Idempotency-Replayed" not in answer for answer in made) == 1
    assert User.objects.count() == 1


class NeverFull(set):
    def __contains__(self, item):
        return False


@pytest.mark.django_db(transaction=True)
def test_post_in_parallel_with_one_key_sabotaged(call_with, key, monkeypatch):
    """Without remembering, the same race has many effects."""
    monkeypatch.setattr(idempotency, "_running", NeverFull())
    monkeypatch.setattr(idempotency, "_take_lock", lambda caller, key: None)
    monkeypatch.setattr(idempotency, "_replay", lambda request, caller, key: None)
    monkeypatch.setattr(IdempotentRequest.objects, "create", lambda **fields: None)

    race(call_with, key[1])

    assert User.objects.count() > 1
