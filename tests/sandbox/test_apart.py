"""A sandbox's environment: what it takes over from the live one, what it never does, and whose database it refuses."""

from pathlib import Path

import pytest

from config.sandbox import NOT_TAKEN_OVER, SameDatabase, environment, identity_of, overrides

BASE = Path("/srv/goodword")
LIVE = {
    "VAR_DIR": "/data",
    "PORT": "9000",
    "DATABASE_URL": "postgres://app:secret@db.example/goodword",
    "PUBLIC_BASE_URL": "https://refer.shop.example",
    "BRAND_NAME": "Shop",
    "TIME_ZONE": "Europe/Berlin",
} | dict.fromkeys(NOT_TAKEN_OVER, "live")


def made(live=LIVE, *, port=0, database="", base_url=""):
    live = {name: value for name, value in live.items() if name != "DATABASE_OWNER_URL"}
    return environment(live, BASE, port, database, base_url)


def test_environment_is_the_sandbox_s_own_but_for_what_the_company_is():
    assert made() == {
        "VAR_DIR": "/data/sandbox",
        "PORT": "9001",
        "DATABASE_URL": "sqlite:////data/sandbox/goodword.sqlite3",
        "PUBLIC_BASE_URL": "http://127.0.0.1:9001",
        "BRAND_NAME": "Shop",
        "TIME_ZONE": "Europe/Berlin",
    }


def test_environment_of_a_clone_without_settings():
    assert made({}) == {
        "VAR_DIR": "/srv/goodword/var/sandbox",
        "PORT": "8001",
        "DATABASE_URL": "sqlite:////srv/goodword/var/sandbox/goodword.sqlite3",
        "PUBLIC_BASE_URL": "http://127.0.0.1:8001",
    }


def test_environment_takes_what_was_chosen_for_it():
    chosen = made(port=7000, database="postgres://app@db.example/try", base_url="https://try.shop.example")

    assert (chosen["PORT"], chosen["DATABASE_URL"]) == ("7000", "postgres://app@db.example/try")
    assert chosen["PUBLIC_BASE_URL"] == "https://try.shop.example"


@pytest.mark.parametrize(
    ("live", "chosen"),
    [
        ("", "sqlite:////data/goodword.sqlite3"),
        ("", "sqlite:////data/sandbox/../goodword.sqlite3"),
        ("postgres://app:secret@db.example/goodword", "postgres://app:secret@db.example/goodword"),
        ("postgres://app:secret@db.example/goodword", "postgresql://other@DB.example/goodword"),
        ("postgres://app@localhost:5432/goodword", "postgres://app@127.0.0.1:5432/goodword"),
        ("postgres://app@/goodword", "postgres://app@localhost/goodword"),
    ],
)
def test_environment_refuses_the_live_database(live, chosen):
    with pytest.raises(SameDatabase, match="names the live installation's database"):
        made(LIVE | {"DATABASE_URL": live}, database=chosen)


def test_environment_refuses_the_live_database_by_its_owner_s_address_too():
    owner = {"DATABASE_URL": "postgres://app@pool.example/goodword", "DATABASE_OWNER_URL": "postgres://o@db/goodword"}
    with pytest.raises(SameDatabase):
        environment(owner, BASE, 0, "postgres://app@db/goodword", "")


def test_environment_refuses_the_live_database_twin_another_one_is_taken():
    other = "postgres://app:secret@db.example/goodword_try"

    assert made(database=other)["DATABASE_URL"] == other


@pytest.mark.parametrize("port", ["5432", ""])
def test_identity_of_knows_the_usual_port(port):
    place = f"db.example:{port}" if port else "db.example"

    assert identity_of(f"postgres://app@{place}/x") == identity_of("postgres://app@db.example/x")


def test_cookies_are_named_apart():
    changed = overrides([])

    assert changed["SESSION_COOKIE_NAME"] != "sessionid"
    assert changed["CSRF_COOKIE_NAME"] != "csrftoken"
