"""A good word all the way round, through the front doors, as programs see it."""

import re

import pytest
import requests
from django.core.management import call_command

from messaging.mailbox import mail_heads
from referrals.program_file import parse_program
from referrals.services.programs import apply_program
from tests.factories import SINCE
from tests.journeys.world import ANN, BOB, PASSWORD, PROGRAM, STAFF, after_the_hold, click_in, open_world, score_link


class Visitor:
    """A browser without a screen: keeps cookies and fills in forms."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()

    def get(self, path):
        answer = self.session.get(path if path.startswith("http") else self.url + path, timeout=20)
        assert answer.ok, answer.text
        return answer

    def send_form(self, path, action="", **fields):
        """Open the page and send its form with these fields; return the page it leads to."""
        page = self.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        fields |= {"csrfmiddlewaretoken": token.group(1)} if token else {}
        answer = self.session.post(self.url + (action or path), data=fields, headers={"Referer": page.url}, timeout=20)
        assert answer.ok, answer.text
        return answer


@pytest.fixture
def world(live_server, settings, tmp_path):
    return open_world(live_server.url, tmp_path / "mails", settings)


@pytest.fixture
def landing(httpserver):
    httpserver.expect_request("/welcome").respond_with_data("Welcome to the shop", content_type="text/html")
    return httpserver.url_for("/welcome")


def sign_in(world, customer):
    visitor = Visitor(world.url)
    visitor.send_form("/accounts/login/", "/accounts/login/code/", email=customer["email"])
    visitor.send_form("/accounts/login/code/confirm/", code=world.code_for(customer["email"]))
    return visitor


def test_whole_loop_over_http(world, landing):
    apply_program(document=parse_program(PROGRAM.format(landing=landing)), at=SINCE)

    # A customer buys, is thanked with their link, signs in with the mailed code and copies the link.
    world.event("purchase", ANN, order={"id": "1000", "amount": "35.00", "currency": "EUR"})
    call_command("run_due")
    thanks = world.mail(ANN["email"], "share")
    ann = sign_in(world, ANN)
    link = re.search(r'value="([^"]+/r/[A-Z0-9]+)\?c=copy&amp;p=portal"', ann.get("/").text).group(1)
    assert link in thanks.text

    # A friend opens it and lands in the shop; sign-up and purchase arrive by API.
    landed = requests.get(f"{link}?c=whatsapp", headers={"User-Agent": "Mozilla/5.0 Firefox/140.0"}, timeout=20)
    assert (landed.url.split("?")[0], landed.text) == (landing, "Welcome to the shop")
    signed_up = world.event("signup", BOB, referral={"click_id": click_in(landed.url)})
    assert (signed_up["referral"]["state"], signed_up["referral"]["advocate"]) == ("signed_up", "c-ann")
    bought = world.event("purchase", BOB, order={"id": "1001", "amount": "59.90", "currency": "EUR"})
    assert (bought["status"], bought["settled"], bought["referral"]["state"]) == ("accepted", True, "qualified")
    assert [(one["to"], one["points"], one["state"]) for one in bought["rewards"]] == [
        ("c-ann", 500, "pending"),
        ("c-bob", 100, "pending"),
    ]
    call_command("run_due")
    assert "Bob M." in world.mail(ANN["email"], "joined").text

    # The hold passes: both see their points.
    call_command("run_due", as_of=after_the_hold())
    points = {who["external_id"]: world.send("GET", f"/customers/{who['external_id']}")["points"] for who in (ANN, BOB)}
    assert {who: (one["available"], one["pending"]) for who, one in points.items()} == {
        "c-ann": (500, 0),
        "c-bob": (100, 0),
    }
    assert ">500<" in ann.get("/").text
    assert ">100<" in sign_in(world, BOB).get("/").text
    assert "500 points" in world.mail(ANN["email"], "yours").head.subject

    # A survey mail is answered 9 and leads to the referral page.
    world.send("POST", "/surveys/nps/invitations", {"customer": "c-bob"})
    call_command("run_due")
    address = score_link(world.mail(BOB["email"], "likely"), 9)
    bob = Visitor(world.url)
    path = address.removeprefix(world.url)
    asked = bob.get(path)
    assert re.search(r'value="9"[^>]*checked', asked.text)
    assert world.send("GET", "/surveys/nps/score")["n"] == 0
    page = bob.send_form(path, path.split("?")[0], score="9", comment="Fast and friendly")
    assert re.search(r"/r/[A-Z0-9]+\?c=copy&amp;p=survey", page.text)
    assert world.send("GET", "/surveys/nps/score")["score"] == 100

    # The staff see it all.
    staff = Visitor(world.url)
    staff.send_form("/accounts/login/", login=STAFF, password=PASSWORD)
    shown = staff.get("/dashboard/").text
    assert "94.90" in shown
    assert numbers(world) == {
        "orders": 2,
        "clicks": 1,
        "signups_referred": 1,
        "referrals_qualified": 1,
        "points_granted": 600,
        "nps": 100,
    }
    assert [head.to for head in mail_heads(world.folder) if "Thank you" in head.subject][-1].endswith(
        f"<{ANN['email']}>"
    )


def numbers(world):
    """Return KPIs of all days by API."""
    names = ("orders", "clicks", "signups_referred", "referrals_qualified", "points_granted", "nps")
    days = "from=2026-01-01&to=2100-01-01"
    return {name: world.send("GET", f"/metrics/{name}?{days}&by=total")["points"][0]["value"] for name in names}
