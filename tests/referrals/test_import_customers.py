"""Customers from a file: all or nothing, every wrong row named, an empty cell tells nothing."""

import pytest
from django.core.management import CommandError, call_command

from referrals.models import Customer
from referrals.services.erasing import erase_customer
from tests.factories import CustomerFactory
from tests.shop import day

pytestmark = pytest.mark.django_db


@pytest.fixture
def load(tmp_path, capsys):
    def do(text, *options):
        file = tmp_path / "customers.csv"
        file.write_text(text, encoding="utf-8")
        call_command("import_customers", str(file), *options)
        return capsys.readouterr()

    return do


def test_import_customers_creates_and_updates_and_again_changes_nothing(load):
    CustomerFactory(external_id="c-1", name="Old Name", email="old@shop.example", attributes={"plan": "free", "x": 1})
    text = (
        "external_id,email,name,locale,time_zone,attributes.plan\n"
        "c-1,Ann+x@gmail.com,,de,Europe/Berlin,pro\n"
        "c-2,,Bob,,,\n"
    )

    first, again = load(text), load(text)

    assert "2 rows: 1 new, 1 known already, 0 refused" in first.out
    assert "2 rows: 0 new, 2 known already, 0 refused" in again.out
    ann, bob = Customer.objects.order_by("external_id")
    assert (ann.email, ann.email_normalized, ann.name, ann.locale) == (
        "Ann+x@gmail.com",
        "ann@gmail.com",
        "Old Name",
        "de",
    )
    assert (ann.time_zone, ann.attributes) == ("Europe/Berlin", {"plan": "pro", "x": 1})
    assert (bob.name, bob.email, bob.attributes) == ("Bob", "", {})


def test_import_customers_reads_other_peoples_columns(load):
    load(
        "Customer ID;E-Mail;City\n7;eve@shop.example;Köln\n",
        "--map",
        "external_id=Customer ID",
        "--map",
        "email=E-Mail",
        "--map",
        "attributes.city=City",
    )

    eve = Customer.objects.get()
    assert (eve.external_id, eve.email, eve.attributes) == ("7", "eve@shop.example", {"city": "Köln"})


WRONG = (
    "external_id,email,locale,time_zone\n"
    "c-1,ann@shop.example,en,UTC\n"
    ",bob@shop.example,,\n"
    "c-3,nobody,,\n"
    "c-4,,english,\n"
    "c-5,,,Mars/Olympus\n"
    "email:6,,,\n"
    "c-1,,,\n"
)


def test_import_customers_is_all_or_nothing_and_names_every_wrong_row(load):
    with pytest.raises(CommandError) as refused:
        load(WRONG)

    told = str(refused.value)
    for line, column in (
        (3, "external_id"),
        (4, "email"),
        (5, "locale"),
        (6, "time_zone"),
        (7, "external_id"),
        (8, "external_id"),
    ):
        assert f"customers.csv:{line}: column {column}: expected" in told
    assert not Customer.objects.exists()


def test_import_customers_skips_what_is_wrong_where_it_is_asked_to(load):
    told = load(WRONG, "--skip-errors")

    assert "7 rows: 1 new, 0 known already, 6 refused" in told.out
    assert Customer.objects.get().external_id == "c-1"


def test_import_customers_takes_no_row_that_lacks_a_cell_for_somebody(load):
    with pytest.raises(CommandError, match="2: expected 2 cells as in the header, got 1"):
        load("email,external_id\nann@shop.example\n")

    assert not Customer.objects.exists()


def test_import_customers_refuses_somebody_who_was_erased(load):
    gone = CustomerFactory(external_id="c-1")
    erase_customer(customer=gone, by="boss", at=day(0))

    with pytest.raises(CommandError, match=r"customers\.csv:2: column external_id: this customer was erased"):
        load("external_id,name\nc-1,Ann\nc-2,Bob\n")
    skipped = load("external_id,name\nc-1,Ann\nc-2,Bob\n", "--skip-errors")

    assert "2 rows: 1 new, 0 known already, 1 refused" in skipped.out
    assert Customer.objects.get(external_id="c-1").name == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the file is empty; expected a header"),
        ("email\na@b.example\n", "missing column external_id"),
        ("external_id,shoe size\n1,43\n", "unknown column shoe size"),
        ("external_id,external_id\n1,2\n", "is there twice"),
    ],
)
def test_import_customers_refuses_a_header_that_does_not_fit(load, text, why):
    with pytest.raises(CommandError, match=why):
        load(text)


def test_import_customers_refuses_a_map_of_nothing(load):
    with pytest.raises(CommandError, match="ours one of external_id"):
        load("external_id\n1\n", "--map", "shoe=size")
