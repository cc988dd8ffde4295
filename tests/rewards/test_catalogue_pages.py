"""The customer's catalogue: browse, redeem once, undo; nothing of others, nothing that cannot be had."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rewards.models import Redemption
from rewards.services.redeeming import fulfil_redemption
from tests.factories import UserFactory
from tests.rewards.goods import available, give, make_item, person, redeem

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(client):
    ann = person(email="ann@shop.example", name="Ann Archer")
    client.force_login(UserFactory(email="ann@shop.example"))
    give(ann, 500)
    return ann


def text(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def key_of(page):
    return re.search(r'name="key" value="([^"]+)"', page.content.decode()).group(1)


def test_show_catalogue_says_what_can_be_had_and_what_lacks(client, ann):
    make_item("mug", points=300)
    make_item("bag", points=620)
    make_item("pen", points=10, stock=0)
    make_item("cap", points=20, stock=2)
    make_item("hidden", is_shown=False)

    page = text(client.get("/catalogue/"))

    assert "You need 120 more points." in page
    assert "All gone for now." in page
    assert "Only 2 left." in page
    assert "Hidden" not in page
    assert page.index("Pen") < page.index("Cap") < page.index("Mug") < page.index("Bag")


def test_show_catalogue_empty_says_so(client, ann):
    assert "Nothing to redeem yet" in text(client.get("/catalogue/"))
    assert "Use your points" not in text(client.get("/"))


def test_show_catalogue_asks_as_often_for_many_as_for_one(client, ann):
    make_item("one")
    client.get("/catalogue/")
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get("/catalogue/")
    make_item("two")
    make_item("three")
    with CaptureQueriesContext(connection) as three:
        client.get("/catalogue/")

    assert len(one) == len(three)


def test_redeem_takes_the_points_once_however_often_the_form_is_sent(client, ann):
    make_item("mug", points=200)
    form = {"quantity": "1", "key": key_of(client.get("/catalogue/mug/"))}

    answers = [client.post("/catalogue/mug/", form, follow=True) for _ in range(2)]

    assert "Done. We will let you know as soon as it is ready." in text(answers[0])
    assert (available(ann), Redemption.objects.count()) == (300, 1)
    other = {"quantity": "1", "key": key_of(client.get("/catalogue/mug/"))}
    client.post("/catalogue/mug/", other)
    assert (available(ann), Redemption.objects.count()) == (100, 2)


def test_redeem_more_than_can_be_had_says_why(client, ann):
    make_item("mug", points=200, stock=5)

    page = client.post("/catalogue/mug/", {"quantity": "3", "key": "k"}, follow=True)
    gone = client.post("/catalogue/mug/", {"quantity": "6", "key": "k"}, follow=True)

    assert "You do not have enough points for that." in text(page)
    assert "There are not that many left." in text(gone)
    assert (available(ann), Redemption.objects.count()) == (500, 0)


@pytest.mark.parametrize("quantity", ["0", "-1", "many", "1001", ""])
def test_redeem_a_number_that_is_none_shows_the_form_again(client, ann, quantity):
    make_item("mug", points=1)

    page = client.post("/catalogue/mug/", {"quantity": quantity, "key": "k"})

    assert page.status_code == 200
    assert 'class="errorlist"' in page.content.decode()
    assert Redemption.objects.count() == 0


def test_show_item_that_cannot_be_had_offers_no_button(client, ann):
    make_item("bag", points=620)
    make_item("once", per_customer=1)
    redeem(ann, make_item("pen", points=1))
    redeem(ann, ann_item("once"))

    bag, once = client.get("/catalogue/bag/"), client.get("/catalogue/once/")

    assert "You need 221 more points." in text(bag)
    assert "You have had as many as one person can." in text(once)
    assert "Redeem now" not in text(bag) + text(once)
    assert client.get("/catalogue/nothing/").status_code == 404


def ann_item(slug):
    from rewards.models import CatalogueItem

    return CatalogueItem.objects.get(slug=slug)


def test_undo_gives_the_points_back_until_it_is_handed_over(client, ann):
    mug = make_item("mug", points=200)
    first, second = redeem(ann, mug), redeem(ann, mug)
    fulfil_redemption(redemption=second, outcome="Your code: M-1", actor="t", at=timezone.now())

    undone = client.post(f"/redemptions/{first.public_id}/undo", follow=True)
    late = client.post(f"/redemptions/{second.public_id}/undo", follow=True)

    assert "Undone. Your points are back." in text(undone)
    assert "That one can no longer be undone." in text(late)
    assert "Your code: M-1" in text(late)
    assert available(ann) == 300
    assert "Mug, given back" in text(client.get("/points/"))


def test_undo_somebody_elses_is_not_found(client, ann):
    bob = person("bob")
    give(bob, 100)
    theirs = redeem(bob, make_item("mug", points=100))

    assert client.post(f"/redemptions/{theirs.public_id}/undo").status_code == 404
    assert Redemption.objects.get().state == "placed"


def test_show_redemptions_empty_and_of_nobody_else(client, ann):
    bob = person("bob")
    give(bob, 100)
    redeem(bob, make_item("mug", points=100))

    page = text(client.get("/redemptions/"))

    assert "Nothing redeemed yet" in page
    assert "Mug" not in page


def test_purse_says_what_expires_next(client, ann):
    give(ann, 120, at=timezone.now(), expires_days=59)
    page = text(client.get("/"))

    assert "120 points expire on" in page


def test_pages_of_the_catalogue_are_german_too(client, ann):
    make_item("bag", points=620)

    pages = [text(client.get(path, headers={"accept-language": "de"})) for path in ("/catalogue/", "/redemptions/")]

    assert "Dir fehlen noch 120 Punkte." in pages[0]
    assert "Noch nichts eingelöst" in pages[1]
