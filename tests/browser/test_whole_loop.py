"""A good word all the way round, as people see it: on a phone, at a desk, and by the shop's API."""

import pytest
import requests
from django.core.management import call_command

from referrals.program_file import parse_program
from referrals.services.programs import apply_program
from tests.browser.conftest import DESK, PHONE, keep_picture, serious_violations, sticks_out
from tests.factories import SINCE
from tests.journeys.world import ANN, BOB, PASSWORD, PROGRAM, STAFF, after_the_hold, click_in, open_world, score_link

BROWSER = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/138.0.0.0 Mobile Safari/537.36"  # no robot
)


@pytest.fixture
def world(live_server, settings, tmp_path):
    return open_world(live_server.url, tmp_path / "mails", settings)


@pytest.fixture
def landing(httpserver):
    httpserver.expect_request("/favicon.ico").respond_with_data(b"", content_type="image/x-icon")
    httpserver.expect_request("/welcome").respond_with_data("<h1>Welcome to the shop</h1>", content_type="text/html")
    return httpserver.url_for("/welcome")


def look(page, name):
    """Keep pictures of a page on a phone and at a desk; nothing may stick out or keep anybody out."""
    for size in (DESK, PHONE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.wait_for_timeout(300)
        keep_picture(page, f"loop-{name}-{size[0]}")
        assert serious_violations(page) == []
    assert sticks_out(page) == 0


def sign_in(open_page, world, customer, **options):
    page = open_page("/accounts/login/", **options)
    page.get_by_label("Your email address").fill(customer["email"])
    page.get_by_role("button", name="Send me a code").click()
    page.wait_for_url("**/code/confirm/")
    look(page, "code")
    page.locator("input[name=code]").fill(world.code_for(customer["email"]))
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(f"{world.url}/")
    return page


def test_whole_loop_in_a_browser(open_page, world, landing):
    apply_program(document=parse_program(PROGRAM.format(landing=landing)), at=SINCE)
    look(open_page("/"), "welcome")
    look(open_page("/accounts/login/"), "sign-in")
    look(open_page("/nowhere/", expect=404), "not-found")

    # A customer buys, signs in with the mailed code and copies the link.
    world.event("purchase", ANN, order={"id": "1000", "amount": "35.00", "currency": "EUR"})
    call_command("run_due")
    ann = sign_in(open_page, world, ANN, permissions=["clipboard-read", "clipboard-write"])
    ann.locator("[data-copy]").click()
    ann.get_by_role("button", name="Copied").wait_for()
    link = ann.evaluate("navigator.clipboard.readText()")
    assert link.split("?")[0] in world.mail(ANN["email"], "share").text

    # A friend opens it; sign-up and purchase arrive by API.
    friend = open_page(link.removeprefix(world.url), user_agent=BROWSER)
    assert friend.get_by_role("heading").inner_text() == "Welcome to the shop"
    world.event("signup", BOB, referral={"click_id": click_in(friend.url)})
    world.event("purchase", BOB, order={"id": "1001", "amount": "59.90", "currency": "EUR"})
    ann.reload()
    assert "On its way" in ann.locator("main").inner_text()
    look(ann, "portal-waiting")

    # The hold passes: both see their points.
    call_command("run_due", as_of=after_the_hold())
    ann.reload()
    assert ann.locator(".tile-strong .tile-value").inner_text() == "500"
    look(ann, "portal")
    ann.goto("/points/")
    look(ann, "points")
    bob = sign_in(open_page, world, BOB)
    assert bob.locator(".tile-strong .tile-value").inner_text() == "100"

    # The thank-you mail is there, and its preferences can be changed.
    mailbox = open_page("/mails/?q=share")
    look(mailbox, "mailbox")
    mailbox.get_by_role("link", name="Thank you, Ann").click()
    mailbox.frame_locator("iframe").get_by_text(link.split("?")[0].rpartition("/")[2]).first.wait_for()
    look(mailbox, "mail")
    unsubscribe = dict(world.mail(ANN["email"], "share").headers)["List-Unsubscribe"].strip(" <>\n")
    look(open_page(unsubscribe.removeprefix(world.url)), "preferences")

    # A survey mail is answered 9 and leads to the referral page.
    world.send("POST", "/surveys/nps/invitations", {"customer": "c-bob"})
    call_command("run_due")
    survey = open_page(score_link(world.mail(BOB["email"], "likely"), 9).removeprefix(world.url))
    assert survey.get_by_role("radio", checked=True).get_attribute("value") == "9"
    look(survey, "survey")
    survey.get_by_label("Why?").fill("Fast and friendly")
    survey.get_by_role("button", name="Send my answer").click()
    survey.get_by_role("heading", name="Thank you, Bob!").wait_for()
    assert "/r/" in survey.locator("[data-copy-source]").input_value()
    look(survey, "survey-thanks")

    # The staff see it all.
    staff = open_page("/accounts/login/?next=/dashboard/", size=DESK)
    staff.locator("input[name=login]").fill(STAFF)
    staff.locator("input[name=password]").fill(PASSWORD)
    staff.locator("input[name=password]").press("Enter")
    staff.wait_for_url("**/dashboard/")
    staff.locator("canvas, svg").first.wait_for()
    shown = staff.locator("main").inner_text()
    assert [words for words in ("94.90", "Referred sign-ups", "600", "+100") if words not in shown] == []
    look(staff, "dashboard")
    assert requests.get(f"{world.url}/readyz", timeout=10).status_code == 200
