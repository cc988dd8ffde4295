"""Each day's ledger is sealed: a row that is changed afterwards is found and named, however well the sums agree."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from rewards.immutability import SEALS, drop_triggers
from rewards.models import Account, Entry, Lot, LotUse, Seal, Transfer
from rewards.sealing import close_rows, first_difference, pack_rows, row_digest
from rewards.services import audit, sealing
from rewards.services.adjustments import adjust_points
from rewards.services.audit import audit_ledger
from rewards.services.sealing import seal_due
from tests.rewards.goods import give, person
from tests.shop import day


def packed(transfers=((1, "grant"), (2, "grant"), (5, "grant")), entries=((1, 7), (2, 8), (5, 9)), uses=()):
    return [pack_rows((row[0], row) for row in series) for series in (transfers, entries, uses)]


def test_close_rows_is_a_chain():
    first, second = close_rows(packed(), prev_sha256=""), close_rows(packed(), prev_sha256="a")

    assert (len(first.sha256), first.sha256 == second.sha256, first.marks == second.marks) == (64, False, True)


def test_close_rows_tells_an_entry_from_a_lot_use():
    moved = packed(entries=((1, 7), (2, 8)), uses=((5, 9),))

    assert close_rows(packed(), prev_sha256="").sha256 != close_rows(moved, prev_sha256="").sha256


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ({}, ""),
        ({"transfers": ((1, "grant"), (2, "revoke"), (5, "grant"))}, "transfer 2"),
        ({"entries": ((1, 7), (2, 9), (5, 9))}, "entries of transfer 2"),
        ({"uses": ((5, 1),)}, "lot uses of transfer 5"),
        ({"transfers": ((1, "grant"), (5, "grant")), "entries": ((1, 7), (5, 9))}, "transfer 2"),
        ({"transfers": ((1, "grant"), (2, "grant"))}, "transfer 5"),
        ({"transfers": ((1, "grant"), (2, "grant"), (5, "grant"), (7, "grant"))}, "transfer 7"),
        ({"transfers": ((1, "grant"), (2, "grant"), (5, "redeem")), "uses": ((1, 1),)}, "lot uses of transfer 1"),
    ],
)
def test_first_difference_names_the_row(after, found):
    was, now = (close_rows(series, prev_sha256="").marks for series in (packed(), packed(**after)))

    assert first_difference(was, now) == found


@pytest.fixture
def ann(db):
    ann = person()
    give(ann, 100)
    give(ann, 50)
    return ann


def test_seal_due_seals_once_a_day_what_was_written_since(ann):
    counts = [seal_due(at=at) for at in (day(1), day(1.2), day(2), day(3))]
    give(ann, 7, at=day(3))
    counts += [seal_due(at=at) for at in (day(3), day(4))]

    seals = list(Seal.objects.order_by("pk"))
    assert counts == [1, 0, 0, 0, 1, 0]
    assert [seal.prev_sha256 for seal in seals] == ["", seals[0].sha256]
    last = Transfer.objects.latest("pk").pk
    assert [(seal.from_id, seal.to_id) for seal in seals] == [(last - 2, last - 1), (last, last)]
    assert audit_ledger().findings == ()
    assert (audit_ledger().sealed_to, audit_ledger().seal) == (last, seals[1].sha256)


AWKWARD = {
    "reason": 'a "quoted" \\ line\n\t\x01\x7f über 🎁',
    "b": [1, {"zz": None, "y": True, "ä": "/"}, []],
    "aa": {},
    "": -3,
}


def test_seals_are_the_same_in_every_database(ann):
    adjust_points(customer=ann, points=-120, reason="spent", actor='Zoë \\ "Q"', at=day(0.123456))
    last = Transfer.objects.latest("pk")
    drop_triggers(connection)
    Transfer.objects.filter(pk=last.pk).update(cause=AWKWARD, event_at=datetime(1969, 12, 31, 23, 0, 0, 7, tzinfo=UTC))
    LotUse.objects.filter(transfer=last).update(extends_to=day(9.000001))

    span = (last.pk - 2, last.pk)
    by_lane = sealing._rows(*span)

    assert [len(series) // 40 for series in by_lane] == [3, 3, 2]
    assert by_lane == [sealing._packed(*series, span) for series in sealing._SERIES]


def test_row_digest_is_what_postgresql_makes_of_the_row():
    """The text of `SELECT json_build_array(7, 'é"', NULL, ('{"reason": 1, "b": [1.5]}'::jsonb)::text, 1000000)`."""
    moment = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    text = '[7, "é\\"", null, "{\\"b\\": [1.5], \\"reason\\": 1}", 1000000]'

    assert row_digest([7, 'é"', None, {"reason": 1, "b": [1.5]}, moment]) == sha256(text.encode()).digest()


def test_seal_due_closes_a_long_stretch_in_several_seals(ann, monkeypatch):
    monkeypatch.setattr(sealing, "MOST_ROWS", 1)

    assert seal_due(at=day(1)) == 2
    assert audit_ledger().findings == ()


def shift_a_point_between_rows():
    """Move a point between two credits so that every sum, balance and lot still agrees; return the first row."""
    first, second = Transfer.objects.order_by("pk")[:2]
    for transfer, by in ((first, 1), (second, -1)):
        Transfer.objects.filter(pk=transfer.pk).update(amount=F("amount") + by)
        Entry.objects.filter(transfer=transfer).update(delta=F("delta") + by)
        Lot.objects.filter(transfer=transfer).update(amount=F("amount") + by, remaining=F("remaining") + by)
    Entry.objects.filter(transfer=first).update(balance=F("balance") + 1)
    return first


def test_audit_ledger_finds_a_change_that_all_sums_agree_with(ann, capsys):
    seal_due(at=day(1))
    drop_triggers(connection)

    row = shift_a_point_between_rows()

    assert [finding.row for finding in audit_ledger().findings] == [f"transfer {row.pk}"]
    with pytest.raises(CommandError, match=rf"transfer {row.pk}: expected to be as it was sealed on 2026-03-02"):
        call_command("audit_ledger")


def test_audit_ledger_without_seals_would_not_find_it(ann, monkeypatch):
    seal_due(at=day(1))
    drop_triggers(connection)
    monkeypatch.setattr(audit, "check_seals", lambda: iter(()))

    shift_a_point_between_rows()

    assert audit_ledger().findings == ()


CHANGES = {
    "a reason": lambda: Transfer.objects.filter(pk=Transfer.objects.earliest("pk").pk).update(
        cause={"reason": "another"}
    ),
    "who": lambda: Transfer.objects.filter(pk=Transfer.objects.earliest("pk").pk).update(actor="mallory"),
    "when": lambda: Transfer.objects.filter(pk=Transfer.objects.earliest("pk").pk).update(event_at=day(-9)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_audit_ledger_finds_words_that_were_changed(ann, what):
    first = Transfer.objects.earliest("pk")
    seal_due(at=day(1))
    drop_triggers(connection)

    CHANGES[what]()

    assert audit_ledger().findings[0].row == f"transfer {first.pk}"


def test_audit_ledger_finds_lot_uses_that_were_changed(ann):
    adjust_points(customer=ann, points=-120, reason="spent", actor="t", at=day(0))
    spent = Transfer.objects.latest("pk")
    seal_due(at=day(1))
    drop_triggers(connection)

    LotUse.objects.filter(transfer=spent).delete()

    assert audit_ledger().findings[0].row == f"lot uses of transfer {spent.pk}"


def test_audit_ledger_finds_a_sealed_row_that_was_deleted_with_all_its_traces(ann):
    seal_due(at=day(1))
    drop_triggers(connection)
    gone = Transfer.objects.latest("pk")
    Lot.objects.filter(transfer=gone).delete()
    Entry.objects.filter(transfer=gone).delete()
    Transfer.objects.filter(pk=gone.pk).delete()
    Account.objects.filter(customer=ann, kind="available").update(balance=100, seq=1)

    assert [finding.row for finding in audit_ledger().findings] == [f"transfer {gone.pk}"]


def test_audit_ledger_finds_a_seal_that_was_made_anew(ann):
    seal_due(at=day(1))
    give(ann, 7, at=day(1))
    seal_due(at=day(2))
    drop_triggers(connection)
    first, second = Seal.objects.order_by("pk")
    row = shift_a_point_between_rows()
    closed = close_rows(sealing._rows(first.from_id, first.to_id), prev_sha256="")
    Seal.objects.filter(pk=first.pk).update(sha256=closed.sha256, marks=closed.marks)

    assert audit_ledger().findings[0].row == f"seal {second.pk}"
    assert row.pk == first.from_id


def test_audit_ledger_compares_with_a_hash_that_was_noted(ann, capsys):
    seal_due(at=day(1))
    noted = Seal.objects.get().sha256

    call_command("audit_ledger", seal=noted)
    assert f"sealed up to transfer {Seal.objects.get().to_id}: {noted}" in capsys.readouterr().out

    with pytest.raises(CommandError, match="no seal has the hash"):
        call_command("audit_ledger", seal="0" * 64)


def test_seal_due_beside_another_worker_adds_one_seal(ann, monkeypatch):
    monkeypatch.setattr(Seal.objects, "order_by", Seal.objects.none().order_by)  # this worker has seen none
    assert seal_due(at=day(1)) == 1
    assert seal_due(at=day(1)) == 0
    monkeypatch.undo()

    assert Seal.objects.count() == 1


@pytest.mark.parametrize("write", ["UPDATE rewards_seal SET sha256 = ''", "DELETE FROM rewards_seal"])
def test_a_seal_is_never_changed(ann, write):
    seal_due(at=day(1))

    with pytest.raises(Exception, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(write)

    drop_triggers(connection, SEALS)
    with connection.cursor() as cursor:
        cursor.execute(write)  # the twin: without the trigger it could be


def test_two_seals_of_one_stretch_are_refused_by_the_database(ann):
    seal_due(at=day(1))
    seal = Seal.objects.get()
    seal.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        seal.save(force_insert=True)
