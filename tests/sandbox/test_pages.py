"""What people see of a sandbox: the banner on every page, and the page of its clock."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from messaging.models import Message
from tests.factories import UserFactory

DAY = timedelta(days=1)
BANNER = re.compile(r'<aside class="sandbox-banner".*?</aside>', re.DOTALL)

pytestmark = pytest.mark.django_db


def signed_in(**more):
    client = Client(raise_request_exception=False)
    client.force_login(UserFactory(password="!", **more))
    return client


@pytest.fixture
def staff(sandbox):
    return signed_in(is_staff=True, is_superuser=True)


def banner_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", " ".join(BANNER.findall(answer.content.decode()))).split())


PAGES = [
    "/",
    "/accounts/login/",
    "/admin/",
    "/admin/referrals/referral/",
    "/dashboard/",
    "/api/docs/",
    "/nowhere/",
    "/code/",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_that_nothing_is_real_and_what_time_it_is(sandbox, staff, path):
    sandbox.clock.move_to(sandbox.clock.now() + 400 * DAY)
    now = sandbox.clock.now()

    answer = staff.get(path, follow=True)

    said = f"Sandbox: nothing here is real; it is {now.day} {now:%B %Y %H}:"
    assert banner_of(answer).startswith(said)
    page = answer.content.decode()
    assert page.count("<title>[Sandbox] ") == 1
    assert page.index("css/sandbox.css") < page.index("</head>")
    assert answer.get("Content-Length") in (None, str(len(answer.content)))


@pytest.mark.parametrize("path", PAGES)
def test_no_page_of_a_live_installation_says_so_twin(db, path):
    answer = signed_in(is_staff=True, is_superuser=True).get(path, follow=True)

    assert "andbox" not in answer.content.decode()


def test_the_banner_is_in_the_page_s_language(sandbox):
    page = sandbox.client.get("/", headers={"accept-language": "de"})

    assert banner_of(page).startswith("Sandkasten: Nichts hier ist echt; hier ist es der ")


def test_the_page_of_a_bug_says_so_too(sandbox, monkeypatch):
    monkeypatch.setattr("rewards.views.portal.public_programs", lambda: 1 / 0)

    answer = Client(raise_request_exception=False).get("/")

    assert (answer.status_code, "Sandbox:" in banner_of(answer)) == (500, True)


def test_what_is_no_page_stays_as_it_is(sandbox):
    answers = [sandbox.client.get(path) for path in ("/healthz", "/widget.js", "/brand.css")]
    answers.append(sandbox.call("get", "/customers"))

    assert [b"andbox" in answer.content for answer in answers] == [False] * 4


def test_a_mail_in_its_frame_stays_as_it_was_sent(sandbox, staff, settings, tmp_path):
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "messaging.backends.FolderBackend", tmp_path / "mails"
    settings.MAIL_PAGE = True
    sandbox.buy()
    sandbox.move(advance_days=14)
    listed = staff.get("/mails/?q=ann@shop.example").content.decode()
    mail = re.search(r'href="(/mails/\w[^"]*reward_available[^"]*/)"', listed).group(1)

    assert "Sandbox:" in banner_of(staff.get(mail))
    assert b"andbox" not in staff.get(f"{mail}html/").content


class TestClock:
    def test_staff_move_it_and_see_what_happened(self, sandbox, staff):
        sandbox.buy()
        before = staff.get("/sandbox/").content.decode()
        assert "The clock has not been moved yet" in before

        answer = staff.post("/sandbox/", {"days": "14"}, follow=True)

        page = answer.content.decode()
        assert answer.redirect_chain == [("/sandbox/", 302)]
        assert sandbox.points() == (0, 500, 0)
        assert re.search(r'<a href="/admin/find/ref_\w+/">reward released</a>', page)
        assert re.search(r'<a href="/admin/find/ref_\w+/">referral approved</a>', page)
        assert '<a href="/mails/?q=ann%40shop.example">mail sent</a>' in page
        assert "14 days ahead of the real time" in page
        assert staff.get(re.search(r"/admin/find/ref_\w+/", page).group()).status_code == 200
        only = staff.get("/sandbox/?kind=referral").content.decode()
        assert ("referral approved" in only, "reward released</a>" in only) == (True, False)

    @pytest.mark.parametrize(
        ("given", "lead"), [({"hours": "1"}, DAY / 24), ({"days": "1"}, DAY), ({"days": "7"}, 7 * DAY)]
    )
    def test_buttons_move_it_by_what_they_say(self, sandbox, staff, given, lead):
        staff.post("/sandbox/", given)

        assert lead - timedelta(minutes=1) < sandbox.clock.lead() <= lead

    def test_it_moves_to_a_day_and_time_of_the_installation_s_zone(self, sandbox, staff, settings):
        day = (sandbox.clock.now() + 3 * DAY).date()

        staff.post("/sandbox/", {"to": f"{day}T09:00"})

        assert f"{sandbox.clock.now():%Y-%m-%d %H:%M}" == f"{day} 09:00"

    @pytest.mark.parametrize(
        ("given", "why"),
        [
            ({"to": "2026-01-01T09:00"}, "the clock moves forward only"),
            ({"to": "2999-01-01T09:00"}, "at most 366 days at a time"),
            ({"to": "soon"}, "Please enter a day and a time."),
            ({"days": "-1"}, "greater than or equal to 1"),
            ({}, "Please choose how far"),
        ],
    )
    def test_it_is_refused_with_why_and_stays(self, sandbox, staff, given, why):
        sandbox.buy()
        lead = sandbox.clock.lead()

        answer = staff.post("/sandbox/", given)

        assert (answer.status_code, why in answer.content.decode()) == (422, True)
        assert (sandbox.clock.lead(), sandbox.clock.moves(), sandbox.points()) == (lead, [], (500, 0, 0))

    def test_who_may_see_and_move_it(self, sandbox, staff):
        others = {"nobody": Client(), "customer": signed_in(), "staff": signed_in(is_staff=True)}

        seen = {who: client.get("/sandbox/").status_code for who, client in others.items()}
        moved = {who: others[who].post("/sandbox/", {"days": "1"}).status_code for who in ("nobody", "customer")}

        assert seen == {"nobody": 302, "customer": 404, "staff": 200}
        assert (moved, sandbox.clock.moves()) == ({"nobody": 302, "customer": 404}, [])

    def test_its_questions_do_not_grow_with_what_happened(self, sandbox, staff, django_assert_max_num_queries):
        for number in range(3):
            sandbox.buy(f"order-{number}")
        staff.post("/sandbox/", {"days": "14"})

        with django_assert_max_num_queries(20):
            staff.get("/sandbox/")

    def test_who_is_signed_in_stays_so_however_far_it_moves(self, sandbox, staff):
        User.objects.update(is_superuser=True)
        sandbox.clock.move_to(sandbox.clock.now() + 366 * DAY)

        assert staff.get("/sandbox/").status_code == 200

    def test_who_is_signed_in_stays_so_twin_two_weeks_are_over(self, sandbox, settings):
        settings.SESSION_COOKIE_AGE = 14 * 24 * 3600
        client = signed_in(is_staff=True)
        sandbox.clock.move_to(sandbox.clock.now() + 366 * DAY)

        assert client.get("/sandbox/").status_code == 302


class TestLive:
    """Outside a sandbox there is no clock to move."""

    def test_its_addresses_are_not_there(self, db):
        staff = signed_in(is_staff=True, is_superuser=True)

        assert (staff.get("/sandbox/").status_code, staff.post("/sandbox/", {"days": "14"}).status_code) == (404, 404)

    def test_its_api_is_not_there(self, db):
        from accounts.services import create_api_key

        key = {"Authorization": f"Bearer {create_api_key(name='shop')[1]}"}
        answers = [
            Client().get("/api/v1/sandbox/clock", headers=key),
            Client().post("/api/v1/sandbox/clock", {"advance_days": 14}, content_type="application/json", headers=key),
        ]

        assert [(one.status_code, one.json()["code"]) for one in answers] == [(404, "not_found")] * 2

    def test_its_api_is_not_there_twin_even_if_it_were_routed(self, db, settings):
        """Routed by mistake, a live installation still has no clock to move."""
        settings.ROOT_URLCONF = "config.urls_sandbox"
        staff = signed_in(is_staff=True, is_superuser=True)

        assert staff.post("/sandbox/", {"days": "14"}).status_code == 404
        assert Message.objects.count() == 0
