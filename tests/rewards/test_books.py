"""The books by month, breakage, the trial balance and their CSV files, with numbers worked out by hand."""

import csv
import io
from datetime import date

import pytest
from django.contrib.auth.models import Permission

from core.csv_cells import safe_cell
from core.errors import Invalid
from core.money import read_unit_value
from rewards.models import Transfer
from rewards.queries.books import Breakage, books_by_month, trial_balance
from rewards.services.adjustments import adjust_points
from rewards.services.expiry import expire_due
from rewards.services.redeeming import cancel_redemption
from tests.factories import UserFactory
from tests.rewards.goods import give, make_item, person, redeem
from tests.shop import Shop, day

MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)


@pytest.fixture
def months(db):
    """Ann brings Bob in March; in April points are given, spent, given back and expire, and Bob's order is refunded."""
    shop = Shop()
    shop.report(shop.signup("bob", day(0), code=shop.code_of("ann")), at=day(0))  # Bob: 100 at once
    shop.report(shop.purchase("bob", day(1), "1", "59.90"), at=day(1))  # Ann: 502, pending
    shop.pass_time(day(15))
    ann = person("ann")
    give(ann, 60, at=day(16), expires_days=20)
    mug = make_item(points=500)
    undone = redeem(ann, make_item("pen", points=20), at=day(17))
    redeem(ann, mug, at=day(32))
    cancel_redemption(redemption=undone, reason="x", actor="t", at=day(33))
    expire_due(at=day(37))
    adjust_points(customer=ann, points=-2, reason="=1+1", actor="t", at=day(38))
    shop.report(shop.refund("bob", day(40), "1", "59.90"), at=day(40))
    return books_by_month(at=day(62))


def test_books_by_month_add_up(months):
    march, april, may = months

    assert (march.month, march.opening, march.granted, march.released, march.revoked) == (MARCH, 0, 602, 602, 0)
    assert (march.redeemed, march.expired, march.adjusted, march.closing) == (20, 0, 60, 642)
    # April: 60 of the gift pay the mug's share first (20 came back from the pen), the rest expires.
    assert (april.month, april.opening, april.redeemed, april.closing) == (
        APRIL,
        642,
        480,
        april.liability - april.debt,
    )
    assert (april.adjusted, april.revoked) == (-2, 502)
    for month in months:
        came = month.granted - month.revoked - month.redeemed - month.expired + month.adjusted
        assert month.opening + came == month.closing
    assert (may.month, may.opening, may.closing, may.granted) == (MAY, april.closing, april.closing, 0)


def test_books_by_month_count_available_pending_and_debt(months):
    april = months[1]
    balances = {side.kind: side.points for side in trial_balance()}

    assert (april.available, april.pending, april.debt) == (
        balances["available"],
        balances["pending"],
        balances["debt"],
    )
    assert april.debt > 0


def test_books_by_month_tell_the_breakage_of_lots_that_ended(months):
    april = months[1]

    assert (april.breakage.lots, april.breakage.usable) == (1, 60)
    assert april.breakage.expired == april.expired
    assert april.breakage.rate is None  # one lot is not enough
    assert Breakage(lots=30, usable=200, expired=50).rate == 0.25
    assert Breakage(lots=30, usable=0, expired=0).rate is None


def test_books_by_month_of_an_earlier_moment_leave_out_what_came_later(months):
    assert [m.closing for m in books_by_month(at=day(20))] == [642]
    assert books_by_month(at=day(-1)) == []


def test_books_by_month_belong_to_the_installations_zone(months, settings):
    settings.TIME_ZONE = "Pacific/Kiritimati"  # 14 hours ahead: noon of the 31st is the first of the next month
    give(person("zoe"), 5, at=day(30))

    assert books_by_month(at=day(62))[1].adjusted == 5 - 2


def test_trial_balance_adds_up_to_zero(months):
    sides = trial_balance()

    assert sum(side.points for side in sides) == 0
    assert [side.kind for side in sides if not side.agrees] == []
    assert {side.kind: side.kept for side in sides}["issuance"] is None


def test_trial_balance_shows_a_balance_that_differs(months):
    person("ann").accounts.filter(kind="pending").update(balance=9)

    assert [side.kind for side in trial_balance() if not side.agrees] == ["pending"]


def rows_of(response):
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))


def test_books_pages_open_for_readers_only(months, admin_client, client):
    user = UserFactory(is_staff=True)
    client.force_login(user)
    addresses = [
        "/admin/rewards/transfer/books/",
        "/admin/rewards/transfer/books/months.csv",
        "/admin/rewards/transfer/books/balance.csv",
        "/admin/rewards/transfer/books/journal-2026-3.csv",
    ]

    assert [admin_client.get(address).status_code for address in addresses] == [200] * 4
    assert [client.get(address).status_code for address in addresses] == [403] * 4
    user.user_permissions.set(Permission.objects.filter(codename="view_transfer"))
    assert [client.get(address).status_code for address in addresses] == [200] * 4
    client.logout()
    assert [client.get(address).status_code for address in addresses] == [302] * 4


def test_show_books_says_what_is_owed_in_money_where_a_point_has_a_value(months, admin_client, settings):
    without = admin_client.get("/admin/rewards/transfer/books/").content.decode()
    settings.POINT_VALUE = "0.005 EUR"
    page = admin_client.get("/admin/rewards/transfer/books/").content.decode()

    owed = months[-1].liability
    assert "Set POINT_VALUE to see it." in without
    assert read_unit_value("0.005 EUR").minor(owed) == (owed * 5 + 5) // 10
    assert f"{read_unit_value('0.005 EUR').minor(owed) / 100:.2f} EUR" in page
    assert "Balanced" in page


def test_show_books_before_anything_moved(admin_client):
    page = admin_client.get("/admin/rewards/transfer/books/").content.decode()

    assert "No points have moved yet" in page


def test_months_csv_has_every_month(months, admin_client):
    rows = rows_of(admin_client.get("/admin/rewards/transfer/books/months.csv"))

    assert rows[0][:3] == ["month", "opening", "granted"]
    assert [row[0] for row in rows[1:3]] == ["2026-03-01", "2026-04-01"]
    assert rows[1][1:3] == ["0", "602"]


def test_journal_csv_has_every_transfer_and_no_formula(months, admin_client):
    rows = rows_of(admin_client.get("/admin/rewards/transfer/books/journal-2026-4.csv"))

    assert len(rows) - 1 == Transfer.objects.filter(event_at__gte=day(31).replace(hour=0)).count()
    assert [row[9] for row in rows if row[2] == "adjust"] == ["'=1+1"]
    assert admin_client.get("/admin/rewards/transfer/books/journal-2026-13.csv").status_code == 404


def test_safe_cell_lets_no_text_compute():
    values = ["=1+1", "+1", "-1+1", "@x", "\tx", " =x", "fine", -5, None, "-12.50"]

    assert [safe_cell(value) for value in values] == [
        *("'=1+1", "'+1", "'-1+1", "'@x", "'\tx", "' =x", "fine"),
        *(-5, None, "-12.50"),
    ]


@pytest.mark.parametrize("text", ["1", "EUR", "0 EUR", "-1 EUR", "0.01 XYZ", "nan EUR"])
def test_read_unit_value_refuses_what_is_no_money(text):
    with pytest.raises(Invalid):
        read_unit_value(text)


def test_read_unit_value_is_exact():
    assert read_unit_value("") is None
    assert read_unit_value("0.005 EUR").minor(3) == 2
    assert read_unit_value("0.1 JPY").minor(24) == 2
