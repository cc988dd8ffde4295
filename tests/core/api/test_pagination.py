from urllib.parse import urlsplit

import pytest

from accounts.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.api.probe")]


@pytest.fixture
def people():
    User.objects.bulk_create(User(email=f"p{number}@shop.example") for number in range(5))


def test_page_walks_newest_first_without_gap_or_repeat_while_rows_arrive(caller, people, settings):
    seen, address = [], "/api/v1/things?limit=2"
    while address:
        page = caller.get(address).json()
        seen += [row["email"] for row in page["results"]]
        User.objects.create_user(f"late{len(seen)}@shop.example")
        address = page["next"]
        if address:
            assert address.startswith(settings.PUBLIC_BASE_URL + "/api/v1/things?")
            parts = urlsplit(address)
            address = f"{parts.path}?{parts.query}"

    assert seen == [f"p{number}@shop.example" for number in (4, 3, 2, 1, 0)]


def test_page_ignores_the_request_host(caller, people, settings):
    settings.ALLOWED_HOSTS = ["*"]
    answer = caller.client.get("/api/v1/things?limit=2", headers=caller.headers | {"Host": "evil.example"})

    assert answer.json()["next"].startswith(settings.PUBLIC_BASE_URL)


def test_page_that_is_exactly_full_has_no_next(caller, people):
    assert caller.get("/api/v1/things?limit=5").json()["next"] is None


def test_page_of_nothing(caller):
    assert caller.get("/api/v1/things").json() == {"results": [], "next": None}


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=-1", "limit=99999999999999999999"])
def test_page_of_bad_limit_is_422(caller, query):
    assert caller.get(f"/api/v1/things?{query}").status_code == 422


@pytest.mark.parametrize("cursor", ["", "x", "%F0%9F%98%80", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "a=b", "%2B"])
def test_page_of_bad_cursor_is_422(caller, cursor):
    assert caller.get(f"/api/v1/things?cursor={cursor}").status_code == 422
