"""What the widget gets: offers for everybody, link and points for whom the shop vouches."""

import gzip
import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.conf import settings
from django.utils import timezone

from accounts import origins
from accounts.models import User
from accounts.origins import read_identity, sign_identity
from accounts.services import create_api_key
from referrals.models import Customer
from rewards.services.adjustments import adjust_points
from tests.factories import make_program
from tests.rewards.api.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def web(client, now):
    """Ask as a page does: with the publishable key and, given one, a token that says who the visitor is."""
    row, text = create_api_key(name="web", publishable=True)

    def ask(query="", *, who="", token="", **headers):
        if who:
            token = sign_identity(who, until=NOW + timedelta(hours=1), secret=row.identity_secrets[0])
        named = {"x-goodword-identity": token} if token else {}
        return client.get(f"/api/v1/widget{query}", headers={"authorization": f"Bearer {text}", **named, **headers})

    ask.key = row
    return ask


def test_widget_shows_a_visitor_the_offer_and_no_link(web, settings):
    settings.BRAND_NAME, settings.BRAND_ACCENT = "Beans", "#123456"
    make_program()

    told = web().json()

    assert (told["brand"], told["accent"], told["accent_ink"]) == ("Beans", "#123456", "#ffffff")
    assert (told["first_name"], told["points"]) == (None, None)
    assert told["offers"] == [
        {
            "program": "refer-a-friend",
            "name": "Refer a friend",
            "advocate": ["500 points when your friend first orders"],
            "friend": ["100 points as soon as they join"],
            "how_url": f"{settings.PUBLIC_BASE_URL}/programs/refer-a-friend/",
            "link": None,
        }
    ]
    assert told["words"]["title"] == "Tell friends about Beans"


def test_widget_shows_a_customer_their_own_link_and_points(web, api, code):
    adjust_points(customer=Customer.objects.get(external_id="ann"), points=70, reason="hello", actor="boss", at=NOW)

    told = web(who="ann").json()

    link = told["offers"][0]["link"]
    assert (told["first_name"], told["points"]) == ("Ann", {"available": 70, "pending": 0})
    assert link["code"] == code
    assert link["url"].endswith(f"/r/{code}?c=copy")
    assert {one["channel"] for one in link["targets"]} >= {"whatsapp", "email", "sms"}
    assert link["qr_svg"].startswith("<svg")


@pytest.mark.parametrize(("query", "named"), [("?placement=till", "&p=till"), ("?placement=moon", ""), ("", "")])
def test_widget_hands_out_links_of_the_place_it_stands_in(web, code, query, named):
    link = web(query, who="ann").json()["offers"][0]["link"]

    assert link["url"].endswith(f"/r/{code}?c=copy{named}")
    assert link["native_url"].endswith(f"/r/{code}?c=native{named}")
    assert all(f"%2Fr%2F{code}%3Fc%3D{one['channel']}{quote(named, safe='')}" in one["href"] for one in link["targets"])


def test_widget_makes_a_customer_of_whom_the_shop_vouches_for(web):
    make_program()

    told = web(who="new.customer@x").json()

    assert Customer.objects.get().external_id == "new.customer@x"
    assert told["offers"][0]["link"] is not None


def test_widget_refuses_forged_and_foreign_and_old_tokens(web, code):
    other, _ = create_api_key(name="other", publishable=True)
    soon = NOW + timedelta(hours=1)
    tokens = [
        "nonsense",
        sign_identity("ann", until=soon, secret=other.identity_secrets[0]),
        sign_identity("ann", until=NOW - timedelta(seconds=1), secret=web.key.identity_secrets[0]),
    ]

    answers = [web(token=token) for token in tokens]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [(403, "identity_refused")] * 3


def test_widget_that_compares_no_marks_would_believe_anybody(web, code, monkeypatch):
    monkeypatch.setattr(origins.hmac, "compare_digest", lambda given, made: True)
    forged = sign_identity("ann", until=NOW + timedelta(hours=1), secret="a guess")

    assert web(token=forged).json()["first_name"] == "Ann"


def test_widget_of_an_erased_customer_is_409_and_of_a_secret_key_knows_nobody(web, api, code):
    assert api.send("DELETE", "customers/ann").status_code == 204

    assert web(who="ann").status_code == 409
    assert api.get("widget").json()["first_name"] is None


@pytest.mark.parametrize(
    ("query", "headers", "word"),
    [
        ("?lang=de", {}, "Teilen"),
        ("?lang=de-AT", {}, "Teilen"),
        ("", {"accept-language": "de"}, "Teilen"),
        ("?lang=xx", {}, "Share"),
    ],
)
def test_widget_speaks_the_language_of_the_page(web, query, headers, word):
    make_program()

    assert web(query, **headers).json()["words"]["share"] == word


def test_widget_without_any_program_says_so_in_words(web):
    told = web().json()

    assert (told["offers"], told["words"]["nothing"]) == ([], "There is no offer at the moment.")


def test_widget_script_may_be_loaded_by_any_page_and_kept(client):
    first = client.get("/widget.js")
    again = client.get("/widget.js", headers={"if-none-match": first["ETag"]})

    assert first["Content-Type"].startswith("text/javascript")
    assert first["Cache-Control"] == "public, max-age=3600"
    assert first["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert again.status_code == 304


def test_widget_script_is_small_and_asks_nobody_else(client):
    script = client.get("/widget.js").text

    assert len(gzip.compress(script.encode())) < 15_000
    assert set(re.findall(r"https?://[\w.-]+", script)) == {"https://good.example"}  # a comment's


def test_widget_documentation_signs_what_we_read():
    text = (settings.BASE_DIR / "docs" / "widget.md").read_text(encoding="utf-8")
    block = re.search(r"```python\n(.+?)```", text, re.DOTALL).group(1)
    room = {"GOODWORD_SECRET": "s3cret"}
    exec(block, room)

    token = room["goodword_identity"](User(pk=7))

    assert read_identity(token, secrets=["s3cret"], at=timezone.now()) == "7"
    assert read_identity(token, secrets=["s3cret"], at=timezone.now() + timedelta(minutes=61)) == ""
