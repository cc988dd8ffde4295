"""The pages of an import, the whole way: upload, columns, check, import, look at the undo, undo."""

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.services import ensure_roles
from referrals.models import Customer, Referral
from rewards.models import HistoryImport, HistoryRow, Transfer
from rewards.queries.balances import points_of
from rewards.services.importing import running
from rewards.services.importing.running import run_imports
from tests.factories import CustomerFactory, UserFactory
from tests.rewards.test_importing import POINTS, everything
from tests.shop import PROGRAM, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db):
    shop = Shop(PROGRAM)
    for who in ("ann", "bob"):
        CustomerFactory(external_id=who, email=f"{who}@shop.example")
    return shop


@pytest.fixture
def staff(shop):
    ensure_roles()
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Administrator"))
    client = Client()
    client.force_login(user)
    return client


def upload(client, text, kind="points", **more):
    raw = text if isinstance(text, bytes) else text.encode()
    return client.post("/imports/", {"kind": kind, "file": SimpleUploadedFile("export.csv", raw), **more})


def choose(client, address, **changes):
    """Send the columns' form as it is shown, with changes."""
    page = client.get(address)
    form = page.context["form"]
    given = {one.field: one.chosen for one in form.headings} | changes
    given |= {"date_format": form.date_format} if 'name="date_format"' in page.content.decode() else {}
    return client.post(f"{address}columns", given)


def text_of(client, address):
    return client.get(address).content.decode()


def test_import_the_whole_way(staff):
    answer = upload(staff, POINTS)
    assert answer.status_code == 302
    address = answer.url
    shown = text_of(staff, address)
    assert '<option value="points" selected>Points</option>' in shown
    assert "31.12.2099 is read as 31 December 2099, 00:00." in shown
    assert "bob@shop.example" in shown
    before = everything()

    assert choose(staff, address).url == address
    shown = text_of(staff, address)
    assert ("data-follow" in shown, "0 of 2 rows" in shown) == (True, True)
    run_imports(at=timezone.now())
    shown = text_of(staff, address)
    assert ("Every row is right." in shown, "570" in shown, "data-follow" in shown) == (True, True, False)
    assert everything() == before

    staff.post(f"{address}run")
    assert "Being imported: 0 of 2 rows" in text_of(staff, address)
    assert everything() == before
    run_imports(at=timezone.now())
    assert "Imported." in text_of(staff, address)
    assert points_of(Customer.objects.get(external_id="ann")).available == 500

    staff.post(f"{address}undo")
    run_imports(at=timezone.now())
    assert "This is what an undo will do" in text_of(staff, address)
    assert Transfer.objects.count() == 2
    staff.post(f"{address}undo", {"reason": ""})
    assert HistoryImport.objects.get().state == "undo_checked"
    staff.post(f"{address}undo", {"reason": "wrong file"})
    run_imports(at=timezone.now())
    assert "Undone: wrong file" in text_of(staff, address)
    assert points_of(Customer.objects.get(external_id="ann")).available == 0

    after = everything()
    for act in ("run", "undo", "undo", "discard"):
        staff.post(f"{address}{act}", {"reason": "again"} if act == "undo" else {})
    run_imports(at=timezone.now())
    assert everything() == after


def test_import_with_wrong_rows_needs_them_skipped(staff):
    address = upload(staff, POINTS.replace("70", "7.5")).url
    choose(staff, address)
    run_imports(at=timezone.now())
    shown = text_of(staff, address)
    assert "expected a whole number from 1 to 1,000,000,000, got &#x27;7.5&#x27;" in shown
    assert "<td>Points Balance</td>" in shown

    staff.post(f"{address}run")
    assert (HistoryImport.objects.get().state, Transfer.objects.count()) == ("checked", 0)

    staff.post(f"{address}run", {"skip_errors": "1"})
    run_imports(at=timezone.now())
    assert list(Transfer.objects.values_list("amount", flat=True)) == [500]
    rows = staff.get(f"{address}rows.csv").content.decode()
    assert "3,refused,,Points Balance,\"expected a whole number from 1 to 1,000,000,000, got '7.5'\"" in rows


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        (b"ann@shop.example,500\n", "points", "CSV file: 1: column 1: expected the name of a column"),
        (b"", "points", "CSV file: The submitted file is empty."),
        (b"a,b\n\xff,1\n", "points", "CSV file: 2: expected UTF-8"),
        (b"a,b\n1,2\n", "referrals", "Program: expected the program of the referrals"),
    ],
)
def test_upload_refuses_and_keeps_nothing(staff, text, kind, told):
    answer = upload(staff, text, kind)

    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not HistoryImport.objects.exists()


def test_columns_that_lack_something_are_refused_with_what_was_chosen_kept(staff, shop):
    address = upload(staff, "Who,Whom\nann,new-1\n", "referrals", program=shop.program.pk).url

    answer = choose(staff, address, **{"column-0": "advocate", "column-1": "friend", "constant-state": "open"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "no column is chosen for: Date" in page
    assert '<option value="advocate" selected>' in page
    assert HistoryImport.objects.get().state == "draft"

    day = timezone.now().date().isoformat()
    given = {"column-0": "advocate", "column-1": "friend", "constant-state": "open", "constant-date": day}
    choose(staff, address, **given)
    run_imports(at=timezone.now())
    staff.post(f"{address}run")
    run_imports(at=timezone.now())
    assert Referral.objects.get().friend.external_id == "new-1"

    again = text_of(staff, upload(staff, "Whom,Who\nnew-2,ann\n", "referrals", program=shop.program.pk).url)
    assert "as chosen for the last file with this header" in again
    assert f'name="constant-date" value="{day}"' in again


def test_progress_is_seen_between_chunks(staff, monkeypatch):
    monkeypatch.setattr(running, "CHUNK", 1)
    address = upload(staff, POINTS).url
    choose(staff, address)
    run_imports(at=timezone.now())
    staff.post(f"{address}run")
    real, seen = running._stop_at_wrong_row, []

    def looking(history, at):
        seen.append(text_of(staff, address))
        real(history, at)

    monkeypatch.setattr(running, "_stop_at_wrong_row", looking)
    run_imports(at=timezone.now())

    assert [page.partition("Being imported: ")[2][:11] for page in seen] == [
        "0 of 2 rows",
        "1 of 2 rows",
        "2 of 2 rows",
    ]
    assert ['value="50"' in page for page in seen] == [False, True, False]


def test_customers_whose_city_is_kept_as_an_attribute(staff):
    address = upload(staff, "Customer ID,Name,City\nann,Ann,Paris\nnew,New,Oslo\n", "customers").url
    shown = text_of(staff, address)
    assert ("Days are written like" in shown, '<option value="attributes.City">' in shown) == (False, True)

    assert choose(staff, address, **{"column-2": "attributes.City"}).url == address
    for act in ("", "run"):
        if act:
            staff.post(f"{address}{act}")
        run_imports(at=timezone.now())

    found = dict(Customer.objects.exclude(attributes={}).values_list("external_id", "attributes"))
    assert found == {"ann": {"City": "Paris"}, "new": {"City": "Oslo"}}


def test_discard_forgets_a_file(staff):
    address = upload(staff, POINTS).url

    assert staff.post(f"{address}discard").url == "/imports/"

    assert not HistoryRow.objects.exists()


def test_leave_an_import_after_looking_at_its_undo(staff):
    address = upload(staff, POINTS).url
    choose(staff, address)
    for act in ("", "run", "undo"):
        if act:
            staff.post(f"{address}{act}")
        run_imports(at=timezone.now())
    before = everything()

    staff.post(f"{address}discard")

    assert (HistoryImport.objects.get().state, everything()) == ("done", before)


def test_import_is_in_the_menu_of_who_may(staff):
    assert "/imports/" in text_of(staff, "/admin/")

    ensure_roles()
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Marketer"))
    other = Client()
    other.force_login(user)
    assert "/imports/" not in text_of(other, "/admin/")
    assert other.get("/imports/").status_code == 403


def test_list_of_imports_asks_as_much_for_three_as_for_one(staff):
    counts = []
    for _ in range(3):
        upload(staff, POINTS)
        with CaptureQueriesContext(connection) as asked:
            staff.get("/imports/")
        counts.append(len(asked))

    assert counts[0] == counts[2]
