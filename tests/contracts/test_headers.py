"""Every answer carries the strict policy; single areas get what they need and no more."""

import pytest
from django.test import Client

from accounts.models import User
from tests.contracts.test_permissions import API, PAGES, address  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db


PREVIEWS = ("/surveys/nps/preview/page", "/surveys/nps/preview/mail")


def policy_of(answer):
    """Return the directives of the content security policy."""
    parts = (part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";") if part.strip())
    return {name: (rest[0] if rest else "") for name, *rest in parts}


def test_every_answer_has_the_strict_policy(callers, address):  # noqa: F811
    paths = {address(f"api/v1/{route}") for route, _ in API} | {address(route) for route, _ in PAGES}

    for path in sorted(paths - {"/api/docs/", *PREVIEWS}):
        answer = callers["admin"].call("GET", path)
        policy = policy_of(answer)
        assert "unsafe" not in answer["Content-Security-Policy"], path
        assert policy["default-src"] == "'self'", path
        assert policy["frame-ancestors"] == "'none'", path
        assert (policy["object-src"], policy["base-uri"]) == ("'none'", "'none'"), path
        assert answer["X-Content-Type-Options"] == "nosniff", path
        assert answer["X-Frame-Options"] == "DENY", path
        assert answer["Referrer-Policy"], path


def test_previews_are_framed_by_this_site_alone_and_run_nothing(callers):
    page, letter = (callers["admin"].call("GET", path) for path in PREVIEWS)

    for answer in (page, letter):
        assert (policy_of(answer)["frame-ancestors"], answer["X-Frame-Options"]) == ("'self'", "SAMEORIGIN")
    assert "unsafe" not in page["Content-Security-Policy"]
    assert policy_of(letter) == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "'self' data: https:",
        "frame-ancestors": "'self'",
        "sandbox": "",
    }


def test_only_the_admin_may_evaluate(callers):
    policies = {path: policy_of(callers["admin"].call("GET", path)) for path in ("/admin/", "/api/docs/", "/")}

    assert "'unsafe-eval'" in policies["/admin/"]["script-src"]
    assert policies["/admin/"]["frame-ancestors"] == "'none'"
    assert "script-src" not in policies["/api/docs/"]
    assert policies["/api/docs/"]["style-src"] == "'self' 'unsafe-inline'"
    assert "script-src" not in policies["/"]


def test_only_the_admin_may_evaluate_also_by_a_path_that_looks_like_it(client):
    for path in ("/r/admin/", "/x/admin/", "/administrator/"):
        assert "unsafe" not in client.get(path)["Content-Security-Policy"], path


def test_answer_to_an_unknown_host_is_refused():
    answer = Client(raise_request_exception=False).get("/", headers={"host": "evil.example"})

    assert answer.status_code == 400


def test_cookies_are_kept_from_scripts_and_other_sites(client, settings):
    User.objects.create_superuser("staff@shop.example", "correct horse battery")

    client.post("/accounts/login/", {"login": "staff@shop.example", "password": "correct horse battery"})

    cookie = client.cookies["sessionid"]

    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert bool(cookie["secure"]) is settings.PUBLIC_BASE_URL.startswith("https://")
