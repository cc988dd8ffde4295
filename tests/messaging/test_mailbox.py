"""The folder of mails and the page on it."""

import os
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from messaging.mailbox import mail_heads, read_mail
from messaging.services import send_due
from tests.factories import UserFactory
from tests.messaging.samples import queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings, tmp_path):
    """An installation whose mails go to a folder, reached at its loopback address."""
    settings.EMAIL_BACKEND = "messaging.backends.FolderBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mails")
    settings.MAIL_PAGE = True
    settings.PUBLIC_BASE_URL = "http://127.0.0.1:8000"
    return tmp_path / "mails"


def send(*kinds):
    for kind in kinds or ("reward_available",):
        queue(kind)
    send_due(at=timezone.now())


def get(client, path="/mails/", **extra):
    return client.get(path, headers={"host": "127.0.0.1:8000"}, **extra)


def test_send_to_a_folder_writes_one_whole_file_with_a_readable_name(folder):
    send()

    (file,) = folder.iterdir()
    assert re.fullmatch(r"\d{8}T\d{6}Z-reward_available-ann_at_shop_example-[0-9a-f]{8}\.eml", file.name)
    found = read_mail(folder, file.stem)
    assert found.head.subject == "500 points are yours"
    assert found.head.to == "Ann Example <ann@shop.example>"
    assert "See your rewards" in found.text
    assert found.html.startswith("<!doctype html>")
    assert "List-Unsubscribe" in dict(found.headers)


def test_send_to_a_folder_leaves_no_half_file_under_its_name(folder, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError("disk full")))

    send()

    assert list(folder.glob("*.eml")) == []


def test_mails_page_lists_newest_first_and_shows_the_empty_state_before(folder, client):
    assert "No mail yet" in get(client).content.decode()
    send("reward_available")
    send("survey_invitation")
    for age, file in enumerate(sorted(folder.iterdir(), reverse=True)):
        file.rename(folder / f"2026010{2 - age}T000000Z-x-{age}.eml")

    text = get(client).content.decode()

    assert [head.name for head in mail_heads(folder)] == ["20260102T000000Z-x-0", "20260101T000000Z-x-1"]
    assert text.index("20260102T000000Z-x-0") < text.index("20260101T000000Z-x-1")


@pytest.mark.parametrize(
    ("search", "subjects"),
    [
        ("", 2),
        ("ann@shop.example", 2),
        ("QUICK question", 1),
        ("well deserved", 1),
        ("ann points", 1),
        ("nothing like it", 0),
    ],
)
def test_mails_page_searches_address_subject_and_text(folder, client, search, subjects):
    send("reward_available", "survey_invitation")

    text = get(client, f"/mails/?q={search}").content.decode()

    assert text.count('class="mails-line"') == subjects
    assert ("No mail has these words" in text) is (subjects == 0)


def test_mails_page_has_pages(folder, client):
    for number in range(31):
        queue(cause=f"r:{number}")
    send_due(at=timezone.now())

    first, second = (get(client, f"/mails/?page={page}").content.decode() for page in (1, 2))

    assert (first.count('class="mails-line"'), second.count('class="mails-line"')) == (30, 1)
    assert "Older" in first
    assert "Newer" in second


@pytest.mark.parametrize("page", ["0", "-1", "x", "999999", ""])
def test_mails_page_takes_any_page_number(folder, client, page):
    assert get(client, f"/mails/?page={page}").status_code == 200


def test_mail_page_shows_text_headers_and_the_html_in_a_sandbox(folder, client):
    send()
    (head,) = mail_heads(folder)

    page = get(client, reverse("messaging:mail", args=[head.name])).content.decode()
    html = get(client, reverse("messaging:mail_html", args=[head.name]))

    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "See your rewards" in page
    assert "List-Unsubscribe-Post" in page
    assert html["Content-Security-Policy"].startswith("sandbox allow-popups")
    assert "script-src" not in html["Content-Security-Policy"]
    assert "default-src 'none'" in html["Content-Security-Policy"]
    assert html["X-Frame-Options"] == "SAMEORIGIN"
    assert '<base target="_blank">' in html.content.decode()


@pytest.mark.parametrize("name", ["nothing", "..%2fsettings", "../../etc/passwd", ".hidden", "a" * 151])
def test_mail_page_of_no_mail_is_not_found(folder, client, name):
    folder.mkdir()
    (folder.parent / "settings.eml").write_text("Subject: secret\n\n")

    assert get(client, f"/mails/{name}/").status_code == 404


ADDRESSES = ("/mails/", "/mails/{name}/", "/mails/{name}/html/")


@pytest.fixture
def addresses(folder):
    send("sign_in_code")
    (head,) = mail_heads(folder)
    return [address.format(name=head.name) for address in ADDRESSES]


def statuses(client, addresses, **extra):
    return [get(client, address, **extra).status_code for address in addresses]


def test_mailbox_is_open_on_the_machine_itself(client, addresses):
    assert statuses(client, addresses) == [200] * 3
    assert statuses(client, addresses, REMOTE_ADDR="::1") == [200] * 3


def test_mailbox_is_closed_from_elsewhere(client, addresses):
    assert statuses(client, addresses, REMOTE_ADDR="203.0.113.9") == [404] * 3
    assert statuses(client, addresses, REMOTE_ADDR="") == [404] * 3


@pytest.mark.parametrize("header", ["X_FORWARDED_FOR", "X_FORWARDED_HOST", "FORWARDED", "X_REAL_IP", "VIA"])
def test_mailbox_is_closed_behind_a_proxy(client, addresses, header):
    assert statuses(client, addresses, **{f"HTTP_{header}": "203.0.113.9"}) == [404] * 3


def test_mailbox_is_closed_on_an_installation_with_a_public_address(client, addresses, settings):
    settings.PUBLIC_BASE_URL = "https://hello.shop.example"

    assert statuses(client, addresses) == [404] * 3


def test_mailbox_is_closed_to_a_rebound_name(client, addresses, settings):
    settings.ALLOWED_HOSTS = ["*"]

    assert client.get("/mails/", headers={"host": "evil.example"}).status_code == 404


def test_mailbox_is_open_to_staff_from_elsewhere_and_to_no_other_user(client, addresses):
    client.force_login(UserFactory())
    assert statuses(client, addresses, REMOTE_ADDR="203.0.113.9") == [404] * 3

    client.force_login(UserFactory(is_staff=True))
    assert statuses(client, addresses, REMOTE_ADDR="203.0.113.9") == [200] * 3


def test_mailbox_is_closed_to_everybody_where_mails_really_leave(client, addresses, settings):
    settings.MAIL_PAGE = False
    client.force_login(UserFactory(is_staff=True, is_superuser=True))

    assert statuses(client, addresses) == [404] * 3
