from datetime import UTC, datetime
from importlib.metadata import distribution
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from referrals.facts import fact_from_json
from referrals.models import Customer, Event
from referrals.services import imports as imports_module
from referrals.sources.csv import Layout, read_events

FILE = """\
event_id,type,occurred_at,external_id,email,order_id,amount,currency,code,channel
s-1,signup,2026-03-01T10:00:00Z,bob,bob@example.com,,,,,
p-1,purchase,2026-03-02T10:00:00+01:00,bob,,1001,59.90,EUR,,whatsapp
r-1,refund,2026-03-03,bob,,1001,9.90,EUR,,
"""
FOREIGN = """\
customer_id,date,cds,usd
0001,1997-01-01,1,29.33
0002,1997-01-01,1,0.00
0001,1997-01-01,1,29.33
"""
FOREIGN_OPTIONS = ["--map", "external_id=customer_id", "--map", "occurred_at=date", "amount=usd", "--type", "purchase"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(tmp_path):
    def do(content, *options):
        path = tmp_path / "events.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        out, err = StringIO(), StringIO()
        call_command("import_events", str(path), *options, stdout=out, stderr=err)
        return out.getvalue().strip(), err.getvalue().replace(f"{path}:", "")

    return do


def refusal_of(run, content, *options):
    with pytest.raises(CommandError) as error:
        run(content, *options)
    assert error.value.returncode == 1
    assert (Event.objects.count(), Customer.objects.count()) == (0, 0)
    first, *lines = str(error.value).splitlines()
    assert first == "nothing was imported:"
    return [line.partition("events.csv:")[2] or line for line in lines]


def test_import_events_records_the_facts_of_the_api(run):
    assert run(FILE)[0] == "3 rows: 3 recorded, 0 known already, 0 refused"

    rows = Event.objects.order_by("pk").values_list(
        "event_id", "type", "occurred_at", "order_id", "amount_minor", "currency", "channel", "source"
    )
    assert list(rows) == [
        ("s-1", "signup", datetime(2026, 3, 1, 10, tzinfo=UTC), "", None, "", "", "csv"),
        ("p-1", "purchase", datetime(2026, 3, 2, 9, tzinfo=UTC), "1001", 5990, "EUR", "whatsapp", "csv"),
        ("r-1", "refund", datetime(2026, 3, 3, tzinfo=UTC), "1001", 990, "EUR", "", "csv"),
    ]
    assert list(Customer.objects.values_list("external_id", "email")) == [("bob", "bob@example.com")]


def test_import_events_is_the_same_event_as_by_api(run):
    run(FILE)

    assert Event.objects.get(event_id="p-1").body == {
        "event_id": "p-1",
        "type": "purchase",
        "occurred_at": "2026-03-02T10:00:00+01:00",
        "customer": {"external_id": "bob"},
        "channel": "whatsapp",
        "order": {"id": "1001", "amount": "59.90", "currency": "EUR"},
    }


def test_import_events_again_changes_nothing(run):
    run(FOREIGN, *FOREIGN_OPTIONS, "--currency", "USD")
    before = list(Event.objects.order_by("pk").values())

    assert run(FOREIGN, *FOREIGN_OPTIONS, "--currency", "USD")[0] == "3 rows: 0 recorded, 3 known already, 0 refused"

    assert list(Event.objects.order_by("pk").values()) == before


def test_import_events_keeps_identical_rows_apart(run):
    run(FOREIGN, *FOREIGN_OPTIONS, "--currency", "USD")

    orders = Event.objects.order_by("pk")
    assert [(event.customer.external_id, event.amount_minor) for event in orders] == [
        ("0001", 2933),
        ("0002", 0),
        ("0001", 2933),
    ]
    assert all(event.order_id == event.event_id for event in orders)


def test_import_events_finds_columns_in_any_order(run):
    run(FOREIGN, *FOREIGN_OPTIONS, "--currency", "USD")
    turned = "\n".join(",".join(reversed(line.split(","))) for line in FOREIGN.splitlines())

    assert run(turned, *FOREIGN_OPTIONS, "--currency", "USD")[0] == "3 rows: 0 recorded, 3 known already, 0 refused"


def test_import_events_dates_belong_to_the_installations_zone(run, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    run("type,occurred_at,external_id\nsignup,2026-07-01,a\nsignup,2026-01-01 12:00,b\nsignup,2026-01-01T12:00Z,c\n")

    assert list(Event.objects.order_by("pk").values_list("occurred_at", flat=True)) == [
        datetime(2026, 6, 30, 22, tzinfo=UTC),
        datetime(2026, 1, 1, 11, tzinfo=UTC),
        datetime(2026, 1, 1, 12, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + FILE.encode(),
        FILE.replace(",", ";").encode(),
        FILE.replace(",", "\t").encode(),
        FILE.replace("\n", "\r\n").encode(),
        FILE.replace("\n", "\n\n").encode(),
        FILE.encode("utf-16"),
        FILE.replace("bob,", '"bob",').encode(),
    ],
)
def test_import_events_reads_what_programs_write(content, run):
    assert run(content)[0] == "3 rows: 3 recorded, 0 known already, 0 refused"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("59.90", "59.901", "3: column amount: EUR has 2 decimals, '59.901' has more"),
        ("59.90", "", "3: column amount: this field is required"),
        ("59.90,EUR", "59.90,EUX", "3: column currency: 'EUX' is not an ISO 4217 currency code such as 'EUR'"),
        ("s-1,signup", "s-1,sign-up", "2: column type: 'sign-up' is not one of signup, purchase, refund, lead, "
         "lead_stage, support_closed, custom"),
        ("2026-03-03,bob", "03.03.2026,bob", "4: column occurred_at: expected a day or moment such as 2026-03-01 or "
         "2026-03-01T10:00:00Z, got '03.03.2026'"),
        ("bob,bob@example.com", "bob,bob", "2: column email: 'bob' is not an email address"),
        ("whatsapp", "whatsapp,more", "3: expected 10 cells as in the header, got 11"),
        ("r-1,refund", 'r-1,"ref"und', "4: expected well-formed CSV: ',' expected after '\"'"),
        ("bob,,1001,9.90", "bob,,,9.90", "4: column order_id: this field is required"),
        ("p-1,", "s-1,", "3: column event_id: event_id 's-1' was already used for another event"),
    ],
)  # fmt: skip
def test_import_events_names_line_and_column_and_imports_nothing(old, new, problem, run):
    assert old in FILE

    assert refusal_of(run, FILE.replace(old, new)) == [problem]


def test_import_events_names_the_files_own_column(run):
    content = FOREIGN.replace("0.00", "-1")

    assert refusal_of(run, content, *FOREIGN_OPTIONS, "--currency", "USD") == [
        "3: column usd: expected an amount of 0 or more as a decimal string such as '59.90', got '-1'"
    ]


def test_import_events_counts_lines_through_quoted_line_breaks(run):
    content = 'type,occurred_at,external_id,note\nsignup,2026-01-01,a,"two\nlines"\nsignup,nonsense,b,\n'

    assert refusal_of(run, content)[0].startswith("4: column occurred_at:")


def test_import_events_with_skip_errors_imports_the_rest(run):
    out, err = run(FILE.replace("59.90", "59.901"), "--skip-errors")

    assert out == "3 rows: 2 recorded, 0 known already, 1 refused"
    assert err == "3: column amount: EUR has 2 decimals, '59.901' has more\n"
    assert list(Event.objects.order_by("pk").values_list("event_id", flat=True)) == ["s-1", "r-1"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "1: the file is empty; expected a header"),
        ("type,occurred_at\n", "1: missing column external_id; the file has type, occurred_at"),
        ("type,type,occurred_at,external_id\n", "1: column type is there twice"),
        (FILE.encode()[:120] + b"\xff" + FILE.encode()[120:], "2: expected UTF-8, found another encoding; "
         "save the file as UTF-8"),
    ],
)  # fmt: skip
def test_import_events_refuses_a_file_it_cannot_read(content, problem, run):
    assert refusal_of(run, content) == [problem]


def test_import_events_refuses_a_mapping_to_no_column(run):
    assert refusal_of(run, FILE, "--map", "amount=usd")[0].startswith("1: missing column usd; the file has event_id, ")


@pytest.mark.parametrize("pair", ["amount", "amount=", "price=usd"])
def test_import_events_refuses_a_mapping_of_no_meaning(pair, run):
    with pytest.raises(CommandError, match="expected OURS=THEIRS"):
        run(FILE, "--map", pair)


def test_import_events_reports_at_most_a_hundred_problems(run):
    content = "type,occurred_at,external_id\n" + "signup,never,a\n" * 150

    lines = refusal_of(run, content)

    assert (len(lines), lines[-1]) == (101, "and 50 more")


def test_import_events_undoes_what_it_recorded_before_a_refusal(run, monkeypatch):
    """Refusals that only the database knows show late, after chunks were recorded."""
    monkeypatch.setattr(imports_module, "CHUNK", 1)

    assert refusal_of(run, FILE.replace("r-1,refund", "p-1,refund"))[0].startswith("4: column event_id")


def test_import_events_without_its_transaction_would_keep_half_a_file(run, monkeypatch):
    monkeypatch.setattr(imports_module, "CHUNK", 1)
    monkeypatch.setattr(imports_module, "transaction", SimpleNamespace(atomic=imports_module.nullcontext))

    with pytest.raises(CommandError):
        run(FILE.replace("r-1,refund", "p-1,refund"))

    assert Event.objects.count() == 2


def test_import_events_takes_leads_custom_events_and_codes(run):
    content = (
        "event_id,type,occurred_at,external_id,lead_id,stage,amount,currency,event_name,code\n"
        "1,lead,2026-01-01,a,L1,enquiry,500,EUR,,ANNX7K2\n"
        "2,lead_stage,2026-01-02,a,L1,won,500.00,EUR,,\n"
        "3,custom,2026-01-03,a,,,,,demo_booked,\n"
    )

    assert run(content)[0] == "3 rows: 3 recorded, 0 known already, 0 refused"
    assert list(Event.objects.order_by("pk").values_list("lead_stage", "amount_minor", "name", "code")) == [
        ("enquiry", 50000, "", "ANNX7K2"),
        ("won", 50000, "", ""),
        ("", None, "demo_booked", ""),
    ]


def test_read_events_gives_every_order_of_a_real_log_a_key_of_its_own():
    """CDNOW: 6,919 orders, of which 21 are identical to another in every column."""
    file = Path(str(distribution("lifetimes").locate_file("lifetimes/datasets/CDNOW_sample.txt")))
    rows = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
    text = "\n".join(["master,customer,date,cds,usd", *(",".join(row) for row in rows)])
    names = {"external_id": "customer", "occurred_at": "date", "amount": "usd"}
    layout = Layout(zone=ZoneInfo("UTC"), names=names, constants={"type": "purchase", "currency": "USD"})

    bodies = [row.body for row in read_events(text, layout)]

    facts = [fact_from_json(body, now=datetime(2026, 1, 1, tzinfo=UTC)) for body in bodies]
    assert (len(facts), len({fact.event_id for fact in facts}), len({fact.order_id for fact in facts})) == (6919,) * 3
    assert sum(not fact.event_id.endswith("-1") for fact in facts) == 21
    assert sum(fact.amount_minor or 0 for fact in facts) == 24_409_194
    assert [row.body for row in read_events(text, layout)] == bodies


def test_import_events_reports_every_row_that_is_wrong_whatever_is_wrong_with_it(tmp_path, db):
    file = tmp_path / "orders.csv"
    file.write_text(
        "type,occurred_at,external_id,order_id,amount,currency\n"
        "purchase,2026-01-01,x1,a1,10.00,EUR\n"
        "purchase,2026-13-01,x2,a2,10.00,EUR\n"
        "purchase,2026-01-02,x3,a3,-1,EUR\n"
    )

    with pytest.raises(CommandError) as refused:
        call_command("import_events", str(file))

    lines = str(refused.value).splitlines()
    assert [line.removeprefix(f"{file}:").split(": expected")[0] for line in lines[1:]] == [
        "3: column occurred_at",
        "4: column amount",
    ]
    assert Event.objects.count() == 0
