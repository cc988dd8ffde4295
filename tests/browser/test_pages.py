"""Every page of customers and the public: readable in light and dark, wide and narrow, by everybody."""

import pytest
import time_machine

from referrals.models import Customer
from referrals.services.links import ensure_link
from tests.browser.conftest import DESK, keep_picture, look, serious_violations, sticks_out
from tests.factories import CustomerFactory, UserFactory, make_program
from tests.scenes import NOON, bring, brought_friends

pytestmark = pytest.mark.once

RICH_FILE = """\
program: {slug}
name: {name}
status: {status}
currency: EUR
landing_url: https://shop.example/welcome
qualifies: {{on: purchase}}
points_per_unit: 2
rewards:
  - {{id: fixed, to: advocate, on: qualified, points: 1250}}
  - {{id: share, to: advocate, on: purchase, percent: 5, max_points: 200, repeat_days: 365}}
  - {{id: welcome, to: friend, on: qualified, points: 1}}
"""


@pytest.fixture
def ann(live_server):
    return CustomerFactory(external_id="ann", name="Ann Ackermann", email="ann@shop.example")


@pytest.fixture
def user(live_server):
    return UserFactory(email="ann@shop.example")


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOON):
        yield


def test_portal_of_an_advocate_with_friends(open_page, ann, user):
    brought_friends(ann)
    look(open_page, "portal", "/", user=user)


def test_portal_on_its_first_day(open_page, ann, user):
    make_program()
    look(open_page, "portal-empty", "/", user=user)


def test_portal_of_a_friend(open_page, ann, user):
    program = make_program()
    carol = CustomerFactory(name="Carol Danvers")
    bring(carol, "Someone Else", NOON, program=program)
    Customer.objects.filter(name="Someone Else").update(email=ann.email, email_normalized=ann.email_normalized)
    ann.delete()
    look(open_page, "portal-friend", "/", user=user)


def test_points_page(open_page, ann, user):
    brought_friends(ann)
    look(open_page, "points", "/points/", user=user)


def test_welcome_page(open_page, live_server):
    make_program()
    look(open_page, "welcome", "/")


def test_welcome_page_without_a_program(open_page, live_server):
    look(open_page, "welcome-none", "/")


def test_portal_without_a_program(open_page, ann, user):
    look(open_page, "portal-none", "/", user=user)


def test_page_of_somebody_unknown(open_page, user):
    look(open_page, "unknown-customer", "/", user=user)


def test_page_to_choose_a_customer(open_page, ann, user):
    CustomerFactory(external_id="shop-2", name="Anton Ackermann", email="ANN@shop.example")
    look(open_page, "choose", "/who/", user=user)


def test_page_of_an_unknown_code(open_page, live_server):
    look(open_page, "unknown-code", "/q/NOTHERE.svg", expect=404)


def test_sign_in_page(open_page, live_server):
    look(open_page, "sign-in", "/accounts/login/")


def test_first_screen_of_a_small_phone_answers_the_three_questions(open_page, ann, user):
    make_program()
    page = open_page("/", user=user, size=(360, 740))
    keep_picture(page, "portal-360")
    for place in (".promise", ".copy", ".share", ".purse"):
        box = page.locator(place).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 740, place


def test_sharing_by_keyboard_alone(open_page, ann, user):
    link = ensure_link(customer=ann, program=make_program())
    page = open_page("/", user=user, size=DESK, permissions=["clipboard-read", "clipboard-write"])

    page.locator("[data-copy-source]").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copied").wait_for()

    assert page.evaluate("navigator.clipboard.readText()").endswith(f"/r/{link.code}?c=copy&p=portal")
    page.locator("[data-dialog]").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()
    assert page.evaluate("document.activeElement.dataset.channel") == "qr"


def test_portal_works_without_scripts(open_page, ann, user):
    link = ensure_link(customer=ann, program=make_program())
    page = open_page("/", user=user, java_script_enabled=False)

    assert page.locator("[data-copy-source]").input_value().endswith(f"/r/{link.code}?c=copy&p=portal")
    assert page.locator('[data-channel="qr"]').get_attribute("href") == f"/q/{link.code}.svg?p=portal"
    assert not page.locator("[data-copy]").is_visible()
    assert not page.locator("[data-native]").is_visible()


def test_native_share_sheet_gets_the_link_of_its_channel(open_page, ann, user):
    link = ensure_link(customer=ann, program=make_program())
    page = open_page("/", user=user)
    page.add_init_script("navigator.share = (data) => { window.shared = data; return Promise.resolve(); }")
    page.reload()

    page.get_by_role("button", name="More").click()

    assert page.evaluate("window.shared.url").endswith(f"/r/{link.code}?c=native&p=portal")


def test_portal_in_german_with_several_programs(open_page, ann, user):
    make_program("a-first", name="Freunde werben", text=RICH_FILE)
    brought_friends(ann)
    look(open_page, "portal-german", "/", user=user, locale="de-DE")


def test_portal_reads_from_right_to_left(open_page, ann, user):
    brought_friends(ann)
    page = open_page("/", user=user)
    page.evaluate("document.documentElement.dir = 'rtl'")
    keep_picture(page, "portal-rtl")

    assert sticks_out(page) == 0
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    assert sticks_out(page) == 0


def test_qr_dialog_shows_the_code_and_saves_it(open_page, ann, user):
    link = ensure_link(customer=ann, program=make_program())
    page = open_page("/", user=user)

    page.locator("[data-dialog]").click()
    page.locator("dialog img").evaluate("image => image.decode()")
    keep_picture(page, "portal-qr")

    assert serious_violations(page) == []
    with page.expect_download() as saving:
        page.get_by_role("link", name="Save the picture").click()
    assert saving.value.suggested_filename == f"{link.code}.svg"


def test_code_page_after_asking_for_a_code(open_page, ann):
    page = open_page("/accounts/login/")
    page.get_by_label("Your email address").fill(ann.email)
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_role("heading", name="Enter your code").wait_for()

    keep_picture(page, "sign-in-code")
    assert serious_violations(page) == []
    assert sticks_out(page) == 0
