"""The audit replays lots, expiry and redemptions, and names the row that is wrong."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F

from rewards.immutability import drop_triggers
from rewards.models import Lot, LotUse, Redemption, Transfer
from rewards.services.audit import audit_ledger
from rewards.services.expiry import expire_due
from rewards.services.redeeming import cancel_redemption
from tests.rewards.goods import give, make_item, person, redeem
from tests.shop import day


@pytest.fixture
def books(db):
    ann = person()
    give(ann, 300, expires_days=20)
    give(ann, 100, expires_days=90)
    mug = make_item(points=50)
    stands, undone = redeem(ann, mug), redeem(ann, mug, 2)
    expire_due(at=day(21))
    cancel_redemption(redemption=undone, reason="x", actor="t", at=day(22))
    assert audit_ledger().findings == ()
    drop_triggers(connection)
    return stands, undone


def change(rows, **changes):
    pk = rows.order_by("pk").values_list("pk", flat=True)[0]
    rows.model.objects.filter(pk=pk).update(**changes)
    return pk


LATER = timedelta(days=400)
SPOILT = {
    "a lot that lives longer": (lambda: change(Lot.objects.all(), expires_at=F("expires_at") + LATER), "lot {}"),
    "a lot for ever": (lambda: change(Lot.objects.all(), expires_at=None), "lot {}"),
    "a bigger lot": (lambda: change(Lot.objects.all(), amount=F("amount") + 1, remaining=F("remaining") + 1), "lot {}"),
    "more drawn than there was": (
        lambda: change(LotUse.objects.filter(amount__gt=0), amount=F("amount") + 500),
        "lot use {}",
    ),
    "an expiry before its time": (
        lambda: change(Transfer.objects.filter(kind="expire"), event_at=day(19)),
        "transfer {}",
    ),
    "an expiry of another kind": (lambda: change(Transfer.objects.filter(kind="expire"), kind="adjust"), "transfer {}"),
    "a redemption of nobody": (
        lambda: change(Transfer.objects.filter(kind="redeem"), redemption=None),
        "transfer {}",
    ),
    "a redemption at another price": (lambda: change(Redemption.objects.all(), points=1), "redemption {}"),
    "a redemption undone on paper": (
        lambda: change(Redemption.objects.filter(state="placed"), state="cancelled"),
        "redemption {}",
    ),
    "a redemption that stands again": (
        lambda: change(Redemption.objects.filter(state="cancelled"), state="placed"),
        "redemption {}",
    ),
    "a giving back of nothing": (
        lambda: change(Transfer.objects.filter(kind="redeem").exclude(reverses=None), reverses=None),
        "transfer {}",
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_audit_ledger_names_the_row_that_is_wrong(books, what):
    spoil, row = SPOILT[what]

    pk = spoil()

    rows = [finding.row for finding in audit_ledger().findings]
    assert row.format(pk) in rows, rows


def test_audit_ledger_finds_points_given_back_to_another_lot(books):
    use = LotUse.objects.filter(amount__lt=0).get()
    other = Lot.objects.exclude(pk=use.lot_id).get()
    LotUse.objects.filter(pk=use.pk).update(lot=other)

    rows = [finding.row for finding in audit_ledger().findings]

    assert f"transfer {use.transfer_id}" in rows


def test_audit_ledger_finds_a_lot_that_is_gone(books):
    give(person("bob"), 10)
    lot = Lot.objects.latest("pk")
    lot.delete()

    rows = [finding.row for finding in audit_ledger().findings]

    assert f"transfer {lot.transfer_id}" in rows
