"""The imported list of existing customers: who is on it at the binding brings nobody a reward."""

import hashlib

import pytest
import time_machine
from django.core.management import CommandError, call_command

from referrals.models import ExistingCustomer
from referrals.queries.existing import hash_of_email
from referrals.queries.programs import document_of
from referrals.services import histories
from referrals.services.erasing import erase_customer
from referrals.services.lifecycle import reopen_referral
from referrals.sources.csv import FileRefused
from referrals.sources.existing_csv import read_existing
from rewards.queries.backtests import load_material
from tests.shop import Shop, day

pytestmark = pytest.mark.django_db


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def load(tmp_path, capsys):
    """Import a list as of a day; return what the command said."""

    def do(text, at=0, *options):
        file = tmp_path / "existing.csv"
        file.write_text(text, encoding="utf-8")
        with time_machine.travel(day(at), tick=False):
            call_command("import_existing", str(file), *options)
        return capsys.readouterr()

    return do


def join(shop, who, at, email):
    shop.report(shop.signup(who, day(at), code=shop.code_of("ann"), email=email), at=day(at))
    return shop.referral(who).state, shop.referral(who).reason


@pytest.mark.parametrize(
    "text",
    [
        "email\nBob.Miller+news@gmail.com\n",
        "name;E-Mail\nBob;bobmiller@googlemail.com\n",
        f"sha256\n{sha('bob.miller@gmail.com')}\n",
        f"email_sha256\n{sha('bobmiller@gmail.com').upper()}\n",
    ],
)
def test_import_existing_makes_a_known_person_no_new_friend(shop, load, text):
    load(text)

    assert join(shop, "bob", 1, "bob.miller@gmail.com") == ("voided", "existing_customer")
    assert join(shop, "cem", 1, "cem@shop.example") == ("signed_up", "")


def test_import_existing_counts_as_the_list_stood_at_the_binding(shop, load):
    before = join(shop, "bob", 1, "bob@shop.example")
    load("email\nbob@shop.example\ncem@shop.example\n", 5)
    shop.report(shop.purchase("bob", day(6), "1", "59.90"), at=day(6))

    assert before == ("signed_up", "")
    assert shop.referral("bob").state == "qualified"
    shop.report(shop.signup("cem", day(4), code=shop.code_of("ann"), email="cem@shop.example"), at=day(6))
    assert shop.referral("cem").state == "signed_up"


def test_import_existing_does_not_bind_the_hands_of_staff(shop, load):
    load("email\nbob@shop.example\n")
    join(shop, "bob", 1, "bob@shop.example")

    reopen_referral(referral=shop.referral("bob"), note="her brother", actor="boss", at=day(2))

    assert shop.referral("bob").state == "signed_up"


def test_import_existing_stores_keyed_hashes_alone_and_no_row_twice(load):
    first = load("email\nbob@shop.example\nBOB@shop.example \n")
    again = load(f"sha256\n{sha('bob@shop.example')}\n{sha('eve@shop.example')}\n")

    assert "2 rows: 1 new, 1 known already, 0 refused" in first.out
    assert "2 rows: 1 new, 1 known already, 0 refused" in again.out
    keys = set(ExistingCustomer.objects.values_list("key", flat=True))
    assert len(keys) == 2
    assert not keys & {sha("bob@shop.example"), hash_of_email("eve@shop.example")}


def test_import_existing_is_all_or_nothing_and_names_the_rows(load):
    text = "email\nbob@shop.example\nnobody\n\n@x\n"

    with pytest.raises(CommandError, match="nothing was imported") as refused:
        load(text)
    none = ExistingCustomer.objects.count()
    told = load(text, 0, "--skip-errors")

    assert "existing.csv:3: column email: expected an email address, got 'nobody'" in str(refused.value)
    assert "existing.csv:5:" in str(refused.value)
    assert none == 0
    assert "3 rows: 1 new, 0 known already, 2 refused" in told.out


@pytest.mark.parametrize("text", ["name\nBob\n", "email,sha256\na@b.example,x\n"])
def test_read_existing_wants_exactly_one_column(text):
    with pytest.raises(FileRefused, match="expected one column named email or sha256"):
        read_existing(text)


def test_read_existing_of_nothing_and_of_broken_rows_says_so():
    with pytest.raises(FileRefused, match="the file is empty"):
        read_existing("")

    listed = read_existing('name,email\nBob\nEve,eve@shop.example\nCem,"cem@shop.example\n')

    assert listed.emails == ("eve@shop.example",)
    assert [problem.line for problem in listed.problems] == [2, 4]


def test_erase_customer_takes_them_off_the_list(shop, load):
    load("email\nbob@shop.example\neve@shop.example\n")
    join(shop, "bob", 1, "bob@shop.example")

    erase_customer(customer=shop.referral("bob").friend, by="boss", at=day(2))

    assert ExistingCustomer.objects.count() == 1


def test_a_backtest_knows_the_list(shop, load):
    load("email\nbob@shop.example\n")
    join(shop, "bob", 1, "bob@shop.example")
    bob = shop.referral("bob").friend

    material = load_material(program=shop.program, document=document_of(shop.program), at=day(9))

    assert material.case.listed == {bob.pk: day(0)}


def test_without_the_list_a_known_person_would_be_a_new_friend(shop, load, monkeypatch):
    monkeypatch.setattr(histories, "listed_since", lambda email: None)
    load("email\nbob@shop.example\n")

    assert join(shop, "bob", 1, "bob@shop.example") == ("signed_up", "")
