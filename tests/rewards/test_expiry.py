"""Points expire lot by lot, once; what expired counts as taken back; owners are told before, once a stage."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError

from messaging.models import Message
from referrals.models import Customer
from rewards.events import PointsExpiring
from rewards.expiring import first_warning, is_past, next_warning
from rewards.models import Account, Lot, Transfer
from rewards.queries.balances import expiring_next, points_of
from rewards.services import lots as lots_module
from rewards.services.adjustments import adjust_points
from rewards.services.book import Book, InsufficientPoints
from rewards.services.expiry import expire_due, warn_due
from tests.rewards.goods import available, give, lots, make_item, person, redeem
from tests.shop import PROGRAM, Shop, assert_books_balance, day

SECOND = timedelta(seconds=1)
EXPIRING = PROGRAM.replace("hold_days: 14\n", "hold_days: 0\nexpires_days: 30\n")


def test_is_past_counts_the_last_instant_itself():
    end = datetime(2026, 1, 1, tzinfo=UTC)

    assert [is_past(end, at=end), is_past(end, at=end + SECOND), is_past(None, at=end)] == [False, True, False]


def test_first_warning_is_never_before_the_points_are_there():
    assert first_warning(day(60), since=day(0)) == day(30)
    assert first_warning(day(20), since=day(0)) == day(13)
    assert first_warning(day(5), since=day(0)) is None
    assert first_warning(None, since=day(0)) is None
    assert [next_warning(day(60), at=day(30)), next_warning(day(60), at=day(53))] == [day(53), None]


@pytest.mark.django_db
def test_expire_due_takes_what_is_left_of_each_lot_once():
    ann = person()
    give(ann, 100, expires_days=10)
    give(ann, 50, expires_days=20)
    give(ann, 7)
    adjust_points(customer=ann, points=-30, reason="spent", actor="t", at=day(1))

    counts = [expire_due(at=at) for at in (day(10), day(10) + SECOND, day(11), day(25), day(9999))]

    assert counts == [0, 1, 0, 1, 0]
    assert lots(ann) == [(100, 0), (50, 0), (7, 7)]
    expired = Transfer.objects.filter(kind="expire").order_by("pk")
    assert [(t.amount, t.credit.kind) for t in expired] == [(70, "expired"), (50, "expired")]
    points = points_of(ann)
    assert (points.available, points.expired) == (7, 120)
    assert_books_balance()


@pytest.mark.django_db
def test_expire_due_twice_for_one_lot_is_refused_by_the_database(monkeypatch):
    """Were the lot looked at without its remaining points, the key of its end would still refuse a second time."""
    ann = person()
    give(ann, 100, expires_days=10)
    give(ann, 100)
    expire_due(at=day(11))
    Lot.objects.filter(amount=100, expires_at__isnull=False).update(remaining=100)

    with pytest.raises(IntegrityError):
        expire_due(at=day(12))


@pytest.mark.django_db
def test_debit_never_spends_what_has_expired_though_nobody_swept():
    ann = person()
    give(ann, 100, expires_days=10)

    with pytest.raises(InsufficientPoints):
        adjust_points(customer=ann, points=-100, reason="x", actor="t", at=day(11))

    assert lots(ann) == [(100, 100)]
    assert Transfer.objects.filter(kind="expire").count() == 0


@pytest.mark.django_db
def test_debit_without_looking_at_ends_would_spend_the_expired(monkeypatch):
    ann = person()
    give(ann, 100, expires_days=10)
    monkeypatch.setattr(lots_module, "is_past", lambda *_, **__: False)

    adjust_points(customer=ann, points=-100, reason="x", actor="t", at=day(11))

    assert available(ann) == 0


@pytest.mark.django_db
def test_spending_takes_the_lot_that_expires_first():
    ann = person()
    give(ann, 100)
    give(ann, 100, expires_days=50)
    give(ann, 100, expires_days=20)

    adjust_points(customer=ann, points=-150, reason="x", actor="t", at=day(1))

    assert lots(ann) == [(100, 100), (100, 50), (100, 0)]


@pytest.fixture
def shop(db):
    """Ann brought Bob: 500 and 2 points, good for 30 days from day 0; nothing is held."""
    shop = Shop(EXPIRING)
    shop.report(shop.purchase("bob", day(0), "1", "59.90", code=shop.code_of("ann")), at=day(0))
    return shop


def test_release_opens_a_lot_that_ends_as_the_offer_says(shop):
    ends = Lot.objects.filter(account__customer__external_id="ann").values_list("expires_at", flat=True)

    assert set(ends) == {day(30)}
    assert expiring_next(Customer.objects.get(external_id="ann")).points == 502


def test_take_back_counts_what_expired_from_its_lot_as_taken_back(shop):
    ann = Customer.objects.get(external_id="ann")
    give(ann, 40)
    adjust_points(customer=ann, points=-100, reason="spent", actor="t", at=day(5))
    shop.pass_time(day(31))
    expire_due(at=day(31))

    shop.report(shop.refund("bob", day(32), "1", "59.90"), at=day(32))

    # 502 earned, 100 of them spent, 402 expired: only the 100 are owed, 40 of which other points pay.
    assert shop.points("ann") == (0, 0, 60)
    points = points_of(ann)
    assert (points.lifetime, points.expired) == (0, 0)
    covered = Transfer.objects.filter(debit__kind="expired").values_list("amount", flat=True)
    assert sum(covered) == 402
    assert_books_balance()


def test_take_back_in_parts_counts_what_expired_only_once(db):
    shop = Shop(EXPIRING.replace("percent: 5, max_points: 200", "percent: 100"))
    shop.report(shop.purchase("bob", day(0), "1", "100.00", code=shop.code_of("ann")), at=day(0))
    ann = Customer.objects.get(external_id="ann")
    adjust_points(customer=ann, points=-550, reason="spent", actor="t", at=day(5))
    expire_due(at=day(31))  # 600 earned, 50 of the hundred for the purchase are left and expire
    give(ann, 500, at=day(31))

    shop.report(shop.refund("bob", day(32), "1", "30.00"), at=day(32))
    after_part = shop.points("ann")
    shop.report(shop.refund("bob", day(33), "1", "50.00"), at=day(33))

    assert after_part == (500, 0, 0)  # 30 of the 50 that expired
    assert shop.points("ann") == (470, 0, 0)  # the other 20, then 30 of what is there
    assert_books_balance()


def test_take_back_that_forgets_what_expired_would_make_a_debt(shop, monkeypatch):
    monkeypatch.setattr(Book, "_count_expired", lambda *_, **__: 0)
    expire_due(at=day(31))

    shop.report(shop.refund("bob", day(32), "1", "59.90"), at=day(32))

    assert shop.points("ann") == (0, 0, 502)


@pytest.fixture
def told(monkeypatch):
    """What is published of points that expire: (points, days before)."""
    seen = []
    from rewards.services import expiry

    real = expiry.publish

    def publish(*events):
        seen.extend((e.points, e.days) for e in events if isinstance(e, PointsExpiring))
        real(*events)

    monkeypatch.setattr(expiry, "publish", publish)
    return seen


@pytest.mark.django_db
def test_warn_due_tells_30_and_7_days_before_once_each(told):
    ann = person(email="ann@shop.example", name="Ann Archer")
    give(ann, 120, expires_days=60)

    counts = [warn_due(at=at) for at in (day(29), day(30), day(31), day(52), day(53), day(54), day(61))]

    assert counts == [0, 1, 0, 0, 1, 0, 0]
    assert told == [(120, 30), (120, 7)]
    mails = Message.objects.filter(kind="points_expiring").order_by("pk")
    assert [(m.context["points"], m.context["first_day"]) for m in mails] == [(120, "2026-04-30")] * 2


@pytest.mark.django_db
def test_warn_due_gathers_what_expires_within_a_week_and_counts_what_is_left(told):
    ann = person(email="ann@shop.example")
    for days in (60, 63, 67, 68):
        give(ann, 10, expires_days=days)
    adjust_points(customer=ann, points=-4, reason="x", actor="t", at=day(1))

    counts = [warn_due(at=day(n)) for n in (30, 33, 38, 53, 61)]

    assert counts == [3, 0, 1, 3, 1]
    assert told == [(26, 30), (10, 30), (26, 7), (10, 7)]
    first = Message.objects.filter(kind="points_expiring").earliest("pk").context
    assert (first["first_day"], first["last_day"]) == ("2026-04-30", "2026-05-07")


@pytest.mark.django_db
def test_warn_due_late_tells_once_and_never_of_what_is_gone(told):
    ann = person()
    give(ann, 10, expires_days=60)
    give(ann, 20, expires_days=200)
    give(ann, 30, expires_days=62)
    Account.objects.filter(customer=ann)  # nobody has an address: nothing is mailed, all is told to who listens
    adjust_points(customer=ann, points=-10, reason="spent", actor="t", at=day(2))

    counts = [warn_due(at=at) for at in (day(58), day(59), day(63))]

    assert counts == [1, 0, 0]
    assert told == [(30, 7)]
    assert Message.objects.count() == 0


@pytest.mark.django_db
def test_cancel_redemption_gives_an_expired_lot_30_days(told):
    ann = person()
    give(ann, 100, expires_days=10)
    give(ann, 50)
    redemption = redeem(ann, make_item(points=60), at=day(1))
    expire_due(at=day(11))

    from rewards.services.redeeming import cancel_redemption

    cancel_redemption(redemption=redemption, reason="broken", actor="t", at=day(12))

    assert lots(ann) == [(100, 60), (50, 50)]
    assert Lot.objects.get(amount=100).expires_at == day(42)
    assert_books_balance()
    assert expire_due(at=day(42) + SECOND) == 1
    assert available(ann) == 50
    assert_books_balance()
