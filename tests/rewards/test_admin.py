"""Rewards and the ledger in the admin: every page opens, points and voids go through their services, with a reason."""

import pytest
from django.contrib.auth.models import Permission

from referrals.models import Referral
from rewards.models import Account, Reward, Transfer
from tests.factories import UserFactory
from tests.shop import Shop, assert_books_balance, day


@pytest.fixture
def shop(db):
    shop = Shop()
    shop.report(shop.signup("bob", day(0), code=shop.code_of("ann", name="Ann Archer")), at=day(0))
    shop.report(shop.purchase("bob", day(1), "1", "59.90"), at=day(1))
    shop.pass_time(day(15))
    return shop


@pytest.fixture
def staff(client):
    """Return a function that signs somebody in with just these permissions."""

    def sign_in(*codenames):
        user = UserFactory(is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return sign_in


def choose(client, model, action, rows, **answers):
    return client.post(
        f"/admin/{model}/", {"action": action, "_selected_action": [row.pk for row in rows]} | answers, follow=True
    )


@pytest.mark.parametrize("model", ["rewards/reward", "rewards/account", "rewards/transfer", "referrals/referral"])
def test_admin_shows_lists_and_rows_and_changes_nothing(shop, admin_client, model):
    name = model.split("/")[1]
    row = {"reward": Reward, "account": Account, "transfer": Transfer, "referral": Referral}[name].objects.first()

    pages = [admin_client.get(f"/admin/{model}/?q=ann"), admin_client.get(f"/admin/{model}/{row.pk}/change/")]
    writes = [admin_client.post(f"/admin/{model}/{row.pk}/change/", {}), admin_client.get(f"/admin/{model}/add/")]

    assert [page.status_code for page in pages] == [200, 200]
    assert [page.status_code for page in writes] == [403, 403]
    assert_books_balance()


def test_adjust_action_asks_why_and_then_gives(shop, admin_client):
    account = Account.objects.get(customer__external_id="ann", kind="available")

    asked = choose(admin_client, "rewards/account", "adjust_action", [account])
    before = shop.points("ann")
    choose(admin_client, "rewards/account", "adjust_action", [account], number="-2", reason="typing error")

    assert "stand in each customer" in asked.content.decode()
    assert (before, shop.points("ann")) == ((502, 0, 0), (500, 0, 0))
    transfer = Transfer.objects.get(kind="adjust")
    assert (transfer.cause["reason"], transfer.actor) == ("typing error", "admin@example.com")


@pytest.mark.parametrize("number", ["-503", "many", "0"])
def test_adjust_action_tells_what_is_refused(shop, admin_client, number):
    account = Account.objects.get(customer__external_id="ann", kind="available")

    page = choose(admin_client, "rewards/account", "adjust_action", [account], number=number, reason="x")

    assert "expected a whole number" in page.content.decode() or "only 502 points" in page.content.decode()
    assert shop.points("ann") == (502, 0, 0)


def test_adjust_action_needs_its_permission(shop, staff):
    client = staff("view_account")
    account = Account.objects.get(customer__external_id="ann", kind="available")

    choose(client, "rewards/account", "adjust_action", [account], number="100", reason="greed")

    assert shop.points("ann") == (502, 0, 0)


def test_void_and_reopen_actions_take_back_and_give_again(shop, staff):
    client = staff("view_referral", "change_referral")
    referral = Referral.objects.get()

    choose(client, "referrals/referral", "void_action", [referral], kind="fraud", reason="one household")
    voided = (shop.referral("bob").reason, shop.points("ann"), shop.points("bob"))
    choose(client, "referrals/referral", "reopen_action", [referral], reason="two households after all")

    assert voided == ("fraud", (0, 0, 0), (0, 0, 0))
    assert (shop.referral("bob").state, shop.points("ann"), shop.points("bob")) == (
        "approved",
        (502, 0, 0),
        (100, 0, 0),
    )
    assert_books_balance()


def test_void_action_needs_its_permission(shop, staff):
    client = staff("view_referral")

    choose(client, "referrals/referral", "void_action", [Referral.objects.get()], kind="fraud", reason="x")

    assert shop.referral("bob").state == "approved"
