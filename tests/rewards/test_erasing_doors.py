"""Erasing and exporting through the API and the admin."""

from io import StringIO

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.services import create_api_key
from referrals.models import Customer, Erasure
from referrals.services.erasing import erase_customer
from tests.factories import UserFactory
from tests.rewards.left_words import CONDITIONAL, Words, somebody_who_left_words
from tests.shop import Shop, day


@pytest.fixture
def words():
    return Words()


@pytest.fixture
def shop(db):
    return Shop(CONDITIONAL)


@pytest.fixture
def bob(shop, words):
    return somebody_who_left_words(shop, words)


def key_client(*scopes):
    client = Client()
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {create_api_key(name='k', scopes=scopes)[1]}"
    return client


def test_customers_api_exports_and_erases(bob):
    client = key_client("read", "write")

    exported = client.get("/api/v1/customers/bob/export").json()
    erased = client.delete("/api/v1/customers/bob")
    again = client.delete("/api/v1/customers/bob")
    gone = [client.get(f"/api/v1/customers/bob{rest}").status_code for rest in ("", "/export")]
    put = client.put("/api/v1/customers/bob", {"name": "Bob"}, content_type="application/json")

    assert set(exported) == {"referrals", "rewards", "gifts", "standing", "surveys", "mails", "imports"}
    assert exported["referrals"]["customer"]["external_id"] == "bob"
    assert (erased.status_code, erased.content, again.status_code) == (204, b"", 204)
    assert gone == [404, 404]
    assert (put.status_code, put.json()["code"]) == (409, "erased")


def test_customers_api_finds_an_erased_address_again(shop):
    shop.code_of("bob@company.example")
    client = key_client("read", "write")

    answers = [client.delete("/api/v1/customers/bob@company.example").status_code for _ in range(2)]

    assert answers == [204, 204]
    assert client.delete("/api/v1/customers/nobody@company.example").status_code == 404
    assert client.get("/api/v1/customers/bob@company.example").status_code == 404


def test_customers_api_refuses_another_wish_for_points(bob):
    answer = key_client("write").delete("/api/v1/customers/bob?points=burn")

    assert answer.status_code == 422
    assert Customer.objects.get(external_id="bob").erased_at is None


def enter(*codenames):
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def test_customer_page_says_what_erasing_does_and_does_it(bob):
    client = enter("view_customer", "delete_customer")
    page = f"/admin/referrals/customer/{bob.pk}/erase/"

    asked = client.get(page).text
    done = client.post(page, {"points": "forfeit"}, follow=True).text

    assert "This cannot be undone" in asked
    assert "What becomes of open points?" in asked
    assert "nobody knows of whom" in done
    assert Erasure.objects.get().points == "forfeit"
    assert "was erased on" in client.get(page).text


def test_customer_page_exports(bob):
    client = enter("view_customer", "change_customer")

    answer = client.get(f"/admin/referrals/customer/{bob.pk}/export/")

    assert answer.json()["referrals"]["customer"]["email"] == bob.email
    assert "attachment" in answer["Content-Disposition"]


@pytest.mark.parametrize("what", ["erase", "export"])
def test_customer_page_needs_the_permission(bob, what):
    client = enter("view_customer")
    page = f"/admin/referrals/customer/{bob.pk}/{what}/"

    assert (client.get(page).status_code, client.post(page).status_code) == (403, 403)
    assert Erasure.objects.count() == 0


def test_erase_customers_after_a_restore_erases_again(shop, tmp_path):
    shop.code_of("bob@company.example", name="Bob")
    shop.code_of("ann", name="Ann")
    shop.code_of("cid", name="Cid")
    for who in ("bob@company.example", "ann"):
        erase_customer(customer=Customer.objects.get(external_id=who), by="mia", at=day(5))
    file, out = tmp_path / "erased.txt", StringIO()
    call_command("erased_customers", stdout=out)
    file.write_text(out.getvalue())
    Erasure.objects.all().delete()
    Customer.objects.filter(external_id__startswith="erased:").update(
        external_id="bob@company.example", name="Bob", erased_at=None
    )
    Customer.objects.filter(external_id="ann").update(name="Ann", erased_at=None)

    told = StringIO()
    call_command("erase_customers", str(file), stdout=told)

    assert sorted(Customer.objects.values_list("name", flat=True)) == ["", "", "Cid"]
    assert told.getvalue() == "2 erased, 0 were erased already or are unknown\n"


@pytest.mark.parametrize("text", ["ann\n", "keep ann\n"])
def test_erase_customers_of_a_file_that_is_none_is_refused(shop, tmp_path, text):
    shop.code_of("ann", name="Ann")
    file = tmp_path / "erased.txt"
    file.write_text(text)

    with pytest.raises(CommandError, match="line 1"):
        call_command("erase_customers", str(file))

    assert Customer.objects.get().name == "Ann"
