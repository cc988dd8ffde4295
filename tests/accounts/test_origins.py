"""Publishable keys on the pages they are limited to, and tokens by which a shop says who its visitor is."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import ApiKey
from accounts.origins import origin_problem, read_identity, read_origins, sign_identity
from accounts.services import BadOrigin, create_api_key, limit_api_key, renew_identity_secret, revoke_api_key
from core.api import authentication

SHOP = "https://shop.example"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(st.text(min_size=1, max_size=60).filter(lambda text: max(text) < "\ud800" or max(text) > "\udfff"))
def test_read_identity_returns_what_was_signed(external_id):
    token = sign_identity(external_id, until=NOON, secret="s1")

    assert read_identity(token, secrets=["s2", "s1"], at=NOON) == external_id
    assert read_identity(token, secrets=["s2"], at=NOON) == ""
    assert read_identity(token, secrets=["s1"], at=NOON + timedelta(seconds=1)) == ""


def test_sign_identity_is_plain_hmac_that_any_shop_can_make():
    said = f"c-1.{int(NOON.timestamp())}"
    mark = hmac.new(b"secret", said.encode(), hashlib.sha256).hexdigest()

    assert sign_identity("c-1", until=NOON, secret="secret") == f"{said}.{mark}"


@pytest.mark.parametrize("spoil", range(3))
def test_read_identity_refuses_a_token_with_any_part_changed(spoil):
    parts = sign_identity("c-1", until=NOON, secret="s").split(".")
    parts[spoil] = parts[spoil][:-1] + ("0" if parts[spoil][-1] != "0" else "1")

    assert read_identity(".".join(parts), secrets=["s"], at=NOON - timedelta(days=1)) == ""


@pytest.mark.parametrize(
    "token", ["", "c-1", ".1.", "c-1.x.y", "c-1.99999999999.", "." * 50, "a" * 1000, "c-1.²." + "0" * 64]
)
def test_read_identity_refuses_what_is_no_token(token):
    assert read_identity(token, secrets=["s"], at=NOON) == ""


def test_read_identity_with_no_secret_knows_nobody():
    assert read_identity(sign_identity("c-1", until=NOON, secret=""), secrets=[], at=NOON) == ""


@pytest.mark.parametrize(
    "origin", ["https://shop.example", "https://a.shop.example:8443", "http://localhost:9000", "http://[::1]:80"]
)
def test_origin_problem_of_an_origin_is_none(origin):
    assert origin_problem(origin) == ""


@pytest.mark.parametrize(
    "text", ["", "shop.example", "https://shop.example/", "http://shop.example", "https://*.example", "ftp://x", "null"]
)
def test_origin_problem_says_what_was_expected(text):
    assert "expected" in origin_problem(text)


def test_read_origins_writes_them_as_browsers_do():
    assert read_origins([" HTTPS://Shop.example/ ", "", "https://shop.example"]) == [SHOP]


@pytest.mark.django_db
class TestKeys:
    def ask(self, client, key, **headers):
        return client.get("/api/v1/widget", headers={"authorization": f"Bearer {key}", **headers})

    def test_a_key_limited_to_origins_works_on_their_pages_alone(self, client):
        _, key = create_api_key(name="web", publishable=True, origins=[SHOP])

        on_page, elsewhere, from_nowhere = (
            self.ask(client, key, origin=SHOP),
            self.ask(client, key, origin="https://evil.example"),
            self.ask(client, key),
        )

        assert on_page.status_code == 200
        assert on_page["Access-Control-Allow-Origin"] == SHOP
        for refused in (elsewhere, from_nowhere):
            assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")
        assert "Access-Control-Allow-Origin" not in elsewhere

    def test_a_key_that_no_page_is_asked_of_would_work_elsewhere(self, client, monkeypatch):
        monkeypatch.setattr(authentication, "refuse_other_origins", lambda request, key: None)
        _, key = create_api_key(name="web", publishable=True, origins=[SHOP])

        assert self.ask(client, key, origin="https://evil.example").status_code == 200

    def test_a_key_without_origins_works_everywhere(self, client):
        _, key = create_api_key(name="web", publishable=True)

        assert self.ask(client, key, origin="https://any.example").status_code == 200

    def test_a_browser_may_ask_what_the_widget_needs_and_nothing_else(self, client):
        row, _ = create_api_key(name="web", publishable=True, origins=[SHOP])
        asked = {
            "origin": SHOP,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization",
        }

        allowed = client.options("/api/v1/shares", headers=asked)
        other_door = client.options("/api/v1/customers", headers=asked)
        other_page = client.options("/api/v1/shares", headers=asked | {"origin": "https://evil.example"})
        revoke_api_key(key=row)
        revoked = client.options("/api/v1/shares", headers=asked)

        assert allowed["Access-Control-Allow-Origin"] == SHOP
        assert "authorization" in allowed["Access-Control-Allow-Headers"]
        for refused in (other_door, other_page, revoked):
            assert "Access-Control-Allow-Origin" not in refused

    def test_a_browser_asked_of_no_address_would_be_let_in_everywhere(self, client, settings):
        settings.CORS_URLS_REGEX = ".*"
        create_api_key(name="web", publishable=True, origins=[SHOP])
        asked = {"origin": SHOP, "access-control-request-method": "POST"}

        assert client.options("/api/v1/customers", headers=asked)["Access-Control-Allow-Origin"] == SHOP

    def test_create_api_key_refuses_origins_that_are_none_or_on_a_secret_key(self):
        for options in ({"publishable": True, "origins": ["shop"]}, {"origins": [SHOP]}):
            with pytest.raises(BadOrigin):
                create_api_key(name="web", **options)
        with pytest.raises(CommandError, match="expected an origin"):
            call_command("create_api_key", "web", "--publishable", "--origin", "shop")

        assert not ApiKey.objects.exists()

    def test_create_api_key_command_limits_and_tells_the_secret(self, capsys):
        call_command("create_api_key", "web", "--publishable", "--origin", f"{SHOP}/")

        row = ApiKey.objects.get()
        assert row.origins == [SHOP]
        assert row.identity_secrets[0] in capsys.readouterr().out

    def test_limit_api_key_and_renew_identity_secret(self):
        row, _ = create_api_key(name="web", publishable=True, origins=[SHOP])
        first = row.identity_secrets[0]

        second = renew_identity_secret(key=row).identity_secrets
        third = renew_identity_secret(key=row).identity_secrets

        assert limit_api_key(key=row, origins=[]).origins == []
        assert second[1] == first
        assert third[1] == second[0]
        assert len(third) == 2

    def test_admin_edits_origins_and_shows_the_secret(self, admin_client):
        row, _ = create_api_key(name="web", publishable=True)
        address = f"/admin/accounts/apikey/{row.pk}/change/"

        page = admin_client.get(address)
        wrong = admin_client.post(address, {"origins": "shop.example"})
        right = admin_client.post(address, {"origins": f"{SHOP}\nhttps://www.shop.example/"})
        renewed = admin_client.post(
            "/admin/accounts/apikey/", {"action": "renew_identity", "_selected_action": [row.pk]}, follow=True
        )

        assert row.identity_secrets[0] in page.text
        assert "expected an origin" in wrong.text
        assert right.status_code == 302
        before = row.identity_secrets
        row.refresh_from_db()
        assert row.origins == [SHOP, "https://www.shop.example"]
        assert row.identity_secrets[1:] == before
        assert renewed.status_code == 200

    def test_admin_of_a_secret_key_asks_for_no_origins(self, admin_client):
        row, _ = create_api_key(name="server")

        page = admin_client.get(f"/admin/accounts/apikey/{row.pk}/change/")

        assert page.status_code == 200
        assert 'name="origins"' not in page.text
