"""The demo shop on an origin of its own: from the widget to both rewards, by every way a friend may come."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.services import create_api_key, limit_api_key
from core.services.jobs import run_due_work
from referrals.models import Click, Customer, OfferView, Referral, Share
from referrals.program_file import parse_program
from referrals.queries.sharing import share_card
from referrals.services.links import ensure_link
from referrals.services.naming import be_found_by_name
from referrals.services.programs import apply_program
from rewards.queries.balances import points_of
from tests.browser.conftest import DESK, PHONE, keep_picture, serious_violations, sticks_out
from tests.demo_shop.shop import DemoShop, serving
from tests.factories import SINCE, CustomerFactory, UserFactory
from tests.journeys.world import PROGRAM

pytestmark = pytest.mark.once

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/138.0.0.0 Safari/537.36"  # no robot
BLOCK_STORAGE = """
  for (const name of ["localStorage", "sessionStorage"]) {
    Object.defineProperty(window, name, { get() { throw new DOMException("blocked", "SecurityError"); } });
  }
"""


@pytest.fixture
def shop(live_server, settings):
    """The shop with keys of its own, and a program that leads to it."""
    settings.PUBLIC_BASE_URL = live_server.url
    row, publishable = create_api_key(name="shop pages", publishable=True)
    _, secret = create_api_key(name="shop server", scopes=["read", "write"])
    made = DemoShop(live_server.url, secret, publishable, row.identity_secrets[0])
    with serving(made) as origin:
        limit_api_key(key=row, origins=[origin])
        apply_program(document=parse_program(PROGRAM.format(landing=f"{origin}/welcome")), at=SINCE)
        made.origin = origin
        yield made


@pytest.fixture
def ann(shop):
    return CustomerFactory(external_id="ann", name="Ann Archer", email="ann@mail.example")


def visit(open_page, address, **options):
    """Open a page as a person's browser does."""
    return open_page(address, **{"user_agent": BROWSER} | options)


def account_of_ann(open_page, shop, **options):
    page = visit(open_page, f"{shop.origin}/account?customer=ann", **options)
    page.locator("goodword-refer").get_by_role("button", name="Copy").wait_for()
    return page


def until(page, expression):
    """Wait until an expression is true on the page, whose policy forbids evaluating text by itself."""
    for _ in range(100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def reported(page, rows, count):
    """Wait until what the page reports has arrived."""
    for _ in range(100):
        if rows.count() == count:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{rows.count()} of {count} arrived")


def link_of(customer):
    return share_card(ensure_link(customer=customer, program=customer.links.first().program)).url


def submit(page, word, customer, **fields):
    form = page.locator("form", has=page.get_by_role("button", name=word))
    form.get_by_label("Name").fill(customer)
    for label, value in fields.items():
        form.get_by_label(label.capitalize()).fill(value)
    form.get_by_role("button", name=word).click()
    page.get_by_role("heading", name="You are in" if word == "Join" else "Thank you").wait_for()


def points_after_the_hold(*names):
    run_due_work(at=timezone.now() + timedelta(days=20))
    return [points_of(Customer.objects.get(external_id=name)).available for name in names]


def came(friend):
    referral = Referral.objects.get(friend__external_id=friend)
    return referral.advocate.external_id, referral.method, str(referral.state)


def test_widget_of_a_customer_shows_and_shares_the_link_on_another_origin(open_page, shop, ann):
    page = account_of_ann(open_page, shop, permissions=["clipboard-read", "clipboard-write"])
    widget = page.locator("goodword-refer")
    widget.get_by_role("heading", name="Tell friends about").wait_for()

    widget.get_by_role("button", name="Copy").click()
    widget.get_by_role("button", name="Copied").wait_for()
    reported(page, Share.objects.all(), 1)

    link = page.evaluate("navigator.clipboard.readText()")
    code = ensure_link(customer=ann, program=ann.links.get().program).code
    assert link == f"{shop.goodword}/r/{code}?c=copy&p=account_page"
    share = Share.objects.get()
    assert (share.link.customer, share.channel, share.placement) == (ann, "copy", "account_page")
    assert list(OfferView.objects.values_list("kind", "placement")) == [("view", "account_page")]
    for size in (PHONE, DESK):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        keep_picture(page, f"widget-page-{size[0]}")
        assert serious_violations(page) == []
        assert sticks_out(page) == 0


def test_floating_button_opens_a_dialog_that_a_keyboard_closes(open_page, shop, ann):
    page = visit(open_page, f"{shop.origin}/account?customer=ann&mode=button")
    page.get_by_role("button", name="Tell friends about").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Copy").wait_for()
    keep_picture(page, "widget-button-open")
    assert serious_violations(page) == []

    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")

    reported(page, OfferView.objects.all(), 2)
    assert sorted(OfferView.objects.values_list("kind", "placement")) == [
        ("open", "floating_button"),
        ("view", "floating_button"),
    ]


def test_widget_of_a_visitor_shows_the_offer_and_leads_to_the_sign_in(open_page, shop):
    page = visit(open_page, f"{shop.origin}/account?mode=card")
    link = page.locator("goodword-refer").get_by_role("link", name="Get your link")
    link.wait_for()

    assert link.get_attribute("href") == f"{shop.goodword}/"
    keep_picture(page, "widget-visitor")


def test_friend_comes_by_link_joins_and_orders_days_later(open_page, shop, ann, time_machine):
    account_of_ann(open_page, shop)
    friend = visit(open_page, link_of(ann))
    until(friend, "goodword.attribution?.().click")
    friend.goto(f"{shop.origin}/welcome")  # another page of the shop, without anything in its address
    until(friend, "document.querySelector('[data-goodword=click]').value")
    friend.context.clear_cookies()  # what the shop's own server kept of the address does not help
    submit(friend, "Join", "bob")
    time_machine.move_to(timezone.now() + timedelta(days=5))
    submit(friend, "Buy", "bob")

    assert came("bob") == ("ann", "link", "qualified")
    assert points_after_the_hold("ann", "bob") == [500, 100]


def test_friend_comes_where_storage_is_blocked(open_page, shop, ann):
    open_page(f"{shop.origin}/account?customer=ann").locator("goodword-refer").get_by_role(
        "button", name="Copy"
    ).wait_for()
    friend = visit(open_page, f"{shop.origin}/welcome")
    friend.context.add_init_script(BLOCK_STORAGE)
    friend.goto(link_of(ann))
    until(friend, "document.querySelector('[data-goodword=click]').value")
    friend.context.clear_cookies()
    submit(friend, "Buy", "bob")

    assert came("bob") == ("ann", "link", "qualified")


def test_friend_comes_without_any_script(open_page, shop, ann):
    open_page(f"{shop.origin}/account?customer=ann").locator("goodword-refer").get_by_role(
        "button", name="Copy"
    ).wait_for()
    friend = visit(open_page, link_of(ann), java_script_enabled=False)
    submit(friend, "Join", "bob")
    submit(friend, "Buy", "bob")

    assert came("bob") == ("ann", "link", "qualified")


@pytest.mark.parametrize(("field", "method"), [("code", "code"), ("coupon", "coupon")])
def test_friend_was_told_the_code(open_page, shop, ann, field, method):
    account_of_ann(open_page, shop)
    code = ann.links.get().code
    friend = visit(open_page, f"{shop.origin}/welcome")

    submit(friend, "Buy", "bob", **{field: f" {code[:3].lower()} {code[3:]} "})

    assert came("bob") == ("ann", method, "qualified")
    assert points_after_the_hold("ann", "bob") == [500, 100]


def test_address_with_a_code_alone_becomes_a_visit_and_an_unknown_one_nothing(open_page, shop, ann):
    open_page(f"{shop.origin}/account?customer=ann").locator("goodword-refer").get_by_role(
        "button", name="Copy"
    ).wait_for()
    flyer = visit(open_page, f"{shop.origin}/welcome?ref={ann.links.get().code}&utm_source=flyer")
    until(flyer, "goodword.attribution?.().click")

    stranger = visit(open_page, f"{shop.origin}/welcome?ref=ZZZZZZZ")
    until(stranger, "goodword.attribution && goodword.attribution().ref === ''")

    flyer.goto(f"{shop.origin}/welcome?ref=producthunt")
    until(flyer, "goodword.attribution && goodword.attribution().ref !== 'producthunt'")

    click = Click.objects.get()
    assert click.utm == {"utm_source": "flyer"}
    assert flyer.evaluate("goodword.attribution().click") == click.click_id, "somebody else's ?ref= is no code of ours"


def test_nothing_is_kept_before_there_is_consent(open_page, shop, ann):
    open_page(f"{shop.origin}/account?customer=ann").locator("goodword-refer").get_by_role(
        "button", name="Copy"
    ).wait_for()
    shop.consent = "wait"
    friend = visit(open_page, link_of(ann))
    until(friend, "goodword.attribution?.().click")
    before = friend.evaluate("localStorage.length")

    friend.evaluate("goodword.consent(true)")
    until(friend, "localStorage.length === 1")
    friend.evaluate("goodword.consent(false)")

    assert before == 0
    assert Click.objects.count() == 1, "agreeing is no second visit"
    assert friend.evaluate("[localStorage.length, goodword.attribution().ref]") == [0, ""]


def test_a_code_in_the_address_is_one_visit_before_and_after_consent(open_page, shop, ann):
    account_of_ann(open_page, shop)
    shop.consent = "wait"
    flyer = visit(open_page, f"{shop.origin}/welcome?ref={ann.links.get().code}")
    until(flyer, "goodword.attribution?.().click")

    flyer.evaluate("goodword.consent(true)")
    until(flyer, "localStorage.length === 1")

    assert flyer.evaluate("goodword.attribution().click") == Click.objects.get().click_id


def test_page_with_two_programs_counts_a_view_of_each(open_page, shop, ann):
    second = PROGRAM.replace("program: refer-a-friend", "program: second")
    apply_program(document=parse_program(second.format(landing=f"{shop.origin}/welcome")), at=SINCE)
    page = visit(open_page, f"{shop.origin}/account?customer=ann")

    reported(page, OfferView.objects.filter(kind="view"), 2)

    assert sorted(OfferView.objects.values_list("program__slug", flat=True)) == ["refer-a-friend", "second"]


def test_portal_reports_what_is_seen_and_passed_on(open_page, shop, ann):
    user = UserFactory(email=ann.email)
    portal = open_page("/", user=user, user_agent=BROWSER, permissions=["clipboard-read", "clipboard-write"])
    portal.locator("[data-copy]").click()

    reported(portal, Share.objects.filter(channel="copy", placement="portal", link__customer=ann), 1)
    reported(portal, OfferView.objects.filter(kind="view", placement="portal"), 1)


def test_friend_knows_only_the_name(open_page, shop, ann):
    account_of_ann(open_page, shop)
    link = ann.links.get()
    be_found_by_name(link=link, found=True)
    friend = visit(open_page, f"{shop.goodword}/programs/{link.program.slug}/name/")
    friend.get_by_label("First and last name").fill("ann ARCHER")
    keep_picture(friend, "tell-name")
    assert serious_violations(friend) == []
    friend.get_by_role("button", name="Go on").click()
    friend.get_by_role("link", name="Go to").click()
    friend.get_by_role("button", name="Join").wait_for()
    until(friend, "document.querySelector('[data-goodword=click]')?.value")
    friend.context.clear_cookies()
    submit(friend, "Join", "bob")
    submit(friend, "Buy", "bob")

    assert came("bob") == ("ann", "name", "qualified")
    assert points_after_the_hold("ann", "bob") == [500, 100]
