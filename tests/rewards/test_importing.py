"""Coming from elsewhere: files of other tools are checked by the real rules, imported once, and undone."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from messaging.models import Message
from referrals.models import Code, Customer, Event, Link, Offer, Program, Referral
from referrals.services.erasing import erase_customer
from rewards.models import HistoryImport, HistoryRow, Lot, Reward, Transfer
from rewards.queries.balances import points_of
from rewards.services.importing import applying, running
from rewards.services.importing.running import run_imports
from rewards.services.importing.uploads import (
    ColumnChoice,
    map_columns,
    start_import,
    upload_history,
)
from tests.factories import CustomerFactory, UserFactory
from tests.shop import PROGRAM, Shop, assert_books_balance

pytestmark = pytest.mark.django_db

POINTS = "Email,Points Balance,Expiry Date\nann@shop.example,500,31.12.2099\nbob@shop.example,70,\n"
REFERRALS = (
    "Referrer Email;Friend Email;Date;Status;Referral Code\n"
    "ann@shop.example;bob@shop.example;{day};Approved;ANNA2020\n"
    "ann@shop.example;new@shop.example;{day};pending;ANNA2020\n"
)


def open_shop():
    shop = Shop(PROGRAM)
    for who in ("ann", "bob", "carl"):
        CustomerFactory(external_id=who, email=f"{who}@shop.example", name="")
    return shop


@pytest.fixture
def shop(db):
    return open_shop()


@pytest.fixture
def load(tmp_path, capsys):
    def do(kind, text, *options):
        file = tmp_path / "export.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        call_command("import_history", kind, str(file), *options)
        return capsys.readouterr()

    return do


def referrals(days=5):
    return REFERRALS.format(day=(timezone.now() - timedelta(days=days)).strftime("%d.%m.%Y"))


def ready(kind, text, program=None, skip=False):
    """Return an import that waits to be run, its columns as guessed and all rows checked."""
    now = timezone.now()
    history = upload_history(
        kind=kind, program=program, file_name="e.csv", raw=text.encode(), asked_by=UserFactory(), actor="mia", at=now
    )
    choice = ColumnChoice(columns=history.columns, constants=history.constants, date_format=history.date_format)
    map_columns(history=history, mapping=choice, at=now)
    run_imports(at=now)
    history.refresh_from_db()
    return start_import(history=history, skip_errors=skip, at=now)


def imported(kind, text, program=None, skip=False):
    history = ready(kind, text, program, skip)
    run_imports(at=timezone.now())
    history.refresh_from_db()
    return history


def everything():
    """Return every row of the trade's tables, to be compared."""
    tables = [name for name in connection.introspection.table_names() if name.startswith(("referrals_", "rewards_"))]
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            if table not in ("rewards_historyimport", "rewards_historyrow"):
                cursor.execute(f'SELECT * FROM "{table}" ORDER BY 1')
                found[table] = cursor.fetchall()
    return found


def available(who):
    return points_of(Customer.objects.get(external_id=who)).available


def test_import_history_points_give_each_an_opening_balance_once(shop, load):
    first = load("points", POINTS)
    again = load("points", POINTS)

    assert "2 rows: 2 new, 0 changed, 0 known, 0 refused; 570 points" in first.out
    assert "2 rows: 0 new, 0 changed, 2 known, 0 refused; 0 points" in again.out
    assert (available("ann"), available("bob")) == (500, 70)
    given = Transfer.objects.order_by("pk").values_list("kind", "amount", "cause__reason", "actor")
    reason = "opening balance, import of export.csv"
    assert list(given) == [("adjust", 500, reason, "command line"), ("adjust", 70, reason, "command line")]
    ends = Lot.objects.order_by("pk").values_list("expires_at", flat=True)
    assert [end and end.isoformat() for end in ends] == ["2099-12-31T23:59:59.999999+00:00", None]
    assert_books_balance()


def test_import_history_dry_run_stores_nothing(shop, load):
    before = everything()

    told = load("points", POINTS, "--dry-run")

    assert "2 rows: 2 new, 0 changed, 0 known, 0 refused; 570 points; nothing was stored" in told.out
    assert everything() == before
    assert not HistoryImport.objects.exists()


def test_import_history_dry_run_sabotaged_would_store(shop, load, monkeypatch):
    """The twin: were the chunk not rolled back, looking would give points."""
    monkeypatch.setattr(running.transaction, "set_rollback", lambda value: None)

    load("points", POINTS, "--dry-run")

    assert available("ann") == 500


def test_import_history_points_twin_without_its_key_a_row_is_not_known(shop, load, monkeypatch):
    """The twin: the key is what makes a row known; without it only the guard for balances keeps the money."""
    load("points", POINTS)
    numbers = iter(range(100))
    monkeypatch.setattr(applying, "_key", lambda parts: f"drawn-{next(numbers)}")

    with pytest.raises(CommandError, match="2 rows are wrong"):
        load("points", POINTS)

    assert available("ann") == 500


@pytest.mark.parametrize(("taken", "points"), [(None, 500), (lambda *_: True, 1000)], ids=["taken", "twin"])
def test_two_workers_with_the_same_rows_give_once(shop, monkeypatch, taken, points):
    """The twin: were a row not taken before it is done, a worker thought dead would give it a second time."""
    history = ready("points", POINTS)
    stage, stale = running._STAGES["running"], [list(running._waiting_rows(history)) for _ in range(2)]
    if taken:
        monkeypatch.setattr(running, "_take", taken)

    for chunk in stale:
        running._do_chunk(history, stage, chunk, timezone.now())

    assert available("ann") == points


@pytest.mark.parametrize("points", ["0", "-5", "5.0", "5.5", "1e3", "", "1,000", "٥", "99999999999"])
def test_import_history_points_refuses_what_is_no_whole_number(shop, load, points):
    text = f'Email,Points\nann@shop.example,5\nbob@shop.example,"{points}"\n'

    with pytest.raises(CommandError, match="1 rows are wrong"):
        load("points", text)

    assert (available("ann"), available("bob"), Transfer.objects.count()) == (0, 0, 0)


def test_import_history_points_another_balance_of_the_same_customer_is_refused(shop, load, capsys):
    load("points", POINTS)

    with pytest.raises(CommandError):
        load("points", "Email,Points\nann@shop.example,520\n")

    assert "2: column Email: has an opening balance already (export.csv, line 2)" in capsys.readouterr().err
    assert available("ann") == 500


def test_import_history_above_the_bound_needs_a_second_person_but_on_the_command_line(shop, load, settings):
    settings.SECOND_PERSON_ABOVE_POINTS = 100
    history = imported("points", POINTS, skip=True)

    row = HistoryRow.objects.get(history=history, line=2)
    assert (row.outcome, row.column) == ("refused", "Points Balance")
    assert "second person" in row.message
    assert (available("ann"), available("bob")) == (0, 70)

    load("points", "Email,Points\nann@shop.example,500\n")
    assert available("ann") == 500


def test_import_history_referrals_of_both_states(shop, load):
    told = load("referrals", referrals(), "--program", "refer-a-friend")

    assert "2 rows: 2 new, 0 changed, 0 known, 0 refused" in told.out
    done, opened = Referral.objects.order_by("pk")
    assert (done.state, done.friend.external_id, done.offer.number) == ("approved", "bob", Offer.SETTLED)
    assert (opened.state, opened.friend.email, opened.offer.number) == ("signed_up", "new@shop.example", 1)
    assert list(Reward.objects.values_list("rule", "recipient")) == [("friend-welcome", opened.friend_id)]
    assert not Message.objects.exists()
    link = Link.objects.get(customer__external_id="ann")
    assert (link.code, Code.objects.filter(link=link).count()) == ("ANNA2020", 2)

    again = load("referrals", referrals(), "--program", "refer-a-friend")
    assert "0 new, 0 changed, 2 known, 0 refused" in again.out
    assert (Referral.objects.count(), Event.objects.count()) == (2, 2)


def test_import_history_referrals_refuses_row_by_row(shop, load, capsys):
    Code.objects.create(code="TAKEN1", link=Link.objects.get(code=shop.code_of("carl")))
    CustomerFactory(external_id="bob-2", email="Bob+x@shop.example")
    day = timezone.now().date().isoformat()
    text = (
        "advocate,friend,date,state,code\n"
        f"ann,eve,{day},open,\n"
        f"carl,carl,{day},completed,\n"
        f"nobody,eve2,{day},open,\n"
        f"bob@shop.example,eve3,{day},open,\n"
        f"ann,eve4,31/12/2025,open,\n"
        f"ann,eve5,{day},maybe,\n"
        f"ann,eve6,{day},open,taken1\n"
        f"carl,eve,{day},open,\n"
        "ann,eve8\n"
        f"eve,ann,{day},completed,\n"
        f"ann,email:x,{day},open,\n"
        f"ann,eve9,2999-01-01,open,\n"
    )

    with pytest.raises(CommandError):
        load("referrals", text, "--program", "refer-a-friend")
    told = capsys.readouterr().err
    for line in (
        "3: column friend: the program's rules void it: self_referral",
        "4: column advocate: no customer has this id or address",
        "5: column advocate: several customers have this address",
        "6: column date: expected a day such as 2026-03-31, with or without a time, got '31/12/2025'",
        "7: column state: expected open or completed",
        "8: column code: TAKEN1 is taken by another customer",
        "9: column friend: this friend has another advocate in an earlier row",
        "10: expected 5 cells as in the header, got 2",
        "11: column friend: the friend is an ancestor of the advocate in this file",
        "12: column friend: expected an id of your own",
        "13: column date: lies more than 24 hours ahead",
    ):
        assert f"export.csv:{line}" in told
    assert not Referral.objects.exists()


def test_import_history_customers_with_old_codes_and_attributes(shop, load):
    text = (
        "Customer ID,Email,Full Name,City,Referral Code\nann,,Ann A,Paris,OLDANN\ndora,dora@shop.example,Dora,,DORA77\n"
    )
    options = ("--program", "refer-a-friend", "--map", "attributes.city=City")

    assert "1 new, 1 changed, 0 known, 0 refused" in load("customers", text, *options).out
    before = everything()
    assert "0 new, 0 changed, 2 known, 0 refused" in load("customers", text, *options).out

    assert everything() == before
    ann = Customer.objects.get(external_id="ann")
    assert (ann.name, ann.email, ann.attributes) == ("Ann A", "ann@shop.example", {"city": "Paris"})
    assert set(Code.objects.values_list("code", flat=True)) >= {"OLDANN", "DORA77"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "1: the file is empty"),
        (b"Email,Points\n", "2: the file has a header and no rows"),
        (b"ann@shop.example,500\n", "1: column 1: expected the name of a column, got 'ann@shop.example'"),
        (b"Email,,Points\na,b,5\n", "1: column 2: expected a name in the header"),
        (b"Email,500\na,5\n", "1: column 2: expected the name of a column, got '500'"),
        ("Email,Points\nJürgen,5\n".encode("latin-1"), "2: expected UTF-8"),
        (b"Email|Points\na|5\n", "1: column 1: expected columns separated by commas, semicolons or tabs"),
        (b"Email,Points,Email\na,5,b\n", "1: column Email is there twice"),
        (b"Email,Points\n" + b"x" * (10 * 1024 * 1024), "expected at most 10,485,760"),
        (b"Email,Name\nann,Ann\n", "no column is chosen for: Points"),
    ],
)
def test_import_history_refuses_a_file_that_cannot_be_read(shop, load, text, told):
    with pytest.raises(CommandError) as refused:
        load("points", text)

    assert told in str(refused.value)
    assert not HistoryImport.objects.exists()


def test_import_history_referrals_keep_an_open_one_whose_window_has_ended_as_expired(shop, load):
    Program.objects.update(starts=None)
    day = (timezone.now() - timedelta(days=300)).date().isoformat()

    load("referrals", f"advocate,friend,date\nann,bob,{day}\n", "--program", "refer-a-friend", "--set", "state=open")

    assert (Referral.objects.get().state, points_of(Customer.objects.get(external_id="bob")).available) == (
        "expired",
        100,
    )


def test_columns_are_remembered_for_the_next_file_with_the_same_header(shop, load):
    load("points", "Kunde;Saldo\nann;5\n", "--map", "customer=Kunde", "--map", "points=Saldo")

    assert "1 new" in load("points", "Saldo;Kunde\n7;bob\n").out

    assert (available("ann"), available("bob")) == (5, 7)


class Killed(BaseException):
    """The worker is gone."""


def _die_at_a_wrong_row(history):
    if history.rows.filter(state="refused").exists():
        raise Killed


def test_run_imports_killed_in_the_middle_neither_loses_nor_doubles(shop, monkeypatch):
    people = [f"p-{number}" for number in range(7)]
    for who in people:
        CustomerFactory(external_id=who)
    monkeypatch.setattr(running, "CHUNK", 2)
    history = ready("points", "Customer,Points\n" + "".join(f"{who},10\n" for who in people))
    real, calls = running.apply_row, []

    def dying(row, told, history, *, at):
        real(row, told, history, at=at)
        calls.append(row.line)
        if len(calls) == 4:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(running, "apply_row", dying)
        with pytest.raises(Killed):
            run_imports(at=timezone.now())
    assert Transfer.objects.count() == 2
    assert run_imports(at=timezone.now()) == 0, "the lease of the dead worker still runs"

    HistoryImport.objects.update(due_at=timezone.now())
    assert run_imports(at=timezone.now()) == 1

    history.refresh_from_db()
    assert (history.state, history.done, history.result["new"]) == ("done", 7, 7)
    assert [available(who) for who in people] == [10] * 7
    assert_books_balance()


def test_run_imports_gives_other_work_its_turn_and_goes_on(shop, monkeypatch):
    monkeypatch.setattr(running, "CHUNK", 1)
    monkeypatch.setattr(running, "SLICE", timedelta(seconds=-1))
    now = timezone.now()
    history = upload_history(
        kind="points", program=None, file_name="e.csv", raw=POINTS.encode(), asked_by=None, actor="mia", at=now
    )
    choice = ColumnChoice(columns=history.columns, date_format=history.date_format)
    map_columns(history=history, mapping=choice, at=now)

    for done, state in ((1, "checking"), (2, "checking"), (2, "checked")):
        assert run_imports(at=now) == 1
        history.refresh_from_db()
        assert (history.done, history.state) == (done, state)
    start_import(history=history, skip_errors=False, at=now)
    for given in (500, 570, 570):
        assert run_imports(at=now) == 1
        assert available("ann") + available("bob") == given
    assert run_imports(at=now) == 0
    history.refresh_from_db()
    assert (history.state, history.result["new"]) == ("done", 2)


@pytest.mark.parametrize("killed", [False, True], ids=["", "killed before it could stop"])
def test_run_imports_is_all_or_nothing_also_where_a_row_goes_wrong_after_the_check(shop, monkeypatch, killed):
    monkeypatch.setattr(running, "CHUNK", 1)
    history = ready("points", POINTS)
    erase_customer(customer=Customer.objects.get(external_id="bob"), by="mia", at=timezone.now())
    if killed:
        with monkeypatch.context() as patch:
            patch.setattr(running, "_stop_at_wrong_row", lambda history, at: _die_at_a_wrong_row(history))
            with pytest.raises(Killed):
                run_imports(at=timezone.now())
        assert available("ann") == 500
        HistoryImport.objects.update(due_at=timezone.now())

    run_imports(at=timezone.now())

    history.refresh_from_db()
    assert history.state == "undone"
    assert history.error.startswith("line 3:")
    assert available("ann") == 0
    assert_books_balance()
