"""The catalogue in the admin: items are kept, stock is counted, redemptions are handed over or undone with a reason."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile

from messaging.models import Message
from rewards.models import CatalogueItem, CouponPool, Redemption
from rewards.services.catalogue import StockMoved, change_stock, limit_stock, save_item
from tests.factories import UserFactory
from tests.rewards.goods import available, give, make_item, person, redeem
from tests.rewards.test_admin import choose
from tests.rewards.test_pictures import png

pytestmark = pytest.mark.django_db
PNG = png()
ITEM = {
    **{"title": "Coffee mug", "slug": "coffee-mug", "words": "To drink from.", "points": "300", "stock": "5"},
    **{"per_customer": "", "kind": "manual", "what": "", "amount": "", "currency": "", "is_shown": "on"},
    **{"starts_at_0": "", "starts_at_1": "", "ends_at_0": "", "ends_at_1": ""},
}


@pytest.fixture
def ann():
    ann = person(email="ann@shop.example", name="Ann Archer")
    give(ann, 500)
    return ann


def add(client, **changes):
    return client.post("/admin/rewards/catalogueitem/add/", ITEM | changes)


def test_add_item_with_a_picture(admin_client):
    answer = add(admin_client, upload=SimpleUploadedFile("mug.png", PNG))

    item = CatalogueItem.objects.get()
    assert answer.status_code == 302
    assert (item.slug, item.points, item.stock, bytes(item.picture), item.picture_type) == (
        *("coffee-mug", 300, 5, PNG, "image/png"),
    )
    shown = admin_client.get("/catalogue/coffee-mug/picture")
    assert (shown["Content-Type"], shown.content, shown["X-Content-Type-Options"]) == ("image/png", PNG, "nosniff")


WRONG = [
    ({"points": "0"}, "at least 1 point"),
    ({"kind": "coupon"}, "the name of a coupon pool"),
    ({"kind": "coupon", "what": "NOT-THERE"}, "the name of a coupon pool"),
    ({"kind": "perk", "what": "not-there"}, "the slug of a perk"),
    ({"kind": "gift_card"}, "an amount together with its currency"),
    ({"amount": "10.001", "currency": "EUR"}, "EUR has 2 decimals"),
    ({"amount": "10"}, "an amount together with its currency"),
    (
        {"starts_at_0": "2026-05-02", "starts_at_1": "00:00", "ends_at_0": "2026-05-01", "ends_at_1": "00:00"},
        "an end after the start",
    ),
]


@pytest.mark.parametrize(("changes", "told"), WRONG)
def test_add_item_says_what_is_wrong(admin_client, changes, told):
    page = add(admin_client, **changes)

    assert page.status_code == 200
    assert told in page.content.decode()
    assert CatalogueItem.objects.count() == 0


@pytest.mark.parametrize("content", [b"<svg onload=alert(1)>", PNG + b"0" * 300_001])
def test_add_item_refuses_what_is_no_small_picture(admin_client, content):
    page = add(admin_client, upload=SimpleUploadedFile("mug.png", content, content_type="image/png"))

    assert "picture" in page.content.decode()
    assert CatalogueItem.objects.count() == 0


def test_add_item_of_a_coupon_names_its_pool(admin_client):
    CouponPool.objects.create(name="MUG5", gives="5 off a mug")

    answer = add(admin_client, kind="coupon", what="MUG5")

    assert (answer.status_code, CatalogueItem.objects.get().what) == (302, "MUG5")


def test_add_item_of_money_keeps_its_minor_units(admin_client):
    add(admin_client, kind="gift_card", amount="10.50", currency="EUR")

    item = CatalogueItem.objects.get()
    assert (item.amount_minor, item.currency) == (1050, "EUR")
    assert 'value="10.50"' in admin_client.get(f"/admin/rewards/catalogueitem/{item.pk}/change/").content.decode()


def stale_form(client, item):
    """Return what the page of an item posts when nothing is typed: the values it showed."""
    page = client.get(f"/admin/rewards/catalogueitem/{item.pk}/change/").content.decode()
    shown = re.search(r'name="initial-stock" value="(\d*)"', page).group(1)
    return ITEM | {"stock": shown, "initial-stock": shown}


def test_change_item_does_not_bring_back_what_was_redeemed_meanwhile(admin_client, ann):
    add(admin_client)
    item = CatalogueItem.objects.get()
    form = stale_form(admin_client, item)
    redeem(ann, item)  # while the page is open

    admin_client.post(f"/admin/rewards/catalogueitem/{item.pk}/change/", form | {"title": "Big mug"})
    after_title = CatalogueItem.objects.values_list("title", "stock").get()
    page = admin_client.post(f"/admin/rewards/catalogueitem/{item.pk}/change/", form | {"stock": "9"}, follow=True)

    assert after_title == ("Big mug", 4)
    assert "the stock changed to 4 while you looked at it" in page.content.decode()
    assert CatalogueItem.objects.get().stock == 4
    admin_client.post(
        f"/admin/rewards/catalogueitem/{item.pk}/change/", stale_form(admin_client, item) | {"stock": "9"}
    )
    assert CatalogueItem.objects.get().stock == 9


def test_limit_stock_is_refused_where_it_moved_meanwhile():
    item = make_item(stock=5)
    CatalogueItem.objects.update(stock=4)

    with pytest.raises(StockMoved):
        limit_stock(item=item, to=10, before=5)

    assert CatalogueItem.objects.get().stock == 4
    limit_stock(item=item, to=None, before=4)
    assert CatalogueItem.objects.get().stock is None


def test_save_item_writes_only_what_was_changed(ann):
    item = make_item(stock=5)
    redeem(ann, item)

    item.title = "Big mug"
    save_item(item=item, changed=["title", "stock"])

    assert CatalogueItem.objects.values_list("title", "stock").get() == ("Big mug", 4)


def test_save_item_writing_everything_would_lose_a_redemption(ann):
    item = make_item(stock=5)
    redeem(ann, item)

    item.save()

    assert CatalogueItem.objects.get().stock == 5


def test_stock_action_adds_to_what_is_left(admin_client):
    item = make_item(stock=5)

    choose(admin_client, "rewards/catalogueitem", "stock_action", [item], number="7", reason="delivery")
    page = choose(admin_client, "rewards/catalogueitem", "stock_action", [item], number="-13", reason="broken")

    assert CatalogueItem.objects.get().stock == 12
    assert "only 12 are left" in page.content.decode()
    assert change_stock(item=item, by=-12).stock == 0


def test_item_that_was_redeemed_cannot_be_deleted(admin_client, ann):
    used, unused = make_item("used"), make_item("unused")
    redeem(ann, used)

    answers = [
        admin_client.post(f"/admin/rewards/catalogueitem/{i.pk}/delete/", {"post": "yes"}) for i in (used, unused)
    ]

    assert [answer.status_code for answer in answers] == [403, 302]
    assert list(CatalogueItem.objects.values_list("slug", flat=True)) == ["used"]


def test_redemption_actions_hand_over_cancel_and_fail(admin_client, ann):
    mug = make_item(stock=9)
    one, two, three = (redeem(ann, mug) for _ in range(3))

    choose(admin_client, "rewards/redemption", "fulfil_action", [one], reason="Parcel 77")
    choose(admin_client, "rewards/redemption", "cancel_action", [two], reason="ordered twice")
    choose(admin_client, "rewards/redemption", "fail_action", [three], reason="broken")

    states = dict(Redemption.objects.values_list("pk", "state"))
    assert states == {one.pk: "fulfilled", two.pk: "cancelled", three.pk: "failed"}
    assert (available(ann), CatalogueItem.objects.get().stock) == (400, 7)
    notes = Message.objects.filter(kind="redemption_settled").order_by("pk")
    assert [note.context["note"] for note in notes] == ["Parcel 77", "ordered twice", "broken"]


def test_redemption_action_tells_what_is_refused(admin_client, ann):
    redemption = redeem(ann, make_item())
    choose(admin_client, "rewards/redemption", "cancel_action", [redemption], reason="x")

    page = choose(admin_client, "rewards/redemption", "fulfil_action", [redemption], reason="x")

    assert "the redemption is cancelled" in page.content.decode()


def test_redemption_actions_need_their_permission(client, ann):
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_redemption"))
    client.force_login(user)
    redemption = redeem(ann, make_item())

    choose(client, "rewards/redemption", "cancel_action", [redemption], reason="greed")

    assert Redemption.objects.get().state == "placed"


def test_redemption_page_shows_the_steps(admin_client, ann):
    redemption = redeem(ann, make_item(kind="gift_card", amount_minor=1000, currency="EUR"))

    page = admin_client.get(f"/admin/rewards/redemption/{redemption.pk}/change/").content.decode()

    assert "10.00 EUR" in page
    assert "placed" in page
