"""Second person: large credits and rules of running programs take two, and exactly what was asked is done."""

from io import StringIO

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.management import call_command
from django.test import Client

from accounts import changes
from accounts.changes import (
    ChangeDecided,
    ChangedMeanwhile,
    MayNotDecide,
    SamePerson,
    approve_change,
    refuse_change,
    withdraw_change,
)
from accounts.models import ChangeRequest
from accounts.services import create_api_key
from core.errors import Invalid
from messaging.models import Message
from referrals.models import Customer, Offer, Program
from referrals.program_file import parse_program
from referrals.program_text import render_program
from referrals.queries.programs import document_of
from referrals.services.identities import Erased
from referrals.services.program_changes import change_program
from referrals.services.programs import apply_program
from rewards.models import Account, Transfer
from rewards.queries.balances import points_of
from rewards.services.credits import give_points
from tests.factories import PROGRAM_FILE, CustomerFactory, UserFactory, make_program
from tests.scenes import NOON, moment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _two_people(settings):
    settings.SECOND_PERSON_ABOVE_POINTS = 1000
    settings.SECOND_PERSON_FOR_PROGRAMS = True


def staff(name: str, *codenames: str):
    user = UserFactory(email=f"{name}@shop.example", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


@pytest.fixture
def mia():
    return staff("mia", "change_account", "change_program", "view_account", "view_changerequest", "view_program")


@pytest.fixture
def tom():
    return staff("tom", "change_account", "change_program", "view_changerequest", "view_program")


@pytest.fixture
def ann():
    return CustomerFactory(external_id="ann")


def give(customer, points, asker, at=NOON):
    return give_points(customer=customer, points=points, reason="lost parcel", actor=str(asker), asker=asker, at=at)


def available(customer) -> int:
    return points_of(customer).available


@pytest.mark.parametrize("points", [1000, 1])
def test_give_points_up_to_the_size_is_done_at_once(ann, mia, points):
    assert give(ann, points, mia) is None
    assert available(ann) == points
    assert ChangeRequest.objects.count() == 0


def test_give_points_above_the_size_waits_and_tells_who_may_approve(ann, mia, tom):
    staff("eve", "view_account")

    change = give(ann, 1001, mia)

    assert (change.state, change.asked_by, change.payload) == (
        "open",
        "mia@shop.example",
        {"points": 1001, "expires_days": None},
    )
    assert available(ann) == 0
    assert list(Message.objects.values_list("kind", "email")) == [("change_requested", "tom@shop.example")]


def test_give_points_in_parts_counts_together_for_a_day(ann, mia):
    with moment(NOON):
        assert give(ann, 600, mia) is None

    waiting = give(ann, 401, mia)

    assert waiting is not None
    assert available(ann) == 600


def test_give_points_without_the_setting_never_waits(ann, mia, settings):
    settings.SECOND_PERSON_ABOVE_POINTS = None

    assert give(ann, 5_000_000, mia) is None
    assert available(ann) == 5_000_000


def test_give_points_by_taking_never_waits(ann, mia):
    give(ann, 900, mia)

    assert give(ann, -900, mia) is None
    assert available(ann) == 0


def test_give_points_to_an_erased_customer_is_refused(mia):
    gone = CustomerFactory(erased_at=NOON)

    with pytest.raises(Erased):
        give(gone, 5000, mia)
    with pytest.raises(Erased):
        give(gone, 5, mia)

    assert (ChangeRequest.objects.count(), Transfer.objects.count()) == (0, 0)


def test_approve_change_does_exactly_what_was_asked_in_both_names(ann, mia, tom):
    change = give(ann, 5000, mia)

    approve_change(change=change, by=tom, note="checked", at=NOON)

    transfer = Transfer.objects.get()
    change.refresh_from_db()
    assert available(ann) == 5000
    assert transfer.actor == "mia@shop.example, approved by tom@shop.example"
    assert transfer.cause["reason"] == "lost parcel"
    assert (change.state, change.decided_by, change.note) == ("approved", "tom@shop.example", "checked")


def test_approve_change_by_the_same_person_is_refused(ann, mia):
    change = give(ann, 5000, mia)

    with pytest.raises(SamePerson):
        approve_change(change=change, by=mia, note="", at=NOON)

    change.refresh_from_db()
    assert (change.state, available(ann)) == ("open", 0)


def test_approve_change_sabotaged_one_person_alone_could_pay(ann, mia, monkeypatch):
    change = give(ann, 5000, mia)
    monkeypatch.setattr(changes, "_refuse_same_person", lambda *_: None)

    approve_change(change=change, by=mia, note="", at=NOON)

    assert available(ann) == 5000


def test_approve_change_without_the_permission_is_refused(ann, mia):
    change = give(ann, 5000, mia)

    with pytest.raises(MayNotDecide):
        approve_change(change=change, by=staff("eve", "view_account"), note="", at=NOON)

    assert available(ann) == 0


def test_approve_change_twice_pays_once(ann, mia, tom):
    change = give(ann, 5000, mia)
    approve_change(change=change, by=tom, note="", at=NOON)

    with pytest.raises(ChangeDecided, match="already approved"):
        approve_change(change=change, by=tom, note="", at=NOON)

    assert available(ann) == 5000


def test_approve_change_for_somebody_erased_meanwhile_is_refused(ann, mia, tom):
    change = give(ann, 5000, mia)
    Customer.objects.filter(pk=ann.pk).update(erased_at=NOON)

    with pytest.raises(ChangedMeanwhile, match="was erased"):
        approve_change(change=change, by=tom, note="", at=NOON)

    change.refresh_from_db()
    assert (change.state, available(ann)) == ("open", 0)


def test_refuse_and_withdraw_change_do_nothing(ann, mia, tom):
    refused, withdrawn = give(ann, 5000, mia), give(ann, 6000, mia)

    refuse_change(change=refused, by=tom, note="too much", at=NOON)
    with pytest.raises(SamePerson):
        withdraw_change(change=withdrawn, by=tom, note="", at=NOON)
    withdraw_change(change=withdrawn, by=mia, note="", at=NOON)

    assert sorted(ChangeRequest.objects.values_list("state", flat=True)) == ["refused", "withdrawn"]
    assert available(ann) == 0


def changed(text: str = "points: 900"):
    return parse_program(
        PROGRAM_FILE.format(slug="refer-a-friend", name="Refer a friend", status="active").replace("points: 500", text)
    )


def ask(document, asker):
    return change_program(document=document, reason="summer", actor=str(asker), asker=asker, at=NOON)


def test_change_program_of_a_running_one_waits_and_is_applied_as_asked(mia, tom):
    program = make_program()

    change = ask(changed(), mia)
    before = Offer.objects.count()
    approve_change(change=change, by=tom, note="", at=NOON)

    assert isinstance(change, ChangeRequest)
    assert before == 1
    assert render_program(document_of(program)) == render_program(changed())


def test_change_program_needs_a_reason(mia):
    make_program()

    with pytest.raises(Invalid, match="say why"):
        change_program(document=changed(), reason=" ", actor="mia", asker=mia, at=NOON)

    assert (Offer.objects.count(), ChangeRequest.objects.count()) == (1, 0)


@pytest.mark.parametrize("status", ["draft"])
def test_change_program_of_a_draft_is_done_at_once(mia, status):
    make_program(status=status)

    assert isinstance(ask(changed(), mia), Program)
    assert Offer.objects.count() == 2


def test_change_program_of_its_name_alone_is_done_at_once(mia):
    make_program()

    applied = ask(parse_program(PROGRAM_FILE.format(slug="refer-a-friend", name="New", status="paused")), mia)

    assert isinstance(applied, Program)
    assert Program.objects.get().name == "New"


def test_change_program_of_a_paused_one_waits_too(mia):
    make_program(status="paused")

    assert isinstance(ask(changed(), mia), ChangeRequest)


def test_approve_change_of_a_program_that_changed_meanwhile_is_refused(mia, tom):
    make_program()
    change = ask(changed(), mia)
    apply_program(document=changed("points: 700"), at=NOON)

    with pytest.raises(ChangedMeanwhile, match="changed since this was asked"):
        approve_change(change=change, by=tom, note="", at=NOON)

    change.refresh_from_db()
    assert change.state == "open"
    assert Offer.objects.latest("number").terms["rewards"][0]["points"] == 700


def test_apply_program_by_command_applies_at_once_and_is_recorded(tmp_path):
    make_program()
    file = tmp_path / "program.yaml"
    file.write_text(render_program(changed()))

    call_command("apply_program", str(file), stdout=StringIO())

    change = ChangeRequest.objects.get()
    assert (change.state, change.kind) == ("approved", "program")
    assert "command line" in change.decided_by
    assert Offer.objects.latest("number").terms["rewards"][0]["points"] == 900


def test_adjustments_api_answers_202_above_the_size(client, ann):
    key = create_api_key(name="shop")[1]

    def post(points):
        return client.post(
            "/api/v1/customers/ann/adjustments",
            {"points": points, "reason": "gift"},
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )

    small, large = post(1000), post(1)

    assert (small.status_code, small.json()["available"]) == (201, 1000)
    assert large.status_code == 202
    assert large.json() == {
        "change": ChangeRequest.objects.get().public_id,
        "state": "open",
        "title": "Give 1 points to customer ann",
    }


def enter(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_change_pages_show_the_difference_and_decide(ann, mia, tom):
    make_program()
    change = ask(changed(), mia)
    client = enter(tom)
    page = f"/admin/accounts/changerequest/{change.pk}"

    shown = client.get(f"{page}/change/").text
    asked = client.get(f"{page}/approve/").text
    own = enter(mia).post(f"{page}/approve/", {"reason": "me"}, follow=True).text
    stranger = enter(staff("eve", "change_program")).post(f"{page}/approve/", {"reason": "me"})
    done = client.post(f"{page}/approve/", {"reason": "fine"}, follow=True).text

    assert "reward advocate-fixed.points: 500 -&gt; 900" in shown
    assert "It is done at once, exactly as shown" in asked
    assert stranger.status_code == 403
    assert "somebody else than who asked has to approve" in own
    assert "1 approved and done" in done
    assert Offer.objects.count() == 2


def test_program_page_asks_why_and_says_that_it_waits(mia):
    program = make_program()
    client = enter(mia)
    address = f"/admin/referrals/program/{program.pk}/change/"

    without = client.post(address, {"file": render_program(changed()), "reason": ""}).text
    waits = client.post(address, {"file": render_program(changed()), "reason": "summer"}, follow=True).text

    assert "Say why: a second person decides on this change." in without
    assert "waits for a second person; nothing has changed yet" in waits
    assert (Offer.objects.count(), ChangeRequest.objects.get().reason) == (1, "summer")


def test_adjust_action_says_that_it_waits(ann, mia):
    give(ann, 1, mia)
    account = Account.objects.get(customer=ann, kind="available")

    page = enter(mia).post(
        "/admin/rewards/account/",
        {"action": "adjust_action", "_selected_action": [account.pk], "number": "2000", "reason": "sorry"},
        follow=True,
    )

    assert "waits for a second person" in page.text
    assert available(ann) == 1


def test_change_mail_names_who_asked_and_leads_to_the_page(ann, mia, tom, settle):
    change = give(ann, 5000, mia)
    settle()

    sent = mail.outbox[0]
    assert sent.to == ["tom@shop.example"] or "tom@shop.example" in sent.to[0]
    assert "mia" in sent.body
    assert f"/admin/accounts/changerequest/{change.pk}/change/" in sent.body
