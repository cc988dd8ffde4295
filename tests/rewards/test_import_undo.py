"""An import is taken back as far as nothing has touched it since; what it keeps of people is forgotten."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from referrals.models import Code, Customer, Link, Referral
from referrals.services.erasing import erase_customer, export_customer
from rewards.models import Account, HistoryRow, Reward
from rewards.services.adjustments import adjust_points
from rewards.services.importing import undoing
from rewards.services.importing.forgetting import forget_imports
from rewards.services.importing.running import run_imports
from rewards.services.importing.undoing import look_at_undo, undo_import
from rewards.services.importing.uploads import WrongStage
from tests.rewards.test_importing import POINTS, available, everything, imported, open_shop, ready, referrals
from tests.shop import assert_books_balance

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db):
    return open_shop()


def undone(history, reason="wrong file"):
    look_at_undo(history=history, at=timezone.now())
    run_imports(at=timezone.now())
    history.refresh_from_db()
    looked = dict(history.result)
    undo_import(history=history, reason=reason, actor="mia", at=timezone.now())
    run_imports(at=timezone.now())
    history.refresh_from_db()
    assert history.state == "undone"
    return looked


def test_undo_points_takes_back_what_is_left_and_names_what_is_spent(shop):
    adjust_points(
        customer=Customer.objects.get(external_id="ann"), points=40, reason="x", actor="mia", at=timezone.now()
    )
    history = imported("points", POINTS)
    adjust_points(
        customer=Customer.objects.get(external_id="ann"), points=-200, reason="spent", actor="mia", at=timezone.now()
    )

    looked = undone(history)

    assert (looked["undone"], looked["kept"], looked["points_back"]) == (1, 1, 370)
    row = HistoryRow.objects.get(history=history, line=2)
    assert (row.state, row.message) == ("kept", "200 of 500 points are spent or expired and stay")
    assert (available("ann"), available("bob")) == (40, 0)
    before = everything()
    with pytest.raises(WrongStage):
        look_at_undo(history=history, at=timezone.now())
    run_imports(at=timezone.now())
    assert everything() == before
    assert_books_balance()


def test_undo_points_then_import_again_gives_them_once(shop):
    undone(imported("points", POINTS))

    imported("points", POINTS)

    assert (available("ann"), available("bob")) == (500, 70)
    assert_books_balance()


def test_look_at_undo_changes_nothing(shop):
    history = imported("points", POINTS)
    before = everything()

    look_at_undo(history=history, at=timezone.now())
    run_imports(at=timezone.now())

    history.refresh_from_db()
    assert (history.state, everything()) == ("undo_checked", before)


def test_undo_referrals_voids_them_and_takes_codes_back(shop):
    history = imported("referrals", referrals(), shop.program)

    undone(history)

    assert set(Referral.objects.values_list("state", "reason")) == {("voided", "import_undone")}
    assert not Code.objects.filter(code="ANNA2020").exists()
    assert Link.objects.get(customer__external_id="ann").codes.count() == 1
    assert not Reward.objects.filter(state__in=Reward.STANDING).exists()
    assert_books_balance()


def test_undo_referrals_leaves_those_who_have_qualified_since(shop):
    history = imported("referrals", referrals(), shop.program)
    friend = Referral.objects.get(state="signed_up").friend
    fact = shop.purchase("x", timezone.now() - timedelta(hours=1), "o-1", "50.00")
    fact["customer"] = {"email": friend.email}
    shop.report(fact)

    undone(history)

    states = dict(Referral.objects.values_list("friend__email", "state"))
    assert states == {"bob@shop.example": "voided", "new@shop.example": "qualified"}
    row = HistoryRow.objects.get(history=history, line=3)
    assert (row.state, row.message) == ("kept", "the friend has qualified since")


def test_undo_customers_removes_the_untouched_and_gives_fields_back(shop):
    text = "Customer ID,Full Name,Language\nann,Ann A,de\ndora,Dora,\nfred,Fred,\ngina,Gina,\n"
    history = imported("customers", text)
    shop.report(shop.purchase("fred", timezone.now(), "o-1", "50.00"))
    Customer.objects.filter(external_id="ann").update(locale="fr")
    Customer.objects.filter(external_id="gina").update(name="Gina Known")

    looked = undone(history)

    assert (looked["undone"], looked["kept"]) == (1, 3)
    found = {one.external_id: (one.name, one.locale) for one in Customer.objects.all()}
    assert found["ann"] == ("", "fr")
    assert "dora" not in found
    assert found["fred"] == ("Fred", "")
    assert found["gina"] == ("Gina Known", "")
    told = dict(HistoryRow.objects.filter(state="kept").values_list("line", "message"))
    assert told == {2: "changed since: locale", 4: "has events since", 5: "changed since: name"}


def test_undo_customers_sabotaged_would_remove_who_is_known_elsewhere(shop, monkeypatch):
    """The twin: were traces not looked for, only the database would keep the customer with an account."""
    history = imported("customers", "Customer ID,Full Name\ndora,Dora\n")
    adjust_points(
        customer=Customer.objects.get(external_id="dora"), points=5, reason="x", actor="mia", at=timezone.now()
    )
    monkeypatch.setattr(undoing, "_traces", lambda customer: iter(()))

    undone(history)

    row = HistoryRow.objects.get()
    assert (row.message, row.customer.external_id) == ("is known elsewhere since", "dora")
    assert Account.objects.filter(customer__external_id="dora").exists()


def test_forget_imports_after_thirty_days_and_a_row_stays_imported_once(shop):
    history = imported("points", POINTS)
    later = timezone.now() + timedelta(days=29)
    assert forget_imports(at=later) == 0

    assert forget_imports(at=later + timedelta(days=2)) == 1
    assert forget_imports(at=later + timedelta(days=2)) == 0

    assert set(HistoryRow.objects.values_list("cells", "wrote", "message")) == {("", "", "")}
    history.refresh_from_db()
    with pytest.raises(WrongStage):
        look_at_undo(history=history, at=timezone.now())
    assert imported("points", POINTS).result["known"] == 2
    assert available("ann") == 500


def test_erase_customer_takes_their_cells_of_files_along(shop):
    done = imported("points", POINTS)
    ready("customers", "Customer ID,Full Name\nann,Ann Secret\ncarl,Carl\n")
    ann = Customer.objects.get(external_id="ann")
    assert [row["cells"].get("Full Name") for row in export_customer(customer=ann)["imports"]] == [None, "Ann Secret"]

    erase_customer(customer=ann, by="mia", at=timezone.now())

    left = "\n".join(HistoryRow.objects.values_list("cells", flat=True))
    assert ("ann" in left, "Secret" in left) == (False, False)
    assert json.loads(HistoryRow.objects.get(history=done, line=3).cells)[0] == "bob@shop.example"
    assert HistoryRow.objects.get(history=done, line=2).state == "done"
