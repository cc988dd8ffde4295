"""The audit finds every way in which a ledger can be wrong, and names the row."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F

from referrals.models import Customer
from rewards.immutability import drop_triggers
from rewards.models import Account, Entry, Lot, LotUse, Reward, Transfer
from rewards.services.adjustments import adjust_points
from rewards.services.audit import audit_ledger
from tests.shop import Shop, day


@pytest.fixture
def books(db):
    shop = Shop()
    code = shop.code_of("ann")
    shop.report(shop.signup("bob", day(0), code=code), shop.purchase("bob", day(1), "1", "59.90"), at=day(1))
    shop.pass_time(day(15))
    adjust_points(customer=Customer.objects.get(external_id="ann"), points=-300, reason="spent", actor="t", at=day(15))
    shop.report(shop.purchase("cat", day(16), "2", "59.90", code=code), at=day(16))
    shop.report(shop.refund("bob", day(17), "1", "59.90"), at=day(17))
    drop_triggers(connection)


def test_audit_ledger_finds_nothing_in_sound_books(books, capsys):
    call_command("audit_ledger")

    assert capsys.readouterr().out.startswith("ledger sound: 14 transfers, 18 entries, 12 accounts, 702 points")


def spoil(queryset, **changes):
    pk = queryset.order_by("pk").values_list("pk", flat=True)[0]
    queryset.model.objects.filter(pk=pk).update(**changes)
    return pk


SPOILT = {
    "transfer amount": (lambda: spoil(Transfer.objects.filter(kind="grant"), amount=F("amount") + 1), "transfer {}"),
    "entry delta": (lambda: spoil(Entry.objects.all(), delta=F("delta") + 1), "entry {}"),
    "entry balance": (lambda: spoil(Entry.objects.all(), balance=F("balance") + 1), "entry {}"),
    "account balance": (lambda: spoil(Account.objects.filter(kind="pending"), balance=F("balance") + 1), "account {}"),
    "account number": (lambda: spoil(Account.objects.filter(kind="pending"), seq=F("seq") + 1), "account {}"),
    "lot": (lambda: spoil(Lot.objects.filter(remaining__lt=F("amount")), remaining=F("remaining") + 1), "lot {}"),
    "lot use": (lambda: spoil(LotUse.objects.all(), amount=F("amount") - 1), "lot"),
    "reward points": (lambda: spoil(Reward.objects.filter(state="pending"), points=F("points") + 1), "reward {}"),
    "release without grant": (lambda: spoil(Transfer.objects.filter(kind="release"), resolves=None), "transfer {}"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_audit_ledger_names_the_row_that_is_wrong(books, what):
    change, row = SPOILT[what]

    pk = change()

    rows = [finding.row for finding in audit_ledger().findings]
    assert any(found.startswith(row.format(pk)) for found in rows), rows
    with pytest.raises(CommandError, match="expected"):
        call_command("audit_ledger")


def test_audit_ledger_finds_a_transfer_that_was_deleted(books):
    grant = Transfer.objects.filter(kind="revoke").latest("pk")
    with transaction.atomic():
        Entry.objects.filter(transfer=grant).delete()
        LotUse.objects.filter(transfer=grant).delete()

    assert f"transfer {grant.pk}" in [finding.row for finding in audit_ledger().findings]
