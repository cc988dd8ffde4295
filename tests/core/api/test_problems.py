import json

import pytest

from accounts.models import User
from core.api.problems import pointer_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.api.probe")]


def pointers(answer):
    return [error["pointer"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ["/name"]),
        ({"name": "a", "nmae": 1}, ["/nmae"]),
        ({"name": "a", "order": {"currency": "XXX"}}, ["/order/currency"]),
        ({"name": "a", "order": {"currency": "EUR", "coupon": 1}}, ["/order/coupon"]),
        ({"name": "a", "order": {"currency": "EUR", "lines": [1, 0, "x"]}}, ["/order/lines/1", "/order/lines/2"]),
        ({"name": 5}, ["/name"]),
        ({"name": True}, ["/name"]),
        ({"name": None}, ["/name"]),
        ({"name": "a\x00b"}, ["/name"]),
        ({"name": "a", "a/b~c": 1}, ["/a~1b~0c"]),
        ({"name": "a", "at": "2026-03-01T10:00:00"}, ["/at"]),
        ({"name": "a", "at": "2026-13-01T10:00:00Z"}, ["/at"]),
        ({"name": "a", "at": 5}, ["/at"]),
        ({"name": "a", "attributes": {"x": ["\x00"]}}, ["/attributes"]),
        ({"name": "a", "order": [1]}, ["/order"]),
        ([], [""]),
        ("text", [""]),
        (None, [""]),
    ],
)
def test_post_bad_value_is_422_with_a_pointer_to_it(caller, body, expected):
    answer = caller.post("/api/v1/things", json.dumps(body))

    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert sorted(pointers(answer)) == sorted(expected)
    assert {"type", "title", "status", "detail", "code", "errors"} == set(answer.json())
    assert User.objects.count() == 0


@pytest.mark.parametrize("raw", [r'{"name": "a\ud800"}', '{"name": "a", "attributes": {"n": 1e400}}'])
def test_post_unstorable_value_is_422(caller, raw):
    assert caller.post("/api/v1/things", raw).status_code == 422


def test_post_list_points_into_the_item(caller):
    answer = caller.post("/api/v1/batch", [{"name": "a"}, {"name": "b", "x": 1}])

    assert pointers(answer) == ["/1/x"]


@pytest.mark.parametrize("raw", ["", "{", "nan", "{'a': 1}", b"\xff\xfe", '{"name": NaN}', "[" * 100_000])
def test_post_unreadable_json_is_400_or_422_when_empty(caller, raw):
    answer = caller.post("/api/v1/things", raw)

    assert (answer.status_code, answer["Content-Type"]) == (400 if raw else 422, "application/problem+json")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_post_other_media_type_is_415(caller, kind):
    answer = caller.post("/api/v1/things", "name=a", **{"Content-Type": kind})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_post_json_with_charset_is_accepted(caller):
    answer = caller.post("/api/v1/things", {"name": "a"}, **{"Content-Type": "application/json; charset=utf-8"})

    assert answer.status_code == 201


def test_post_body_over_one_megabyte_is_413(caller):
    just_right = '{"name": "a"}'.ljust(1_000_000)

    assert caller.post("/api/v1/things", just_right).status_code == 201
    answer = caller.post("/api/v1/things", just_right + " ")
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert User.objects.count() == 1


def test_post_body_that_lies_about_its_length_is_cut_not_trusted(caller):
    answer = caller.post("/api/v1/things", '{"name": "a"}', Content_Length="5")

    assert answer.status_code == 400


def test_call_other_method_is_405(caller):
    answer = caller.client.delete("/api/v1/things", headers=caller.headers)

    assert (answer.status_code, answer.json()["code"], answer["Allow"]) == (
        405,
        "method_not_allowed",
        "GET, POST, HEAD, OPTIONS",
    )


@pytest.mark.parametrize("path", ["/api/v1/nope", "/api/v1/", "/api/v1/things/", "/api/v1/a%00b", "/api/nope"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_call_unknown_address_is_a_404_problem(client, path, method):
    answer = getattr(client, method)(path)

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not_found"


def test_refuse_with_words_code_and_status_of_the_refusal(caller):
    answer = caller.post("/api/v1/things", {"name": "sold"})

    assert answer.status_code == 409
    assert answer.json() == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Nothing left.",
        "code": "sold_out",
    }


def test_refuse_with_pointer_names_it(caller):
    answer = caller.post("/api/v1/things", {"name": "bad"})

    assert answer.json()["errors"] == [{"pointer": "/name", "detail": "Not this name."}]


def test_fail_unexpectedly_is_a_500_problem_without_details(caller):
    caller.client.raise_request_exception = False

    answer = caller.post("/api/v1/things", {"name": "bug"})

    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["code"] == "internal_error"
    assert b"secret" not in answer.content


def test_query_with_nul_is_422(caller):
    assert caller.get("/api/v1/things?email=a%00b").status_code == 422


def test_query_with_nul_reaches_the_view_sabotaged(caller, monkeypatch):
    monkeypatch.setattr("core.api.middleware._refusal", lambda request: None)

    assert caller.get("/api/v1/things?email=a%00b").status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/problem+json", "*/*"])
def test_answer_is_json_whatever_is_accepted(caller, accept):
    answer = caller.client.get("/api/v1/things", headers=caller.headers | {"Accept": accept})

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_pointer_of_escapes():
    assert pointer_of("a/b", 0, "c~d") == "/a~1b/0/c~0d"
    assert pointer_of() == ""
