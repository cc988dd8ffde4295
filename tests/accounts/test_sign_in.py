"""Signing in through the front door: customers by an emailed code, staff by password and second factor."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.queries import verified_emails
from referrals.models import Customer

pytestmark = pytest.mark.django_db(transaction=True)  # mails leave after the commit


def code_in_mail() -> str:
    found = re.search(r"^\s+(\S+)$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found
    return found.group(1)


def ask_for_code(client: Client, email: str):
    return client.post("/accounts/login/code/", {"email": email})


def test_sign_in_by_code_makes_the_user_of_a_known_customer(client):
    Customer.objects.create(external_id="c-1", email="Ann@Shop.example")

    asked = ask_for_code(client, "ann@shop.example")
    entered = client.post("/accounts/login/code/confirm/", {"code": code_in_mail()})

    assert (asked.status_code, asked["Location"]) == (302, "/accounts/login/code/confirm/")
    assert (entered.status_code, entered["Location"]) == (302, "/")
    user = User.objects.get()
    assert client.session["_auth_user_id"] == str(user.pk)
    assert verified_emails(user) == ["ann@shop.example"]
    assert not user.has_usable_password()


def test_sign_in_by_code_a_second_time_finds_the_same_user(client):
    Customer.objects.create(external_id="c-1", email="ann@shop.example")
    for _ in range(2):
        ask_for_code(client, "ANN@shop.example")
        client.post("/accounts/login/code/confirm/", {"code": code_in_mail()})
        client.post("/accounts/logout/")

    assert User.objects.count() == 1


def test_ask_for_code_of_unknown_email_answers_the_same_and_mails_the_rest():
    Customer.objects.create(external_id="c-1", email="ann@shop.example")
    known, unknown = Client(), Client()

    answers = [ask_for_code(known, "ann@shop.example"), ask_for_code(unknown, "eve@shop.example")]
    pages = [
        client.get("/accounts/login/code/confirm/").content.decode().replace(email, "").replace("csrf", "")
        for client, email in ((known, "ann@shop.example"), (unknown, "eve@shop.example"))
    ]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [
        (302, "/accounts/login/code/confirm/")
    ] * 2
    blank = re.compile(r'name="middlewaretokenmiddlewaretoken" value="[^"]*"|value="[A-Za-z0-9]{64}"')
    assert blank.sub("", pages[0]) == blank.sub("", pages[1])
    assert [m.to for m in mail.outbox] == [["ann@shop.example"], ["eve@shop.example"]]
    assert "We do not know it" in mail.outbox[1].body
    assert User.objects.filter(email="eve@shop.example").count() == 0


def test_enter_wrong_code_signs_nobody_in(client):
    Customer.objects.create(external_id="c-1", email="ann@shop.example")
    ask_for_code(client, "ann@shop.example")

    answer = client.post("/accounts/login/code/confirm/", {"code": "WRONG-CODE"})

    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session
    assert EmailAddress.objects.get().verified is False


def test_enter_wrong_code_five_times_voids_the_code(client):
    Customer.objects.create(external_id="c-1", email="ann@shop.example")
    ask_for_code(client, "ann@shop.example")
    code = code_in_mail()

    for _ in range(5):
        client.post("/accounts/login/code/confirm/", {"code": "WRONG-CODE"})
    client.post("/accounts/login/code/confirm/", {"code": code})

    assert "_auth_user_id" not in client.session


def test_ask_for_code_is_limited_by_address(client):
    Customer.objects.create(external_id="c-1", email="ann@shop.example")

    for _ in range(10):
        ask_for_code(Client(), "ann@shop.example")

    assert len(mail.outbox) < 10


def test_ask_for_code_of_inactive_user_mails_no_code(client):
    Customer.objects.create(external_id="c-1", email="ann@shop.example")
    User.objects.create_user("ann@shop.example", is_active=False)

    ask_for_code(client, "ann@shop.example")

    assert "We do not know it" in mail.outbox[-1].body
    assert EmailAddress.objects.count() == 0


def test_sign_up_by_hand_is_closed(client):
    answer = client.post("/accounts/signup/", {"email": "eve@shop.example"})

    assert b"No sign-up needed" in answer.content
    assert User.objects.count() == 0


@pytest.mark.parametrize(
    "path",
    ["/accounts/login/", "/accounts/login/code/", "/accounts/signup/", "/accounts/password/reset/"],
)
def test_open_sign_in_pages_use_our_layout(client, path):
    page = client.get(path).content.decode()

    assert '<main id="content"' in page
    assert re.search(r"<style|<script(?! src| data-allauth-onload)", page) is None


def test_sign_in_by_password_leads_staff_to_the_admin(client):
    User.objects.create_superuser("staff@shop.example", "correct horse battery")

    sent = client.get("/admin/")
    answer = client.post(
        "/accounts/login/?next=/admin/", {"login": "staff@shop.example", "password": "correct horse battery"}
    )

    assert sent["Location"].startswith("/admin/login/")
    assert client.get("/admin/login/?next=/admin/").status_code in (200, 302)
    assert answer["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_sign_in_by_password_rotates_the_session(client):
    User.objects.create_superuser("staff@shop.example", "correct horse battery")
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = "1"
    session.save()
    before = client.session.session_key

    client.post("/accounts/login/", {"login": "staff@shop.example", "password": "correct horse battery"})

    assert client.session.session_key != before


def test_sign_in_with_second_factor_asks_for_it(client):
    user = User.objects.create_superuser("staff@shop.example", "correct horse battery")
    secret = generate_totp_secret()
    TOTP.activate(user, secret)

    first = client.post("/accounts/login/", {"login": "staff@shop.example", "password": "correct horse battery"})
    halfway = client.get("/admin/").status_code
    counter = next(yield_hotp_counters_from_time())
    client.post("/accounts/2fa/authenticate/", {"code": format_hotp_value(hotp_value(secret, counter))})

    assert first["Location"] == "/accounts/2fa/authenticate/"
    assert halfway == 302
    assert client.get("/admin/").status_code == 200


def test_open_admin_as_customer_is_refused(client):
    client.force_login(User.objects.create_user("ann@shop.example"))

    assert client.get("/admin/login/").status_code == 403


@pytest.mark.parametrize("path", ["", "totp/activate/", "webauthn/", "webauthn/add/", "recovery-codes/"])
def test_open_second_factor_pages_works_for_staff(client, path):
    user = User.objects.create_superuser("staff@shop.example", "correct horse battery")
    TOTP.activate(user, generate_totp_secret()) if path == "recovery-codes/" else None
    client.post("/accounts/login/", {"login": "staff@shop.example", "password": "correct horse battery"})

    page = client.get(f"/accounts/2fa/{path}", follow=True)

    assert page.status_code == 200
    assert '<main id="content"' in page.content.decode()


def test_reset_password_mails_a_link_of_the_public_address(client, settings):
    User.objects.create_superuser("staff@shop.example", "correct horse battery")

    client.post("/accounts/password/reset/", {"email": "staff@shop.example"}, headers={"host": "127.0.0.1"})

    assert f"{settings.PUBLIC_BASE_URL}/accounts/password/reset/key/" in mail.outbox[0].body
    link = re.search(r"(/accounts/password/reset/key/\S+)", mail.outbox[0].body).group(1)
    assert client.get(link, follow=True).status_code == 200
