"""Visits, views and shares as the shop's pages report them."""

import json

import pytest

from accounts.services import create_api_key
from analytics.services.rollups import refresh_rollups
from referrals.models import Click, OfferView, Share
from referrals.services import clicks
from rewards.api import visitors
from tests.analytics.ask import grouped
from tests.factories import make_program
from tests.rewards.api.conftest import NOW

pytestmark = pytest.mark.django_db

PERSON = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
    "accept-language": "en",
    "accept": "*/*",
    "sec-fetch-dest": "empty",
    "sec-fetch-mode": "cors",
}
VISITOR = PERSON | {"sec-fetch-dest": "document", "sec-fetch-mode": "navigate"}
BOT = {"user-agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}


@pytest.fixture
def page(client, now):
    """Report as a page does."""
    _, text = create_api_key(name="web", publishable=True)

    def post(path, body, **headers):
        given = {**PERSON, **headers, "authorization": f"Bearer {text}"}
        return client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=given)

    return post


def test_post_clicks_records_a_visit_that_came_past_the_redirect(page, code):
    answer = page("clicks", {"code": code.lower(), "channel": "qr", "utm": {"utm_source": "flyer", "utm_term": ""}})

    click = Click.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {"click_id": click.click_id, "code": code, "program": "refer-a-friend", "keep_days": 30}
    assert (click.channel, click.utm, click.verdict) == ("qr", {"utm_source": "flyer"}, "person")
    assert click.day_hash


def test_post_clicks_keeps_the_placement_of_the_link_and_refuses_others(page, code):
    known = page("clicks", {"code": code, "placement": "newsletter"})
    unknown = page("clicks", {"code": code, "placement": "moon"})

    assert (known.status_code, unknown.status_code) == (201, 422)
    assert Click.objects.get().placement == "newsletter"


def test_post_clicks_binds_the_friend_by_the_visit(page, api, code):
    click_id = page("clicks", {"code": code}).json()["click_id"]

    signup = {"event_id": "s-1", "type": "signup", "occurred_at": NOW.isoformat(), "customer": {"external_id": "bob"}}
    told = api.post("events", signup | {"referral": {"click_id": click_id}}).json()

    assert (told["referral"]["advocate"], told["referral"]["state"]) == ("ann", "signed_up")


def test_post_clicks_of_a_known_visit_makes_no_second_one(page, client, code):
    client.get(f"/r/{code}", headers=VISITOR)
    click = Click.objects.get()

    answer = page("clicks", {"click_id": click.click_id, "code": code})

    assert answer.json()["click_id"] == click.click_id
    assert Click.objects.count() == 1


def test_post_clicks_does_not_count_a_machine(page, code):
    answer = page("clicks", {"code": code}, **BOT)

    assert (answer.status_code, answer.json()["click_id"]) == (201, None)
    assert not Click.objects.exists()


def test_post_clicks_of_a_shops_own_server_is_trusted_and_hashes_no_address(api, code):
    answer = api.post("clicks", {"code": code})

    assert answer.json()["click_id"]
    assert Click.objects.get().day_hash == ""


def test_post_clicks_limits_guesses(page, code, monkeypatch):
    monkeypatch.setattr(clicks, "MISSES", 2)

    answers = [page("clicks", {"code": "ZZZZZZZ"}).status_code for _ in range(4)]
    honest = page("clicks", {"code": code})

    assert answers[:3] == [404, 404, 404]
    assert honest.status_code == 429
    assert int(honest["Retry-After"]) > 0


@pytest.mark.parametrize(
    "body", [{}, {"code": "A", "channel": "pigeon"}, {"code": "A", "utm": {"x": "1"}}, {"code": "A", "visitor": "me"}]
)
def test_post_clicks_names_what_is_wrong(page, body):
    answer = page("clicks", body)

    assert answer.status_code == 422
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    ("base", "origin", "domain"),
    [
        ("https://refer.shop.example", "https://shop.example", "shop.example"),
        ("https://refer.shop.example", "https://www.shop.example", "shop.example"),
        ("https://goodword.example", "https://shop.example", ""),
        ("http://127.0.0.1:8000", "http://127.0.0.1:9000", ""),
    ],
)
def test_post_clicks_keeps_the_visit_in_cookies_where_the_domain_is_shared(page, settings, code, base, origin, domain):
    settings.PUBLIC_BASE_URL = base

    kept = page("clicks", {"code": code, "keep": True}, origin=origin)
    plain = page("clicks", {"code": code}, origin=origin)

    assert not plain.cookies
    assert set(kept.cookies) == ({"gw_ref", "gw_click"} if domain else set())
    for cookie in kept.cookies.values():
        assert (cookie["domain"], cookie["httponly"], cookie["secure"], cookie["samesite"]) == (
            domain,
            True,
            True,
            "Lax",
        )
        assert cookie["max-age"] == 30 * 86_400


def test_delete_clicks_drops_the_cookies_where_the_domain_is_shared(client, page, settings, code):
    settings.PUBLIC_BASE_URL = "https://refer.shop.example"
    _, key = create_api_key(name="web", publishable=True)
    headers = {"authorization": f"Bearer {key}", "origin": "https://shop.example"}

    dropped = client.delete("/api/v1/clicks", headers=headers)
    elsewhere = client.delete("/api/v1/clicks", headers=headers | {"origin": "https://other.example"})

    assert (dropped.status_code, set(dropped.cookies)) == (204, {"gw_ref", "gw_click"})
    assert {(one["domain"], one["max-age"]) for one in dropped.cookies.values()} == {("shop.example", 0)}
    assert not elsewhere.cookies


def test_post_views_and_shares_count_by_placement_and_leave_machines_out(page, api, code):
    for kind, placement in (("view", "banner"), ("view", "banner"), ("open", "floating_button"), ("view", "till")):
        assert page("views", {"placement": placement, "kind": kind}).json() == {"counted": True}
    assert page("views", {"placement": "banner"}, **BOT).json() == {"counted": False}
    shared = page("shares", {"code": code, "channel": "whatsapp", "placement": "post_purchase"})
    assert page("shares", {"code": code, "channel": "copy"}, **BOT).json()["id"] is None
    by_server = api.post("shares", {"customer": "ann", "channel": "email", "placement": "app"})
    refresh_rollups(at=NOW)

    assert shared.json() == {
        "id": Share.objects.get(channel="whatsapp").share_id,
        "code": code,
        "program": "refer-a-friend",
        "channel": "whatsapp",
        "placement": "post_purchase",
    }
    assert by_server.status_code == 201
    day = ("2026-03-10", "2026-03-11")
    assert grouped("offer_views", *day, group="placement") == {"banner": 2, "till": 1}
    assert grouped("offer_opens", *day, group="placement") == {"floating_button": 1}
    assert grouped("shares", *day, group="channel") == {"email": 1, "whatsapp": 1}
    assert grouped("shares", *day, group="placement") == {"app": 1, "post_purchase": 1}
    assert grouped("shares", *day, group="program") == {"refer-a-friend": 2}


def test_post_views_that_looks_at_nobody_would_count_machines(page, code, monkeypatch):
    monkeypatch.setattr(visitors, "is_person_behind", lambda headers: True)

    assert page("views", {"placement": "banner"}, **BOT).json() == {"counted": True}


def test_post_views_refuses_unknown_places_and_programs(page):
    make_program()

    unknown = page("views", {"placement": "moon"})
    no_program = page("views", {"placement": "banner", "program": "nothing"})

    assert (unknown.status_code, no_program.status_code) == (422, 422)
    assert no_program.json()["errors"][0]["pointer"] == "/program"
    assert not OfferView.objects.exists()


def test_post_shares_of_a_publishable_key_names_a_code_and_no_customer(page, code):
    by_customer = page("shares", {"customer": "ann", "channel": "copy"})
    neither = page("shares", {"channel": "copy"})
    unknown = page("shares", {"code": "ZZZZZZZ", "channel": "copy"})

    assert [one.status_code for one in (by_customer, neither, unknown)] == [422, 422, 404]
    assert not Share.objects.exists()


def test_post_shares_of_an_unknown_customer_is_422(api, code):
    answer = api.post("shares", {"customer": "nobody", "channel": "copy"})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/customer")


def test_a_read_key_reports_nothing(reader, code):
    for path, body in (
        ("clicks", {"code": code}),
        ("views", {"placement": "banner"}),
        ("shares", {"code": code, "channel": "copy"}),
    ):
        assert reader.post(path, body).json()["code"] == "insufficient_scope"
