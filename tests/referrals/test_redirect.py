from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine

from referrals import redirect
from referrals.events import ClicksRecorded
from referrals.models import Click, CodeMisses, Customer, DailyKey
from referrals.program_file import parse_program
from referrals.services import clicks as clicks_module
from referrals.services.clicks import Visit, purge_daily_keys, record_click
from referrals.services.links import ensure_link
from referrals.services.programs import apply_program

AGENT = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"
)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILE = """\
program: p
name: Tell a friend
status: active
currency: EUR
landing_url: https://shop.example/welcome?own=1#top
qualifies: {on: purchase}
attribution: {window_days: 21}
rewards: []
"""

pytestmark = pytest.mark.django_db


def apply(text=FILE, at=NOON):
    return apply_program(document=parse_program(text), at=at)


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def link():
    return ensure_link(customer=Customer.objects.create(external_id="ann"), program=apply())


@pytest.fixture
def visit(client):
    def do(path, method="get", **headers):
        return getattr(client, method)(path, headers={"user-agent": AGENT, **headers})

    return do


@pytest.fixture
def announced(monkeypatch):
    events = []
    monkeypatch.setattr(clicks_module, "publish", lambda *told: events.extend(told))
    return events


def test_follow_link_sends_on_with_ref_and_click(visit, link, announced):
    response = visit(f"/r/{link.code}")

    click = Click.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"https://shop.example/welcome?own=1&ref={link.code}&click={click.click_id}#top"
    assert (response["Cache-Control"], response["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert (click.link, click.program, click.at) == (link, link.program, NOON)
    assert (click.verdict, click.why, click.device, click.channel, click.utm) == ("person", "", "phone", "", {})
    assert announced == [ClicksRecorded(subject=f"click:{click.pk}", days=("2026-03-01",))]


def test_follow_link_announces_the_day_of_the_installations_zone(visit, link, announced, settings):
    settings.TIME_ZONE = "Pacific/Auckland"

    visit(f"/r/{link.code}")

    assert announced[0].days == ("2026-03-02",)


def test_follow_link_keeps_channel_and_utm_and_nothing_else(visit, link):
    long = "x" * 500
    response = visit(f"/r/{link.code}?c=WhatsApp&utm_source=a%20b&utm_term={long}&utm_source=second&url=//evil&own=2")

    click = Click.objects.get()
    query = parse_qs(urlsplit(response["Location"]).query)
    assert click.channel == "whatsapp"
    assert click.utm == {"utm_source": "a b", "utm_term": "x" * 200}
    assert query == {"own": ["1"], "utm_source": ["a b"], "utm_term": ["x" * 200], "ref": [link.code],
                     "click": [click.click_id]}  # fmt: skip


@pytest.mark.parametrize("channel", ["fax", "", "whatsapp%00", "' or 1"])
def test_follow_link_does_not_know_other_channels(channel, visit, link):
    assert visit(f"/r/{link.code}?c={channel}").status_code == 302
    assert Click.objects.get().channel == ""


def test_follow_link_survives_control_characters(visit, link):
    response = visit(f"/r/{link.code}?utm_source=a%00b%0d%0aSet-Cookie:x&utm_term=%ff")

    assert Click.objects.get().utm["utm_source"] == "abSet-Cookie:x"
    assert "Set-Cookie" not in response.headers or "gw_visitor" in str(response.cookies)
    assert urlsplit(response["Location"]).hostname == "shop.example"


@pytest.mark.parametrize(
    "query",
    [
        "url=https://evil.example",
        "next=//evil.example",
        "ref=x&click=y",
        "utm_source=https://evil.example",
        "@evil",
        "\\",
    ],
)
def test_follow_link_lets_no_request_choose_the_host(query, visit, link):
    location = visit(f"/r/{link.code}?{query}")["Location"]

    assert urlsplit(location)[:3] == ("https", "shop.example", "/welcome")
    assert parse_qs(urlsplit(location).query)["ref"] == [link.code]


def test_follow_link_ignores_the_host_header(visit, link, settings):
    settings.ALLOWED_HOSTS = ["*"]

    response = visit(f"/r/{link.code}", host="evil.example", **{"x-forwarded-host": "evil.example"})

    assert urlsplit(response["Location"]).hostname == "shop.example"


def test_follow_link_refuses_a_landing_page_off_the_list(visit, link):
    type(link.program).objects.update(landing_url="https://evil.example/")

    assert visit(f"/r/{link.code}").status_code == 404
    assert Click.objects.count() == 0


def test_follow_link_without_its_own_check_would_send_visitors_off_the_list(visit, link, monkeypatch):
    type(link.program).objects.update(landing_url="https://evil.example/")
    monkeypatch.setattr(redirect, "landing_problem", lambda *_: "")

    assert urlsplit(visit(f"/r/{link.code}")["Location"]).hostname == "evil.example"


def test_follow_link_never_counts_a_head(visit, link):
    response = visit(f"/r/{link.code}", method="head")

    assert (response.status_code, response["Location"]) == (
        302,
        f"https://shop.example/welcome?own=1&ref={link.code}#top",
    )
    assert Click.objects.count() == 0


def test_follow_link_answers_only_reading_methods(client, link):
    assert client.post(f"/r/{link.code}").status_code == 405
    assert Click.objects.count() == 0


@pytest.mark.parametrize("headers", [{"sec-purpose": "prefetch"}, {"purpose": "prefetch"}, {"sec-fetch-dest": "image"}])
def test_follow_link_attributes_nothing_to_a_prefetch_or_an_embedding_page(headers, visit, link, announced):
    response = visit(f"/r/{link.code}", **headers)

    assert response["Location"] == "https://shop.example/welcome?own=1#top"
    assert Click.objects.get().verdict == "bot"
    assert (announced, response.cookies.get("gw_visitor")) == ([], None)


def test_follow_link_stores_a_preview_and_does_not_announce_it(client, link, announced):
    response = client.get(f"/r/{link.code}", headers={"user-agent": "WhatsApp/2.23.20.0 A"})

    assert response.status_code == 302
    assert (Click.objects.get().verdict, Click.objects.get().why) == ("preview", "link preview: whatsapp")
    assert announced == []


def test_follow_link_recognises_a_returning_visitor(visit, link):
    first = visit(f"/r/{link.code}")
    visit(f"/r/{link.code}")

    cookie = first.cookies["gw_visitor"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 21 * 86400)
    assert list(Click.objects.values_list("visitor", flat=True)) == [cookie.value, cookie.value]


def test_follow_link_takes_no_visitor_it_did_not_name(client, visit, link):
    client.cookies["gw_visitor"] = "ann@example.com"

    visit(f"/r/{link.code}")

    assert "ann" not in Click.objects.get().visitor


@pytest.mark.parametrize("header", ["sec-gpc", "dnt"])
def test_follow_link_respects_who_does_not_want_to_be_followed(header, client, visit, link):
    visit(f"/r/{link.code}")
    response = visit(f"/r/{link.code}", **{header: "1"})

    assert Click.objects.order_by("pk").last().visitor == ""
    assert response.cookies["gw_visitor"].value == ""
    assert response.cookies["gw_visitor"]["max-age"] == 0


def test_follow_link_sets_no_cookie_where_the_company_wants_none(visit, link, settings):
    settings.VISITOR_COOKIE = False

    response = visit(f"/r/{link.code}")

    assert (response.cookies.get("gw_visitor"), Click.objects.get().visitor) == (None, "")


def test_follow_link_forgives_the_spelling(visit, link):
    assert visit(f"/r/{link.code.lower()[:3]}-{link.code.lower()[3:]}").status_code == 302


@pytest.mark.parametrize("code", ["ZZZZZZZ", "nope", "%00", "a%2fb", "x" * 3000, "ÄÖÜ", "..%2f..%2fetc"])
def test_follow_link_answers_an_unknown_code_with_a_friendly_page(code, visit, link):
    response = visit(f"/r/{code}")

    assert response.status_code == 404
    assert "<h1>" in response.content.decode()
    assert Click.objects.count() == 0


@pytest.mark.parametrize(("status", "expected"), [("paused", 404), ("draft", 404), ("ended", 410)])
def test_follow_link_answers_for_a_program_that_does_not_run(status, expected, visit, link):
    apply(FILE.replace("active", status))

    response = visit(f"/r/{link.code}")

    assert response.status_code == expected
    assert "not running right now" in response.content.decode()
    assert Click.objects.count() == 0


def test_follow_link_limits_misses_of_one_network_from_the_21st(client, link):
    answers = [client.get(f"/r/ZZZ{number:04}", REMOTE_ADDR=f"9.9.9.{number}").status_code for number in range(22)]

    assert answers == [404] * 20 + [429] * 2
    limited = client.get(f"/r/{link.code}", REMOTE_ADDR="9.9.9.200", headers={"user-agent": AGENT})
    assert (limited.status_code, limited["Retry-After"]) == (429, "601")
    assert client.get("/r/ZZZZZZZ", REMOTE_ADDR="9.9.8.1").status_code == 404
    assert Click.objects.count() == 0


def test_follow_link_forgets_misses_after_ten_minutes(client, link):
    for number in range(22):
        client.get(f"/r/ZZZ{number:04}")

    with time_machine.travel(NOON + timedelta(minutes=10), tick=False):
        assert client.get("/r/ZZZZZZZ").status_code == 404


def test_follow_link_counts_misses_by_the_address_our_proxy_saw(client, settings, link):
    settings.TRUSTED_PROXY_COUNT = 1
    answers = [
        client.get("/r/ZZZZZZZ", headers={"x-forwarded-for": f"{number}.6.6.6, 9.9.9.9"}).status_code
        for number in range(1, 23)
    ]

    assert answers == [404] * 20 + [429] * 2


def test_follow_link_without_the_limit_would_answer_every_guess(client, link, monkeypatch):
    monkeypatch.setattr(clicks_module, "MISSES", 10**6)

    assert {client.get("/r/ZZZZZZZ").status_code for _ in range(25)} == {404}


def test_follow_link_stores_no_address(client, link):
    client.get(f"/r/{link.code}", REMOTE_ADDR="203.0.113.77", headers={"user-agent": AGENT})
    client.get("/r/ZZZZZZZ", REMOTE_ADDR="203.0.113.77")

    rows = [*Click.objects.values_list(), *DailyKey.objects.values_list(), *CodeMisses.objects.values_list()]
    assert "203.0.113" not in repr(rows)
    assert "Android" not in repr(rows)


def make_click(link, at, address="9.9.9.9"):
    verdict = redirect.judge_visit({"user-agent": AGENT})
    return record_click(link=link, visit=Visit(verdict=verdict, agent=AGENT, address=address), at=at)


def test_record_click_hashes_the_same_visitor_alike_for_one_day_only(link):
    hashes = [make_click(link, NOON + timedelta(hours=hours)).day_hash for hours in (0, 11, 12)]

    assert hashes[0] == hashes[1] != hashes[2]
    assert make_click(link, NOON, "9.9.9.10").day_hash != hashes[0]
    assert DailyKey.objects.count() == 2


def test_purge_daily_keys_destroys_keys_and_hashes_and_keeps_the_number_of_visitors(link):
    clicks = [make_click(link, NOON, address) for address in ("9.9.9.9", "9.9.9.9", "8.8.8.8")]
    today = make_click(link, NOON + timedelta(days=2))

    assert purge_daily_keys(at=NOON + timedelta(days=1)) == 0
    assert purge_daily_keys(at=NOON + timedelta(days=2)) == 1
    assert purge_daily_keys(at=NOON + timedelta(days=2)) == 0

    after = [Click.objects.get(pk=click.pk).day_hash for click in clicks]
    assert not set(after) & {click.day_hash for click in clicks}
    assert after[0] == after[1] != after[2]
    assert Click.objects.get(pk=today.pk).day_hash == today.day_hash
    assert DailyKey.objects.count() == 1


def test_follow_link_takes_few_statements_of_its_own(visit, link, announced, django_assert_max_num_queries):
    visit(f"/r/{link.code}")

    with django_assert_max_num_queries(11):
        visit(f"/r/{link.code}")
