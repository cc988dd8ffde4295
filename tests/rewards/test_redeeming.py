"""Points for things: what is taken, what comes back, and what is refused without a trace."""

import pytest
from django.db import IntegrityError

from core.errors import Invalid
from messaging.models import Message
from rewards.models import CatalogueItem, LotUse, Redemption, Transfer
from rewards.queries.balances import points_of
from rewards.services import redeeming
from rewards.services.book import InsufficientPoints
from rewards.services.redeeming import (
    LimitReached,
    NotOffered,
    OutOfStock,
    RedemptionStands,
    Wish,
    cancel_redemption,
    confirm_redemption,
    end_reservations,
    fail_redemption,
    fulfil_redemption,
    place_redemption,
)
from tests.rewards.goods import available, give, lots, make_item, person, redeem
from tests.shop import Shop, assert_books_balance, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    ann = person(email="ann@shop.example", name="Ann Archer")
    give(ann, 300)
    give(ann, 200, expires_days=90)
    return ann


def stock(item):
    return CatalogueItem.objects.get(pk=item.pk).stock


def test_place_redemption_takes_points_soonest_to_expire_first_and_stock(ann):
    mug = make_item(points=120, stock=5)

    redemption = redeem(ann, mug, 2)

    assert (redemption.state, redemption.points, redemption.title) == ("placed", 240, "Mug")
    assert (available(ann), stock(mug), lots(ann)) == (260, 3, [(300, 260), (200, 0)])
    assert points_of(ann).redeemed == 240
    transfer = Transfer.objects.get(kind="redeem")
    assert (transfer.cause["item"], transfer.cause["redemption"]) == ("Mug", redemption.public_id)
    assert_books_balance()


def test_cancel_redemption_gives_back_the_same_lots_and_the_stock(ann):
    mug = make_item(points=120, stock=5)
    redemption = redeem(ann, mug, 2)

    cancel_redemption(redemption=redemption, reason="changed my mind", actor="t", at=day(2))

    assert (available(ann), stock(mug), lots(ann)) == (500, 5, [(300, 300), (200, 200)])
    assert points_of(ann).redeemed == 0
    assert (redemption.state, [s.what for s in redemption.steps.order_by("pk")]) == (
        "cancelled",
        ["placed", "cancelled"],
    )
    assert list(LotUse.objects.order_by("pk").values_list("amount", flat=True)) == [200, 40, -200, -40]
    assert_books_balance()


REFUSED = [
    ({"points": 501}, 1, InsufficientPoints, "insufficient_points"),
    ({"stock": 1}, 2, OutOfStock, "out_of_stock"),
    ({"stock": 0}, 1, OutOfStock, "out_of_stock"),
    ({"per_customer": 1}, 2, LimitReached, "limit_reached"),
    ({"is_shown": False}, 1, NotOffered, "not_offered"),
    ({"starts_at": day(2)}, 1, NotOffered, "not_offered"),
    ({"ends_at": day(1)}, 1, NotOffered, "not_offered"),
    ({}, 0, Invalid, "invalid"),
]


@pytest.mark.parametrize(("about", "quantity", "refusal", "code"), REFUSED)
def test_place_redemption_refused_takes_nothing(ann, about, quantity, refusal, code):
    item = make_item(**about)

    with pytest.raises(refusal) as raised:
        redeem(ann, item, quantity)

    assert raised.value.code == code
    assert (available(ann), stock(item), lots(ann)) == (500, about.get("stock"), [(300, 300), (200, 200)])
    assert (Redemption.objects.count(), Transfer.objects.filter(kind="redeem").count()) == (0, 0)


def test_place_redemption_says_how_many_points_are_missing(ann):
    with pytest.raises(InsufficientPoints, match="620 points are needed, 500 are available: 120 are missing"):
        redeem(ann, make_item(points=620))


def test_place_redemption_with_a_debt_is_refused():
    shop = Shop()
    shop.report(shop.purchase("bob", day(0), "1", "59.90", code=shop.code_of("ann")), at=day(0))
    shop.pass_time(day(15))
    ann = person("ann")
    redeem(ann, make_item(points=502), at=day(15))
    shop.report(shop.refund("bob", day(16), "1", "59.90"), at=day(16))

    with pytest.raises(InsufficientPoints, match="a debt of 502 points"):
        redeem(ann, make_item("pen", points=1), at=day(17))

    assert shop.points("ann") == (0, 0, 502)
    assert_books_balance()


def test_cancel_redemption_pays_off_a_debt_first():
    shop = Shop()
    shop.report(shop.purchase("bob", day(0), "1", "59.90", code=shop.code_of("ann")), at=day(0))
    shop.pass_time(day(15))
    redemption = redeem(person("ann"), make_item(points=500), at=day(15))
    shop.report(shop.refund("bob", day(16), "1", "59.90"), at=day(16))
    owed = shop.points("ann")

    cancel_redemption(redemption=redemption, reason="x", actor="t", at=day(17))

    assert (owed, shop.points("ann")) == ((0, 0, 500), (0, 0, 0))
    assert_books_balance()


def test_place_redemption_limit_counts_what_stands(ann):
    mug = make_item(per_customer=2)
    first = redeem(ann, mug)
    redeem(ann, mug)
    with pytest.raises(LimitReached):
        redeem(ann, mug)

    cancel_redemption(redemption=first, reason="", actor="t", at=day(2))
    redeem(ann, mug)

    assert available(ann) == 300


def test_place_redemption_twice_with_one_key_is_one(ann):
    wish = Wish(item=make_item(), key="form-1")

    first, again = (place_redemption(customer=ann, wish=wish, actor="t", at=day(1)) for _ in range(2))

    assert first.pk == again.pk
    assert available(ann) == 400


def test_place_redemption_with_somebody_elses_key_is_another(ann):
    bob = person("bob")
    give(bob, 100)
    wish = Wish(item=make_item(), key="form-1")

    mine = place_redemption(customer=ann, wish=wish, actor="t", at=day(1))
    theirs = place_redemption(customer=bob, wish=wish, actor="t", at=day(1))

    assert (mine.customer, theirs.customer) == (ann, bob)


def test_reservation_holds_and_is_confirmed(ann):
    mug = make_item(stock=1)
    reservation = redeem(ann, mug, reserve=True)
    held = (reservation.state, available(ann), stock(mug))

    confirm_redemption(redemption=reservation, actor="t", at=day(1))

    assert held == ("reserved", 400, 0)
    assert (reservation.state, reservation.expires_at, end_reservations(at=day(2))) == ("placed", None, 0)
    assert available(ann) == 400


def test_end_reservations_gives_everything_back_after_15_minutes(ann):
    mug = make_item(stock=1)
    reservation = redeem(ann, mug, reserve=True)

    counts = [end_reservations(at=reservation.expires_at), end_reservations(at=day(2)), end_reservations(at=day(3))]

    assert counts == [0, 1, 0]
    assert (available(ann), stock(mug), Message.objects.count()) == (500, 1, 0)
    with pytest.raises(RedemptionStands):
        confirm_redemption(redemption=reservation, actor="t", at=day(2))
    assert_books_balance()


def test_confirm_redemption_after_its_time_is_refused_though_nobody_swept(ann):
    reservation = redeem(ann, make_item(), reserve=True)

    with pytest.raises(RedemptionStands, match="over"):
        confirm_redemption(redemption=reservation, actor="t", at=day(2))

    assert Redemption.objects.get().state == "reserved"


def test_fulfil_redemption_tells_the_customer_in_staffs_words(ann):
    redemption = redeem(ann, make_item())

    fulfil_redemption(redemption=redemption, outcome="Your code: MUG-1", actor="eve@shop.example", at=day(2))

    assert (redemption.state, redemption.outcome, redemption.settled_at) == ("fulfilled", "Your code: MUG-1", day(2))
    mail = Message.objects.get(kind="redemption_settled")
    assert (mail.context["item"], mail.context["done"], mail.context["note"]) == ("Mug", 1, "Your code: MUG-1")


def test_fail_redemption_gives_points_back_but_no_stock(ann):
    mug = make_item(stock=3)
    redemption = redeem(ann, mug)

    fail_redemption(redemption=redemption, reason="fell off the shelf", actor="eve", at=day(2))

    assert (redemption.state, available(ann), stock(mug)) == ("failed", 500, 2)
    assert Message.objects.get(kind="redemption_settled").context["done"] == 0
    assert_books_balance()


def test_cancel_redemption_by_the_customer_mails_nobody(ann):
    redemption = redeem(ann, make_item())

    cancel_redemption(redemption=redemption, reason="", actor=f"customer:{ann.pk}", at=day(2))

    assert Message.objects.count() == 0


def test_cancel_redemption_of_a_fulfilled_one_needs_to_be_meant(ann):
    redemption = redeem(ann, make_item())
    fulfil_redemption(redemption=redemption, outcome="", actor="t", at=day(2))

    with pytest.raises(RedemptionStands, match="fulfilled"):
        cancel_redemption(redemption=redemption, reason="x", actor="t", at=day(3))
    before = available(ann)
    cancel_redemption(redemption=redemption, reason="x", actor="t", at=day(3), even_fulfilled=True)

    assert (before, available(ann)) == (400, 500)


def test_cancel_redemption_twice_gives_back_once(ann):
    redemption = redeem(ann, make_item())
    stale = Redemption.objects.get(pk=redemption.pk)
    cancel_redemption(redemption=redemption, reason="x", actor="t", at=day(2))

    with pytest.raises(RedemptionStands, match="cancelled"):
        cancel_redemption(redemption=stale, reason="x", actor="t", at=day(3))

    assert available(ann) == 500


def test_cancel_redemption_without_its_state_is_still_refused_by_the_ledgers_key(ann, monkeypatch):
    redemption = redeem(ann, make_item())
    monkeypatch.setattr(redeeming, "_move", lambda *_, **__: None)
    cancel_redemption(redemption=redemption, reason="x", actor="t", at=day(2))

    with pytest.raises(IntegrityError):
        cancel_redemption(redemption=redemption, reason="x", actor="t", at=day(3))


def test_release_stock_of_an_item_made_unlimited_meanwhile_stays_unlimited(ann):
    mug = make_item(stock=3)
    redemption = redeem(ann, mug)
    CatalogueItem.objects.update(stock=None)

    cancel_redemption(redemption=redemption, reason="x", actor="t", at=day(2))

    assert stock(mug) is None
